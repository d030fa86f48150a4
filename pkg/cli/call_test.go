package cli

import (
	"strings"
	"testing"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/kubeconfig"
)

// What get-token would refuse is named without a value that may be a secret, and the flags beside it are read all the same.
func TestReadCall(t *testing.T) {
	t.Parallel()
	for arguments, want := range map[string]struct {
		refusal string
		isRead  bool
	}{
		"get-token --oidc-client-id=x":                             {"", true},
		"--oidc-client-id=x get-token":                             {"", true}, // cobra finds it there too
		"--logtostderr get-token --oidc-client-id x -v1":           {"", true},
		"oidc-login --oidc-client-id=x":                            {`its args call "oidc-login", not get-token`, true},
		"login --oidc-client-id=x":                                 {`its args call "login", not get-token`, true},
		"--oidc-client-id=x":                                       {"the verb get-token is missing among its args", true},
		"--oidc-client-id=x hunter2":                               {"the verb get-token is missing among its args", true},
		"get-token --oidc-client-id=x get-token":                   {"unexpected argument: number 3 of its args is no flag, and belongs to none", true},
		"get-token --skip-open-browser hunter2 --oidc-client-id=x": {"unexpected argument: number 3 of its args is no flag, and belongs to none", true},
		"hunter2 --oidc-client-id=x get-token":                     {"unexpected argument: number 1 of its args is no flag, and belongs to none", true},
		"get-token --oidc-client-id x x":                           {"unexpected argument: number 4 of its args is no flag, and belongs to none", true},
		"get-token --bogus=hunter2 --oidc-client-id=x":             {"unknown flag: --bogus", true},
		"get-token -xunter2 --oidc-client-id=x":                    {"unknown flag: -x", true},
		"get-token --oidc-request-header=hunter2":                  {"--oidc-request-header: must be NAME=VALUE", false},
		"get-token --help":                                         {"pflag: help requested", false},
		"get-token --oidc-client-id":                               {"flag needs an argument: --oidc-client-id", false},
	} {
		got := readCall(&kubeconfig.Exec{Command: "kubectl-oidc_login", Args: strings.Fields(arguments)})
		refusal := ""
		if got.refusal != nil {
			refusal = got.refusal.Error()
		}
		if refusal != want.refusal || got.isRead != want.isRead || want.isRead && got.options.provider.clientID != "x" {
			t.Errorf("%s: got %q, %t, client %q", arguments, refusal, got.isRead, got.options.provider.clientID)
		}
	}
}
