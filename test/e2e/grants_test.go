package e2e

import (
	"slices"
	"strings"
	"testing"
)

// wayIn is a way to log in with kubectl.
type wayIn struct {
	name      string
	providers []string // that have it
	grant     string   // as the token endpoint calls it
	arguments []string // of the plugin
	logIn     func(*testing.T, *visitor) Output
}

const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code" // https://www.rfc-editor.org/rfc/rfc8628#section-3.4

func waysIn() []wayIn {
	both := []string{"Dex", "zitadel"}
	return []wayIn{
		{"browser", both, "authorization_code", nil, byBrowser},
		{"paste-address", both, "authorization_code", nil, byPastingAddress},
		{"paste-code", both, "authorization_code", nil, byPastingCode},
		{"device-scan", both, deviceGrant, []string{"--grant-type=device-code"}, byScanning},
		{"device-type", both, deviceGrant, []string{"--grant-type=device-code"}, byTypingDeviceCode},
		{"keyboard", []string{"Dex"}, "authorization_code", []string{"--grant-type=authcode-keyboard"}, byTypingCode},
		{"keyboard-address", []string{"zitadel"}, "authorization_code",
			[]string{"--grant-type=authcode-keyboard", "--oidc-redirect-url-authcode-keyboard=http://localhost"}, byTypingAddress},
		{"password", []string{"Dex"}, "password", []string{"--grant-type=password"}, byPassword},
	}
}

// TestGrants takes every way in at every provider that has it: kubectl logs in and the API server says who that was; a
// refresh brings the next token, UserInfo the same person, and the end of the session a login. A client for each keeps them apart.
func TestGrants(t *testing.T) {
	t.Parallel()
	var clients []string
	for _, way := range waysIn() {
		clients = append(clients, way.client())
	}
	ca := NewCertificateAuthority(t)
	dex, zitadel := StartDex(t, ca, clients...), StartZitadel(t, ca, clients...)
	apiServer := StartAPIServer(t, ca, &dex.Provider, &zitadel.Provider)
	subjects := map[string]string{"Dex": ParseClaims(t, dex.PasswordGrant(t)).Subject, "zitadel": zitadel.User.ID}

	for name, provider := range map[string]*Provider{"Dex": &dex.Provider, "zitadel": &zitadel.Provider} {
		for _, way := range waysIn() {
			if !slices.Contains(way.providers, name) {
				continue
			}
			t.Run(name+"/"+way.name, func(t *testing.T) {
				t.Parallel()
				v := newVisitor(t, way, provider, apiServer, subjects[name])
				first := v.logsIn(t)
				v.isServedFromStore(t, first)
				second := v.refreshes(t, first)
				v.isServedFromStore(t, second)
				v.asksUserInfo(t)
				v.isToldThatSessionEnded(t)
			})
		}
	}
	t.Run("zitadel/client-credentials", func(t *testing.T) {
		t.Parallel()
		machineLogsIn(t, zitadel, apiServer)
	})
	t.Run("zitadel/device-denied", func(t *testing.T) {
		t.Parallel()
		personSaysNo(t, &zitadel.Provider, ca)
	})
	t.Run("Dex/client-credentials", func(t *testing.T) {
		t.Parallel()
		isToldThatMachinesCannot(t, &dex.Provider, ca)
	})
	t.Run("Dex/password-wrong", func(t *testing.T) {
		t.Parallel()
		isToldThatPasswordIsWrong(t, &dex.Provider, ca)
	})
}

// client is the one that this way in uses.
func (w wayIn) client() string { return ClientID + "-" + w.name }

func byBrowser(t *testing.T, v *visitor) Output {
	kubectl := make(chan Output, 1)
	go func() { kubectl <- v.computer.WhoAmI(t) }()
	page := v.browser.Login(t, v.browser.AwaitURL(t, kubectl), v.provider.User)
	assertContains(t, page.Text, v.provider.User.Email, v.subject, v.provider.IssuerURL)
	return <-kubectl
}

func byPastingAddress(t *testing.T, v *visitor) Output {
	terminal, address := v.loginElsewhere(t)
	terminal.Types(t, strings.Replace(address, "state=", "state=another", 1))
	terminal.Reads(t, "the pasted address belongs to another login; still waiting")
	terminal.Types(t, address)
	return terminal.End(t)
}

func byPastingCode(t *testing.T, v *visitor) Output {
	terminal, address := v.loginElsewhere(t)
	code := v.provider.codeIn(t, address)
	terminal.Types(t, strings.Repeat("0123456789", 3))
	terminal.Reads(t, "the provider does not take the pasted code; still waiting")
	terminal.Types(t, code)
	return terminal.End(t)
}

// byScanning opens the address that a camera reads off the terminal.
func byScanning(t *testing.T, v *visitor) Output {
	terminal := v.sitsDown(t)
	code := terminal.Reads(t, `enter the code (\S+) before`)
	address := terminal.Reads(t, `or open (https://\S+) and compare the code there`)
	if got := terminal.Reads(t, `the code to compare is (\S+)`); got != code {
		t.Errorf("the code to compare is %q, want %q", got, code)
	}
	if screen := strings.Join(terminal.Screen(), "\n"); !strings.Contains(screen, "the code to compare is "+code) {
		t.Errorf("the code has left the screen:\n%s", screen)
	}
	if scanned := terminal.Scan(t); scanned != address {
		t.Errorf("the QR code says %q, want %q", scanned, address)
	}
	v.elsewhere.ApproveDevice(t, v.provider, address, code)
	return terminal.End(t)
}

func byTypingDeviceCode(t *testing.T, v *visitor) Output {
	terminal := v.sitsDown(t)
	address := terminal.Reads(t, `open (https://\S+) in any browser and enter the code`)
	code := terminal.Reads(t, `enter the code (\S+) before`)
	v.elsewhere.EnterDeviceCode(t, v.provider, address, code, v.provider.Device.Allow)
	return terminal.End(t)
}

func byTypingCode(t *testing.T, v *visitor) Output {
	terminal := v.sitsDown(t)
	url := terminal.Reads(t, `open this URL in a browser to log in: (\S+)`)
	terminal.Types(t, v.elsewhere.LoginForCode(t, url, v.provider.User, "input[type=text]:not([name])"))
	return terminal.End(t)
}

func byTypingAddress(t *testing.T, v *visitor) Output {
	terminal := v.sitsDown(t)
	url := terminal.Reads(t, `open this URL in a browser to log in: (\S+)`)
	terminal.Types(t, v.elsewhere.LoginElsewhere(t, url, v.provider.User))
	return terminal.End(t)
}

func byPassword(t *testing.T, v *visitor) Output {
	terminal := v.sitsDown(t)
	terminal.Reads(t, "username:")
	terminal.Types(t, v.provider.User.Email)
	terminal.Reads(t, "password of "+v.provider.User.Email+", which is not shown")
	terminal.Types(t, v.provider.User.Password)
	output := terminal.End(t)
	if strings.Contains(output.Stderr, v.provider.User.Password) {
		t.Error("the password is to be seen on the terminal")
	}
	return output
}

// machineLogsIn is a program's way in. This provider gives machines an access token alone.
func machineLogsIn(t *testing.T, zitadel *Zitadel, apiServer *APIServer) {
	computer := NewWorkstation(t, StartKeychain(t))
	getToken := append([]string{"get-token", "--grant-type=client-credentials", "--oidc-client-secret=" + ServiceSecret,
		"--interactive=never"}, zitadel.arguments(ServiceClientID, apiServer.CA)...)
	output := computer.Plugin(t, getToken...)
	if output.ExitCode != 1 {
		t.Errorf("without an ID token there should be none: %s", output)
	}
	assertContains(t, output.Stderr, "no ID token", "--oidc-use-access-token")

	computer.WriteKubeconfig(t, apiServer, ExecUser{
		APIVersion:      "client.authentication.k8s.io/v1",
		InteractiveMode: "Never",
		Command:         programs.Plugin,
		Args:            append(getToken, "--oidc-use-access-token"),
	})
	if got := ParseUserInfo(t, computer.WhoAmI(t)).Username; got != "oidc:"+ServiceClientID {
		t.Errorf("the API server sees %q, want %q", got, "oidc:"+ServiceClientID)
	}
}

func isToldThatMachinesCannot(t *testing.T, dex *Provider, ca *CertificateAuthority) {
	output := NewWorkstation(t, &Keychain{}).Plugin(t, append([]string{"get-token", "--grant-type=client-credentials",
		"--oidc-client-secret=any", "--token-cache-storage=none"}, dex.arguments(ClientID, ca)...)...)
	if output.ExitCode != 5 {
		t.Errorf("want exit code 5: %s", output)
	}
	assertContains(t, output.Stderr, "unsupported_grant_type", "hint: The client may not log in this way")
}

func isToldThatPasswordIsWrong(t *testing.T, dex *Provider, ca *CertificateAuthority) {
	output := NewWorkstation(t, &Keychain{}).Plugin(t, append([]string{"get-token", "--username=" + dex.User.Email,
		"--password=wrong", "--token-cache-storage=none"}, dex.arguments(ClientID, ca)...)...)
	if output.ExitCode != 5 {
		t.Errorf("want exit code 5: %s", output)
	}
	assertContains(t, output.Stderr, "Invalid username or password", "hint: Check the username and the password")
}

func personSaysNo(t *testing.T, provider *Provider, ca *CertificateAuthority) {
	terminal := NewWorkstation(t, &Keychain{}).SitDown(t, programs.Plugin, append([]string{"get-token",
		"--grant-type=device-code", "--token-cache-storage=none"}, provider.arguments(ClientID, ca)...)...)
	address := terminal.Reads(t, `open (https://\S+) in any browser and enter the code`)
	code := terminal.Reads(t, `enter the code (\S+) before`)
	StartBrowserElsewhere(t, ca).EnterDeviceCode(t, provider, address, code, provider.Device.Deny)
	output := terminal.End(t)
	if output.ExitCode != 5 {
		t.Errorf("want exit code 5: %s", output)
	}
	assertContains(t, output.Stderr, "error: login: denied")
}
