package e2e

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestNewcomer makes a cluster and a kubeconfig ready, by nothing but what setup prints and writes.
func TestNewcomer(t *testing.T) {
	t.Parallel()
	ca := NewCertificateAuthority(t)
	dex := StartDex(t, ca)
	apiServer := StartStrangeAPIServer(t, ca)
	browser := StartBrowser(t, ca)
	computer := NewWorkstation(t, StartKeychain(t))
	setup := []string{
		"setup", "--yes",
		"--oidc-issuer-url=" + dex.IssuerURL, "--oidc-client-id=" + ClientID, "--oidc-extra-scope=email,groups",
		"--certificate-authority=" + ca.File, "--listen-address=" + freeAddress(t), "--browser-command=" + browser.Command,
		"--cluster=test", "--cluster-server=" + apiServer.URL, "--cluster-certificate-authority=" + ca.File, "--context=test",
		"--role=system:aggregate-to-view", // what view is made of; nobody makes it here, without a controller manager
	}

	running := computer.StartPlugin(t, setup...)
	browser.Login(t, browser.AwaitURL(t, running), dex.User)
	first := <-running
	if first.ExitCode != 0 {
		t.Fatalf("setup: %s", first)
	}
	assertContains(t, first.Stdout, "ok       PKCE:", "Written to ", "the API server does not take the token (401 Unauthorized)")
	if refused := computer.Kubectl(t, "get", "namespaces"); refused.ExitCode == 0 {
		t.Fatalf("nobody has told the API server yet: %s", refused)
	}

	// What is printed is given to the API server as it is.
	apiServer.Authenticate(t, printedBlock(t, first.Stdout, "Tell the API server"))
	eventually(t, 2*time.Minute, "the API server to read its file again", func() error { return computer.WhoAmI(t).failure() })
	if forbidden := computer.Kubectl(t, "get", "namespaces"); forbidden.ExitCode == 0 || !strings.Contains(forbidden.Stderr, "forbidden") {
		t.Fatalf("nobody has bound a role yet: %s", forbidden)
	}
	binding := printedBlock(t, first.Stdout, "Give a group a role")
	admin := NewWorkstation(t, computer.keychain)
	bindingFile := admin.Home + "/binding.yaml"
	writeFile(t, bindingFile, binding)
	if applied := admin.Kubectl(t, "--server="+apiServer.URL, "--certificate-authority="+ca.File, "--token="+apiServer.AdminToken,
		"apply", "--filename="+bindingFile); applied.ExitCode != 0 {
		t.Fatalf("kubectl apply: %s", applied)
	}
	eventually(t, time.Minute, "the role", func() error { return computer.Kubectl(t, "get", "namespaces").failure() })

	status := computer.Plugin(t, "status", "--server")
	seen := ParseUserInfo(t, computer.WhoAmI(t))
	assertContains(t, status.Stdout, "username: "+seen.Username+"\n", "oidc:"+dex.User.Group)

	// Again: nothing is to be written, and the cluster agrees.
	running = computer.StartPlugin(t, setup...)
	browser.Login(t, browser.AwaitURL(t, running), dex.User)
	if second := <-running; second.ExitCode != 0 || !strings.Contains(second.Stdout, "It sees the user "+seen.Username) ||
		!strings.Contains(second.Stdout, "has it all") || strings.Contains(second.Stdout, "  error ") {
		t.Errorf("setup, the second time: %s", second)
	}

	isExamined(t, computer, apiServer, printedBlock(t, first.Stdout, "Tell the API server"))

	if output := computer.Plugin(t, "logout"); output.ExitCode != 0 {
		t.Errorf("logout: %s", output)
	}
	if status := computer.Plugin(t, "status"); status.ExitCode != 3 {
		t.Errorf("status after a logout: %s", status)
	}
}

// printedBlock is what setup prints below a title, to be copied.
func printedBlock(t *testing.T, text, title string) string {
	t.Helper()
	match := regexp.MustCompile(`(?m)^` + title + `.*\n((?:    .*\n|\n)+)`).FindStringSubmatch(text)
	if match == nil {
		t.Fatalf("nothing is printed below %q:\n%s", title, text)
	}
	return regexp.MustCompile(`(?m)^    `).ReplaceAllString(match[1], "")
}
