package e2e

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestREADME gets from nothing to pods by the README's own commands, each as it stands there: the names in them lead to the
// test's servers. An administrator does what setup prints.
func TestREADME(t *testing.T) {
	t.Parallel()
	ca := NewCertificateAuthority(t)
	internet := StartInternet(t, ca)
	internet.Add(t, gitHub, NewKrewIndex(t).GitHub(t))
	dex := StartDexAs(t, ca, "https://issuer.example.com")
	internet.Add(t, "issuer.example.com:443", ReverseProxy(t, ca, dex.Traffic.URL))
	apiServer := StartStrangeAPIServer(t, ca, internet.Variables()...)
	internet.Add(t, "cluster.example.com:6443", ReverseProxy(t, ca, apiServer.URL))
	browser := StartBrowserOn(t, ca, internet)
	computer := NewWorkstation(t, StartKeychain(t))
	computer.GetKrew(t)
	computer.Environment = append(internet.Variables(), "BROWSER="+browser.Command)
	writeFile(t, computer.Home+"/ca.pem", ca.PEM)

	install := readmeCommands(t, "Install")[0]
	expectSuccess(t, computer.SitDownAtDesk(t, "bash", "-ec", install).End(t))

	logIn := readmeCommands(t, "Log in")
	setup := computer.SitDownAtDesk(t, "bash", "-ec", logIn[0])
	browser.Login(t, <-browser.urls, dex.User)
	for _, answer := range []struct{ question, typed string }{
		{"which claim is the user name", ""},
		{"which claim has the groups", ""},
		{"yes or no", "yes"},
	} {
		setup.Asks(t, answer.question)
		setup.Types(t, answer.typed)
	}
	output := setup.End(t)
	expectSuccess(t, output)
	printed := strings.ReplaceAll(output.Stderr, "\r\n", "\n")

	admin := NewWorkstation(t, computer.keychain)
	apiServer.Authenticate(t, printedBlock(t, printed, "Tell the API server"))
	apiServer.fillRoleView(t, admin)
	bindingFile := admin.Home + "/binding.yaml"
	writeFile(t, bindingFile, printedBlock(t, printed, "Give "))
	expectSuccess(t, apiServer.Admin(t, admin, "apply", "--filename="+bindingFile))

	var pods Output
	eventually(t, 2*time.Minute, "the pods", func() error {
		pods = computer.SitDownAtDesk(t, "bash", "-ec", logIn[1]).End(t)
		return pods.failure()
	})
	assertContains(t, pods.Stderr, "No resources found in default namespace")

	everyDay := computer.SitDownAtDesk(t, "bash", "-ec", readmeCommands(t, "Every day")[0]).End(t)
	expectSuccess(t, everyDay)
	assertContains(t, everyDay.Stderr, "session", "username: oidc:", "removed from this machine")
	if opened := browser.Opened(); opened != 1 {
		t.Errorf("the browser was opened %d times, want 1", opened)
	}

	apiServer.runPods(t, admin)
	assertRecorded(t, computer, func() { browser.Login(t, <-browser.urls, dex.User) })
}

// The picture in the README is such a session; it must be what somebody would see today.
func assertRecorded(t *testing.T, computer *Workstation, logIn func()) {
	t.Helper()
	recording := &Recording{computer: computer}
	recording.Type(t, "kubectl get pods", logIn)
	recording.Type(t, "kubectl get pods", func() {})
	recording.Type(t, "kubectl oidc-login status", func() {})
	const file = "../../docs/images/session.svg"
	if *updateImages {
		writeFile(t, file, recording.SVG())
	}
	picture, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if now, then := recordedWords(recording.SVG()), recordedWords(string(picture)); now != then {
		t.Errorf("docs/images/session.svg is old; go test -run README . -update-images records it again. It has\n%s\nand now it is\n%s", then, now)
	}
}

// runPods puts pods into the cluster and, since it has no machines, says itself that they run.
func (a *APIServer) runPods(t *testing.T, admin *Workstation) {
	t.Helper()
	expectSuccess(t, a.Admin(t, admin, "create", "serviceaccount", "default"))
	for _, pod := range []string{"shop", "shop-database"} {
		expectSuccess(t, a.Admin(t, admin, "run", pod, "--image=registry.example.com/"+pod))
		expectSuccess(t, a.Admin(t, admin, "patch", "pod", pod, "--subresource=status", "--patch", `{"status":{"phase":"Running","containerStatuses":[`+
			`{"name":"`+pod+`","ready":true,"started":true,"restartCount":0,"image":"x","imageID":"x","state":{"running":{}}}]}}`))
	}
}

// readmeCommands are the blocks of commands in a part of the README.
func readmeCommands(t *testing.T, part string) []string {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(text), "\n## "+part+"\n")
	if !found {
		t.Fatalf("the README has no part %q", part)
	}
	body, _, _ := strings.Cut(after, "\n## ")
	var blocks []string
	for _, match := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(body, -1) {
		blocks = append(blocks, match[1])
	}
	return blocks
}

// Admin runs kubectl as the administrator of the cluster.
func (a *APIServer) Admin(t *testing.T, computer *Workstation, args ...string) Output {
	t.Helper()
	return computer.Kubectl(t, append([]string{"--server=" + a.URL, "--certificate-authority=" + a.CA.File, "--token=" + a.AdminToken}, args...)...)
}

// fillRoleView does what a controller manager, which is not here, does at once: the role view gets the rules of the roles that are
// made for it. https://kubernetes.io/docs/reference/access-authn-authz/rbac/#aggregated-clusterroles
func (a *APIServer) fillRoleView(t *testing.T, admin *Workstation) {
	t.Helper()
	output := a.Admin(t, admin, "get", "clusterrole", "system:aggregate-to-view", "--output=json")
	expectSuccess(t, output)
	var role struct {
		Rules []any `json:"rules"`
	}
	if err := json.Unmarshal([]byte(output.Stdout), &role); err != nil {
		t.Fatal(err)
	}
	patch, err := json.Marshal(role)
	if err != nil {
		t.Fatal(err)
	}
	expectSuccess(t, a.Admin(t, admin, "patch", "clusterrole", "view", "--type=merge", "--patch="+string(patch)))
}
