package e2e

import (
	"path/filepath"
	"testing"
)

// TestKubeloginKubeconfig uses kubeconfigs as `kubectl oidc-login setup` of int128/kubelogin has them written: kubectl
// finds the plugin in PATH, by its name.
func TestKubeloginKubeconfig(t *testing.T) {
	t.Parallel()
	ca := NewCertificateAuthority(t)
	dex := StartDex(t, ca)
	apiServer := StartAPIServer(t, ca, &dex.Provider)
	username := "oidc:" + ParseClaims(t, dex.PasswordGrant(t)).Subject

	for _, apiVersion := range []string{"v1beta1", "v1"} {
		t.Run(apiVersion, func(t *testing.T) {
			browser := StartBrowser(t, ca)
			computer := NewWorkstation(t, StartKeychain(t))
			computer.Path = filepath.Dir(programs.Plugin) + ":" + filepath.Dir(programs.Kubectl) + ":" + computer.Path
			computer.WriteKubeconfig(t, apiServer, ExecUser{
				APIVersion:      "client.authentication.k8s.io/" + apiVersion,
				InteractiveMode: "Never",
				Command:         "kubectl",
				Args: []string{
					"oidc-login",
					"get-token",
					"--oidc-issuer-url=" + dex.IssuerURL,
					"--oidc-client-id=" + ClientID,
					"--oidc-extra-scope=email",
					"--certificate-authority=" + ca.File,
					"--listen-address=" + freeAddress(t),
					"--browser-command=" + browser.Command,
				},
			})

			whoAmI, _ := logIn(t, computer, browser, dex.User)
			if got := ParseUserInfo(t, whoAmI).Username; got != username {
				t.Errorf("the API server sees %q, want %q", got, username)
			}
			dex.Traffic.Take()
			assertServedFromStore(t, computer, dex.Traffic, username)
			if browser.Opened() != 1 {
				t.Errorf("the browser was opened %d times, want 1", browser.Opened())
			}
		})
	}
}
