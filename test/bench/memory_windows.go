package main

// measureMemory has no simple source on this system.
func (b *bench) measureMemory(*table, call) error { return nil }
