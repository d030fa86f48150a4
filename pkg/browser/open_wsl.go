//go:build unix && !darwin

package browser

import (
	"os/exec"
	"time"
)

// A PowerShell that starts cold on a busy machine takes seconds; one that Windows keeps from running may never end.
const windowsLimit = 15 * time.Second

// windows are the ways from WSL to the browser of Windows. wsl.conf can keep the folders of Windows off the PATH, so
// those that every Windows has are looked for there too.
func (c Command) windows() []opener {
	var openers []opener
	for _, way := range []struct {
		programs []string
		argument func(url string) []string
	}{
		{[]string{"wslview"}, func(url string) []string { return []string{url} }},
		{
			[]string{"powershell.exe", "/mnt/c/Windows/System32/WindowsPowerShell/v1.0/powershell.exe"},
			// Between single quotes PowerShell reads nothing but the quote, and plain has left neither quotes nor spaces
			// in the URL. So no argument needs quotes in the command line that WSL makes of them, and none can be read
			// wrong: not & and not %, since cmd.exe has no part in it.
			func(url string) []string {
				return []string{"-NoProfile", "-NonInteractive", "-Command", "Start-Process", "'" + url + "'"}
			},
		},
		{
			[]string{"rundll32.exe", "/mnt/c/Windows/System32/rundll32.exe"},
			// It takes the rest of its command line as it is.
			func(url string) []string { return []string{"url.dll,FileProtocolHandler", url} },
		},
	} {
		for _, program := range way.programs {
			if path, err := exec.LookPath(program); err == nil {
				openers = append(openers, func(url string) error {
					return c.runBriefly(windowsLimit, path, way.argument(url)...)
				})
				break
			}
		}
	}
	return openers
}
