package store

import (
	"os"
	"path/filepath"
	"testing"
)

// The ID stays when the network gives the machine another name. What is no ID, as in an image that was never started, is passed over.
func TestMachineID(t *testing.T) {
	t.Parallel()
	hostname, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	const id = "0123456789abcdef0123456789abcdef"
	for name, test := range map[string]struct{ first, second, want string }{
		"systemd's":     {id + "\n", "", id},
		"D-Bus's":       {"", id, id},
		"uninitialized": {"uninitialized\n", "", hostname},
		"none":          {"", "", hostname},
	} {
		folder := t.TempDir()
		first, second := filepath.Join(folder, "first"), filepath.Join(folder, "second")
		for path, text := range map[string]string{first: test.first, second: test.second} {
			if text == "" {
				continue
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := machineIDIn(first, second); err != nil || got != test.want {
			t.Errorf("%s: expected %q, got %q, %v", name, test.want, got, err)
		}
	}
}
