package plugin

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/pkg/apis/clientauthentication"
	"k8s.io/client-go/pkg/apis/clientauthentication/install"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

func TestReadRequest(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "EXC-02", "EXC-03", "EXC-05")
	for name, test := range map[string]struct {
		execInfo string
		want     Request
		err      string
	}{
		"run by hand": {"", Request{APIVersion: "client.authentication.k8s.io/v1"}, ""},
		"v1": {
			`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{"interactive":true}}`,
			Request{APIVersion: "client.authentication.k8s.io/v1", Interactive: true}, "",
		},
		"v1beta1 with a cluster and members of later releases": {
			`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","new":1,"spec":{"new":1,
			  "interactive":false,"cluster":{"server":"https://c.example","certificate-authority-data":"AAAA","config":{"a":1}}}}`,
			Request{APIVersion: "client.authentication.k8s.io/v1beta1", Server: "https://c.example"}, "",
		},
		"broken":      {`{`, Request{}, "KUBERNETES_EXEC_INFO is not a JSON object"},
		"not object":  {`[]`, Request{}, "KUBERNETES_EXEC_INFO is not a JSON object"},
		"wrong types": {`{"kind":1}`, Request{}, "KUBERNETES_EXEC_INFO is not a JSON object"},
		"other kind":  {`{"kind":"Pod","apiVersion":"client.authentication.k8s.io/v1"}`, Request{}, `expected kind "ExecCredential", got "Pod"`},
		"gone version": {
			`{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1alpha1"}`, Request{},
			`expected apiVersion "client.authentication.k8s.io/v1" or "client.authentication.k8s.io/v1beta1", got "client.authentication.k8s.io/v1alpha1"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ReadRequest(test.execInfo)
			if got != test.want {
				t.Errorf("expected %+v, got %+v", test.want, got)
			}
			if test.err == "" != (err == nil) || err != nil && !strings.Contains(err.Error(), test.err) {
				t.Errorf("expected error %q, got %v", test.err, err)
			}
		})
	}
}

// The answer is one line of JSON in the version of the request, and client-go reads it the way kubectl does.
func TestWriteCredential(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "EXC-02", "EXC-06")
	expiry := time.Date(2030, 1, 2, 3, 4, 5, 999, time.FixedZone("", 3600))
	for _, version := range []string{"v1", "v1beta1"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			request := Request{APIVersion: "client.authentication.k8s.io/" + version, Interactive: true}
			if err := WriteCredential(&out, request, "the.id.token", expiry); err != nil {
				t.Fatal(err)
			}
			want := `{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/` + version + `","spec":{"interactive":true},` +
				`"status":{"expirationTimestamp":"2030-01-02T02:04:05Z","token":"the.id.token"}}` + "\n"
			if out.String() != want {
				t.Errorf("expected %s\ngot %s", want, out.String())
			}
			decoded := decodeAsKubectl(t, out.Bytes())
			if decoded.Status.Token != "the.id.token" || decoded.Status.ExpirationTimestamp.Unix() != expiry.Unix() {
				t.Errorf("kubectl reads %+v", decoded.Status)
			}
		})
	}
}

func decodeAsKubectl(t *testing.T, text []byte) *clientauthentication.ExecCredential {
	t.Helper()
	scheme := runtime.NewScheme()
	install.Install(scheme)
	object, err := runtime.Decode(serializer.NewCodecFactory(scheme).UniversalDecoder(clientauthentication.SchemeGroupVersion), text)
	if err != nil {
		t.Fatal(err)
	}
	return object.(*clientauthentication.ExecCredential)
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

func TestWriteCredentialSaysWhyItFails(t *testing.T) {
	t.Parallel()
	err := WriteCredential(fullDisk{}, Request{APIVersion: "client.authentication.k8s.io/v1"}, "the.id.token", time.Now())
	if err == nil || err.Error() != "cannot write the credential to stdout: no space left on device" {
		t.Errorf("got %v", err)
	}
}
