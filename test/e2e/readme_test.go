package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestREADME gets from nothing to pods by the README's own commands, each as it stands there: the names in them lead to the
// test's servers. Whoever runs the cluster gives the API server what setup prints; a colleague takes the kubeconfig over.
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
	newComputer := func() *Workstation {
		computer := NewWorkstation(t, StartKeychain(t))
		computer.Environment = append(internet.Variables(), "BROWSER="+browser.Command)
		writeFile(t, computer.Home+"/ca.pem", ca.PEM)
		return computer
	}
	computer := newComputer()
	computer.GetKrew(t)
	typeInTerminal(t, computer, readmeCommands(t, "Install")[1])

	logIn := readmeCommands(t, "Log in")
	setup := computer.SitDownAtDesk(t, "bash", "-ec", logIn[1])
	browser.Login(t, browser.AwaitURL(t, setup.Outcome()), dex.User)
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
	assertContains(t, printed, "does not take the token")

	admin := NewWorkstation(t, computer.keychain)
	apiServer.Authenticate(t, printedBlock(t, printed, "Tell the API server"))
	apiServer.fillRoleView(t, admin)
	bindingFile := admin.Home + "/binding.yaml"
	writeFile(t, bindingFile, printedBlock(t, printed, "Give "))
	expectSuccess(t, apiServer.Admin(t, admin, "apply", "--filename="+bindingFile))

	var pods Output
	eventually(t, 2*time.Minute, "the pods", func() error {
		pods = computer.SitDownAtDesk(t, "bash", "-ec", logIn[2]).End(t)
		return pods.failure()
	})
	assertContains(t, pods.Stderr, "username: oidc:", "No resources found in default namespace")

	typeInTerminal(t, computer, readmeCommands(t, "For a whole team")[0])
	everyDay := typeInTerminal(t, computer, readmeCommands(t, "Every day")[0])
	assertContains(t, everyDay.Stderr, "session", "username: oidc:", "removed from this machine")
	if opened := browser.Opened(); opened != 1 {
		t.Errorf("the browser was opened %d times, want 1", opened)
	}

	colleague := newComputer()
	colleague.GetKubectl(t)
	colleague.GetGo(t)
	typeInTerminal(t, colleague, readmeCommands(t, "Install")[0])
	copyFile(t, colleague.Home+"/kubeconfig.yaml", computer.Home+"/kubeconfig.yaml")
	takesOver := colleague.SitDownAtDesk(t, "bash", "-ec", logIn[0])
	takesOver.Asks(t, "yes or no")
	takesOver.Types(t, "yes")
	browser.Login(t, browser.AwaitURL(t, takesOver.Outcome()), dex.User)
	pods = takesOver.End(t)
	expectSuccess(t, pods)
	assertContains(t, pods.Stderr, "No resources found in default namespace")

	apiServer.runPods(t, admin)
	assertRecorded(t, computer, func() { browser.Login(t, browser.AwaitURL(t, nil), dex.User) })
}

// typeInTerminal runs commands that end by themselves, and well.
func typeInTerminal(t *testing.T, computer *Workstation, commands string) Output {
	t.Helper()
	output := computer.SitDownAtDesk(t, "bash", "-ec", commands).EndWithin(t, 10*time.Minute) // it may build the program
	expectSuccess(t, output)
	return output
}

func copyFile(t *testing.T, to, from string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, string(text))
}

// GetGo puts Go into PATH, with the modules that this machine has, and no way to others.
func (w *Workstation) GetGo(t *testing.T) {
	t.Helper()
	text, err := exec.Command("go", "env", "GOROOT", "GOMODCACHE", "GOCACHE").Output()
	if err != nil {
		t.Fatal(err)
	}
	paths := strings.Fields(string(text))
	w.Path = filepath.Join(w.Home, ".local", "bin") + ":" + filepath.Join(paths[0], "bin") + ":" + w.Path
	w.Environment = append(w.Environment, "GOMODCACHE="+paths[1], "GOCACHE="+paths[2], "GOPROXY=off", "GOTOOLCHAIN=local")
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
