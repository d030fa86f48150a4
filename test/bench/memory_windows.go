package main

// measureMemory has no simple source on this system.
func (b *bench) measureMemory(*table, []string) error { return nil }
