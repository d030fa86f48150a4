package kubeconfig

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// parseNode returns the mapping of a file, nil where it is empty.
func parseNode(text []byte) (*yaml.Node, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document, another yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, err
	}
	if err := decoder.Decode(&another); !errors.Is(err, io.EOF) {
		return nil, cmp.Or(err, errors.New("it has more than one YAML document"))
	}
	if len(document.Content) == 0 {
		return nil, nil
	}
	root := document.Content[0]
	switch {
	case isNull(root):
		return nil, nil
	case root.Kind != yaml.MappingNode:
		return nil, errors.New("it is no kubeconfig: at its top level are no members")
	}
	return root, nil
}

func isNull(node *yaml.Node) bool { return node.Kind == yaml.ScalarNode && node.Tag == "!!null" }

// member finds the value of a mapping's member, or nil.
func member(mapping *yaml.Node, name string) *yaml.Node {
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == name {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// setMember replaces the value of a mapping's member, or adds it at the end. Comments in the old value end up above it.
func setMember(mapping *yaml.Node, name string, value *yaml.Node) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, old := mapping.Content[i], mapping.Content[i+1]
		switch {
		case key.Value != name:
			continue
		case sameValue(old, value):
			return
		case old.Kind == yaml.ScalarNode && value.Kind == yaml.ScalarNode:
			value.HeadComment, value.LineComment, value.FootComment = old.HeadComment, old.LineComment, old.FootComment
		default:
			key.HeadComment = joinComments(append([]string{key.HeadComment}, commentsIn(old)...)...)
		}
		mapping.Content[i+1] = value
		return
	}
	mapping.Content = append(mapping.Content, text(name), value)
}

// removeMember takes a member away, and leaves its comments to its neighbour.
func removeMember(mapping *yaml.Node, name string) {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value != name {
			continue
		}
		comments := append(commentsIn(mapping.Content[i]), commentsIn(mapping.Content[i+1])...)
		mapping.Content = slices.Delete(mapping.Content, i, i+2)
		switch {
		case i < len(mapping.Content):
			next := mapping.Content[i]
			next.HeadComment = joinComments(append(comments, next.HeadComment)...)
		case i > 0:
			last := mapping.Content[i-2]
			last.HeadComment = joinComments(append([]string{last.HeadComment}, comments...)...)
		}
		return
	}
}

// commentsIn are those of a node and all below it.
func commentsIn(node *yaml.Node) []string {
	comments := []string{node.HeadComment, node.LineComment}
	for _, child := range node.Content {
		comments = append(comments, commentsIn(child)...)
	}
	return append(comments, node.FootComment)
}

func joinComments(comments ...string) string {
	return strings.Join(slices.DeleteFunc(comments, func(comment string) bool { return comment == "" }), "\n")
}

// named finds the entry of a list by its name, or nil.
func named(list *yaml.Node, name string) *yaml.Node {
	if list == nil || list.Kind != yaml.SequenceNode {
		return nil
	}
	for _, entry := range list.Content {
		if found := member(entry, "name"); found != nil && found.Value == name {
			return entry
		}
	}
	return nil
}

// text makes a scalar that every YAML reads as a text: kubectl's follows YAML 1.1, where a plain "on" is none.
func text(value string) *yaml.Node {
	node := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: value}
	if !isPlain(value) {
		node.Style = yaml.DoubleQuotedStyle
	}
	return node
}

func isPlain(value string) bool {
	letter := func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }
	other := func(r rune) bool { return r >= '0' && r <= '9' || strings.ContainsRune("-_./=+@%", r) }
	for i, r := range value {
		switch {
		case letter(r) || i > 0 && other(r) || i == 0 && (r == '/' || r == '-' && strings.HasPrefix(value, "--")):
		case r == ':' && i > 0 && i < len(value)-1: // a space after it would make a member of it, and there is none
		default:
			return false
		}
	}
	words := []string{"", "y", "yes", "n", "no", "on", "off", "true", "false", "null", "--", "---"}
	return !slices.Contains(words, strings.ToLower(value))
}

// mapping makes a mapping of members in order; those without a value are left out.
func mapping(members ...any) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	for i := 0; i < len(members); i += 2 {
		var value *yaml.Node
		switch member := members[i+1].(type) {
		case string:
			if member != "" {
				value = text(member)
			}
		case bool:
			if member {
				value = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"}
			}
		case []string:
			if len(member) > 0 {
				value = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
				for _, one := range member {
					value.Content = append(value.Content, text(one))
				}
			}
		case *yaml.Node:
			value = member
		default:
			panic(fmt.Sprintf("a member of the type %T", member))
		}
		if value != nil {
			node.Content = append(node.Content, text(members[i].(string)), value)
		}
	}
	return node
}

// errNoText is for what YAML could only have as binary data, which kubectl does not read.
var errNoText = errors.New("it would get something that is not UTF-8")

// encode writes a node as kubectl would: two spaces, and lists that begin where their name does.
func encode(node *yaml.Node) ([]byte, error) {
	if !isText(node) {
		return nil, errNoText
	}
	return yaml.Dump(clone(node), yaml.WithV3Defaults(), yaml.WithIndent(2), yaml.WithCompactSeqIndent(true), yaml.WithLineWidth(-1))
}

// clone is for the library, which takes the tags off the nodes that it writes.
func clone(node *yaml.Node) *yaml.Node {
	copied := *node
	copied.Content = nil
	for _, child := range node.Content {
		copied.Content = append(copied.Content, clone(child))
	}
	return &copied
}

func isText(node *yaml.Node) bool {
	return utf8.ValidString(node.Value) && !slices.ContainsFunc(node.Content, func(child *yaml.Node) bool { return !isText(child) })
}
