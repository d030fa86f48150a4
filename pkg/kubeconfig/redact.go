package kubeconfig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// Redacted are both texts for people to compare, laid out as kubectl would. Only what is known to be harmless is in them: a
// member that is not known may be a secret, an argument of another program too, and a comment may be an old token.
func (w Written) Redacted() (before, after []byte, err error) {
	known := map[string]bool{}
	if before, err = redact(w.Before, func(secret string) string {
		known[secret] = true
		return "(not shown)"
	}); err != nil {
		return nil, nil, err
	}
	after, err = redact(w.After, func(secret string) string {
		if !known[secret] { // else a new secret would look like the old one
			return "(new, not shown)"
		}
		return "(not shown)"
	})
	return before, after, err
}

// redact writes what may be seen of a text, and for each secret what mark says. Nothing of the text itself is taken over.
func redact(text []byte, mark func(secret string) string) ([]byte, error) {
	root, err := parseNode(text)
	switch {
	case err != nil:
		return nil, harmless(err)
	case root == nil:
		return nil, nil
	}
	redacted := redactor{mark}.document(root)
	if !json.Valid(text) {
		return encode(redacted)
	}
	compact, err := jsonText(redacted)
	if err != nil {
		return nil, err
	}
	var laidOut bytes.Buffer
	err = json.Indent(&laidOut, compact, "", "  ")
	return append(laidOut.Bytes(), '\n'), err
}

// redactor makes nodes anew, so that only what it takes over is seen: no comments, anchors or tags.
type redactor struct {
	mark func(secret string) string
}

// redaction is how one place of a kubeconfig is made harmless.
type redaction func(*yaml.Node) *yaml.Node

func (r redactor) document(root *yaml.Node) *yaml.Node {
	return r.members(root, map[string]redaction{
		"apiVersion":      r.shown,
		"clusters":        r.each(r.named("cluster", r.cluster)),
		"contexts":        r.each(r.named("context", r.context)),
		"current-context": r.shown,
		"extensions":      r.hidden,
		"kind":            r.shown,
		"preferences":     r.hidden,
		"users":           r.each(r.named("user", r.user)),
	})
}

func (r redactor) named(name string, value redaction) redaction {
	return func(entry *yaml.Node) *yaml.Node {
		return r.members(entry, map[string]redaction{"name": r.shown, name: value})
	}
}

func (r redactor) cluster(node *yaml.Node) *yaml.Node {
	return r.members(node, map[string]redaction{
		"certificate-authority":      r.shown,
		"certificate-authority-data": r.shown,
		"disable-compression":        r.shown,
		"extensions":                 r.hidden,
		"insecure-skip-tls-verify":   r.shown,
		"proxy-url":                  r.shown,
		"server":                     r.shown,
		"tls-server-name":            r.shown,
	})
}

func (r redactor) context(node *yaml.Node) *yaml.Node {
	return r.members(node, map[string]redaction{
		"cluster": r.shown, "extensions": r.hidden, "namespace": r.shown, "user": r.shown,
	})
}

func (r redactor) user(node *yaml.Node) *yaml.Node {
	return r.members(node, map[string]redaction{
		"as":                      r.shown,
		"as-groups":               r.each(r.shown),
		"as-uid":                  r.shown,
		"as-user-extra":           r.hidden,
		"auth-provider":           r.authProvider,
		"client-certificate":      r.shown,
		"client-certificate-data": r.hidden, // the key may be in the same PEM file
		"client-key":              r.shown,
		"client-key-data":         r.hidden,
		"exec":                    r.exec,
		"extensions":              r.hidden,
		"password":                r.hidden,
		"token":                   r.hidden,
		"tokenFile":               r.shown,
		"username":                r.shown,
	})
}

func (r redactor) authProvider(node *yaml.Node) *yaml.Node {
	return r.members(node, map[string]redaction{"name": r.shown, "config": func(config *yaml.Node) *yaml.Node {
		return r.members(config, map[string]redaction{
			"access-token":                   r.hidden,
			"client-id":                      r.shown,
			"client-secret":                  r.hidden,
			"extra-scopes":                   r.shown,
			"id-token":                       r.hidden,
			"idp-certificate-authority":      r.shown,
			"idp-certificate-authority-data": r.shown,
			"idp-issuer-url":                 r.shown,
			"refresh-token":                  r.hidden,
		})
	}})
}

func (r redactor) exec(node *yaml.Node) *yaml.Node {
	return r.members(node, map[string]redaction{
		"apiVersion": r.shown,
		"args":       r.arguments(node),
		"command":    r.shown,
		"env": r.each(func(variable *yaml.Node) *yaml.Node {
			return r.members(variable, map[string]redaction{"name": r.shown, "value": r.hidden})
		}),
		"installHint":        r.shown,
		"interactiveMode":    r.shown,
		"provideClusterInfo": r.shown,
	})
}

// members redacts each member by its name, and the name too where it is not known: a slip such as "token:abc" makes one.
func (r redactor) members(node *yaml.Node, known map[string]redaction) *yaml.Node {
	if node.Kind != yaml.MappingNode || node.Anchor != "" {
		return r.hidden(node)
	}
	redacted := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Style: node.Style & yaml.FlowStyle}
	for i := 0; i+1 < len(node.Content); i += 2 {
		name, value := node.Content[i], node.Content[i+1]
		if redact := known[name.Value]; redact != nil && name.Kind == yaml.ScalarNode {
			redacted.Content = append(redacted.Content, r.shown(name), redact(value))
			continue
		}
		redacted.Content = append(redacted.Content, r.hidden(name), r.hidden(value))
	}
	return redacted
}

func (r redactor) each(redact redaction) redaction {
	return func(node *yaml.Node) *yaml.Node {
		if node.Kind != yaml.SequenceNode || node.Anchor != "" {
			return r.hidden(node)
		}
		redacted := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Style: node.Style & yaml.FlowStyle}
		for _, child := range node.Content {
			redacted.Content = append(redacted.Content, redact(child))
		}
		return redacted
	}
}

// shown takes over a plain value. What has an anchor may also be the value of a secret.
func (r redactor) shown(node *yaml.Node) *yaml.Node {
	isValue := slices.Contains([]string{"!!str", "!!bool", "!!int", "!!float", "!!null"}, node.Tag)
	if node.Kind != yaml.ScalarNode || node.Anchor != "" || !isValue || hasPassword(node.Value) {
		return r.hidden(node)
	}
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: node.Tag, Style: node.Style &^ yaml.TaggedStyle, Value: node.Value}
}

// hasPassword finds the user information of a URL (https://www.rfc-editor.org/rfc/rfc3986#section-3.2.1).
func hasPassword(value string) bool {
	_, rest, isURL := strings.Cut(value, "://")
	return isURL && strings.Contains(rest, "@")
}

// hidden leaves of a value only whether there is one.
func (r redactor) hidden(node *yaml.Node) *yaml.Node {
	switch isEmpty := len(node.Content) == 0 && node.Value == ""; {
	case isNull(node):
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null", Value: "null"}
	case isEmpty && node.Kind == yaml.MappingNode, isEmpty && node.Kind == yaml.SequenceNode:
		return &yaml.Node{Kind: node.Kind, Style: yaml.FlowStyle}
	case isEmpty:
		return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Style: yaml.DoubleQuotedStyle}
	}
	return r.marked("", fingerprint(node))
}

// marked is a text of which the end is hidden.
func (r redactor) marked(start, secret string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: start + r.mark(secret)}
}

// fingerprint tells values apart.
func fingerprint(node *yaml.Node) string {
	text := fmt.Sprintf("%d %q", node.Kind, node.Value)
	for _, child := range node.Content {
		text += " (" + fingerprint(child) + ")"
	}
	return text
}

// arguments redacts those of an exec. What another program's arguments mean is not known.
func (r redactor) arguments(exec *yaml.Node) redaction {
	var called Exec
	if command := member(exec, "command"); command != nil {
		called.Command = command.Value
	}
	if list := member(exec, "args"); list != nil {
		for _, argument := range list.Content {
			called.Args = append(called.Args, argument.Value)
		}
	}
	if _, ours := called.PluginArguments(); !ours {
		return r.each(r.hidden)
	}
	words := argumentRedactor{redactor: r}
	return r.each(words.next)
}

// argumentRedactor goes through the arguments of this plugin. It shows flags and their values, and no word between them.
type argumentRedactor struct {
	redactor
	previous argumentKind
}

type argumentKind int

const (
	word       argumentKind = iota
	flag                    // whose value may be the next word
	secretFlag              // the same, of a secret
)

func (a *argumentRedactor) next(argument *yaml.Node) *yaml.Node {
	previous := a.previous
	a.previous = word
	if previous == secretFlag || argument.Kind != yaml.ScalarNode || argument.Anchor != "" {
		return a.hidden(argument)
	}
	parts := regexp.MustCompile(`(?s)^--([A-Za-z0-9_-]+)(=.*)?$`).FindStringSubmatch(argument.Value)
	verbs := regexp.MustCompile(`^(?:oidc-login|get-token|-v=?[0-9]*)$`)
	switch isLong := parts != nil; {
	case isLong && IsSecretFlag(parts[1]) && len(parts[2]) > 1:
		return a.marked("--"+parts[1]+"=", parts[2])
	case isLong && IsSecretFlag(parts[1]):
		a.previous = secretFlag
		return a.shown(argument)
	case isLong && parts[2] == "":
		a.previous = flag
		return a.shown(argument)
	case isLong, previous == flag, verbs.MatchString(argument.Value):
		return a.shown(argument)
	}
	return a.hidden(argument)
}
