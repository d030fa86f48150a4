package cli

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"sigs.k8s.io/yaml"
)

func TestToYAML(t *testing.T) {
	t.Parallel()
	got, err := toYAML([]byte(`{"loggedIn":true,"email":"alice@example.com","issuer":"https://op.example","on":"no","none":null,` +
		`"groups":["a","b c",["d"],{"e":1.50}],"session":{"place":"kernel keyring","empty":{},"list":[]},"":"\u001b\n"}`))
	const want = `loggedIn: true
email: alice@example.com
issuer: "https://op.example"
"on": "no"
none: null
groups:
  - a
  - "b c"
  -
    - d
  -
    e: 1.50
session:
  place: "kernel keyring"
  empty: {}
  list: []
"": "\x1b\n"
`
	if err != nil || string(got) != want {
		t.Errorf("expected\n%s\ngot %v\n%s", want, err, got)
	}
	if _, err := toYAML([]byte(`{"a":`)); err == nil {
		t.Error("broken JSON was taken")
	}
}

// Kubernetes reads the YAML as the JSON that it was made of.
func FuzzToYAML(f *testing.F) {
	for _, text := range []string{
		`{"sub":"alice","groups":["a",["b"],{"c":[]}],"n":1e30,"f":false,"z":null,"o":{}}`, `"scalar"`, `[]`, `7`, `[[[]]]`,
		`{"y":"n","<<":{"a":1},"- a":"# b","2001-01-01":"0x1f","a: b":"!x &y *z","~":"null","é":"\u0085\u2028\ufeff\u007f😀"}`,
		`{"` + strings.Repeat("long", 400) + `":{"a":["` + strings.Repeat("long ", 400) + `"]}}`, `{"a\nb":"c\n\n  d\t\\\"'"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var want any
		if json.Unmarshal(text, &want) != nil {
			return
		}
		normal, err := json.Marshal(want) // no member twice
		if err != nil {
			t.Fatal(err)
		}
		written, err := toYAML(normal)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsFunc(string(written), func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
			t.Errorf("a terminal would obey %q", written)
		}
		read, err := yaml.YAMLToJSON(written)
		var got any
		if err != nil || json.Unmarshal(read, &got) != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("expected %s\nwrote %s\nread %s, %v", normal, written, read, err)
		}
	})
}
