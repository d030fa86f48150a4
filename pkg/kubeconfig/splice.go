package kubeconfig

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// errUnsafe says that a change would lose something.
var errUnsafe = errors.New("it cannot be changed without losing something of it")

// Apply makes the text of a file after the change. Only the lines of what changes are replaced. Whatever the text looks
// like, what comes out has the same members but for the change, and the same comments; else it is an error.
func (c Change) Apply(before []byte) ([]byte, error) {
	current := before
	for _, entry := range c.entries() {
		after, err := change(current, entry.apply, func(root *yaml.Node) *region { return entry.region(root) })
		if err != nil {
			return nil, err
		}
		current = after
	}
	if c.CurrentContext == "" {
		return current, nil
	}
	return change(current, func(root *yaml.Node) error {
		setMember(root, "current-context", text(c.CurrentContext))
		return nil
	}, func(root *yaml.Node) *region { return memberRegion(root, "current-context") })
}

// change replaces the region that edit changes.
func change(before []byte, edit func(root *yaml.Node) error, find func(root *yaml.Node) *region) ([]byte, error) {
	root, err := parseNode(before)
	if err != nil {
		return nil, err
	}
	wanted, err := parseNode(before)
	if err != nil {
		return nil, err
	}
	if wanted == nil {
		wanted = mapping("apiVersion", "v1", "kind", "Config")
	}
	if err := edit(wanted); err != nil {
		return nil, err
	}
	if root == nil {
		return begin(before, wanted)
	}
	if sameValue(root, wanted) {
		return before, nil
	}
	if json.Valid(before) {
		return changeJSON(before, wanted)
	}
	if spot := find(root); spot != nil {
		if after, err := spot.replace(before, spot.in(wanted)); err == nil && isFaithful(before, after, wanted) {
			return after, nil
		}
	}
	after, err := encode(wanted)
	if err != nil {
		return nil, err
	}
	if !isFaithful(before, after, wanted) {
		return nil, errUnsafe
	}
	return after, nil
}

// begin fills a file that has nothing in it, but comments perhaps.
func begin(before []byte, wanted *yaml.Node) ([]byte, error) {
	text, err := encode(wanted)
	if err != nil {
		return nil, err
	}
	after := append(endLine(before), text...)
	if !isFaithful(before, after, wanted) {
		after = text
	}
	if !isFaithful(before, after, wanted) {
		return nil, errUnsafe
	}
	return after, nil
}

// isFaithful reports whether a text says what is wanted, with all comments of the one before.
func isFaithful(before, after []byte, wanted *yaml.Node) bool {
	got, err := parseNode(after)
	if err != nil || got == nil || !sameValue(got, wanted) {
		return false
	}
	left := commentsOf(after)
	for _, comment := range commentsOf(before) {
		index := slices.Index(left, comment)
		if index < 0 {
			return false
		}
		left = slices.Delete(left, index, index+1)
	}
	return true
}

// commentsOf are the lines that are comments. Some may be lines of a text, which does no harm.
func commentsOf(text []byte) []string {
	var comments []string
	for line := range strings.Lines(string(text)) {
		if _, comment, found := strings.Cut(line, "#"); found {
			comments = append(comments, strings.TrimSpace(comment))
		}
	}
	return comments
}

// sameValue compares what programs read.
func sameValue(one, other *yaml.Node) bool {
	var values [2]any
	for i, node := range []*yaml.Node{one, other} {
		text, err := encode(node)
		if err != nil || yaml.Unmarshal(text, &values[i]) != nil {
			return false
		}
	}
	return reflect.DeepEqual(values[0], values[1])
}

// region is where something of a file stands: an entry of a list, or a member of the top level.
type region struct {
	key    string     // of the member of the top level
	entry  string     // the entry's name; empty: it is the member
	node   *yaml.Node // what stands there; nil: nothing yet
	name   *yaml.Node // of the member; nil: it is an entry, or nothing
	parent *yaml.Node // whose lines the region is among
	inList *region    // of an entry: the member that is its list
}

// region is that of the entry, or of its list where that has no such entry or cannot be extended.
func (e entry) region(root *yaml.Node) *region {
	list := memberRegion(root, e.list)
	if list == nil || list.node == nil || list.node.Kind != yaml.SequenceNode || list.node.Style&yaml.FlowStyle != 0 {
		return list
	}
	return entryRegion(list, e.name)
}

func entryRegion(list *region, name string) *region {
	return &region{key: list.key, entry: name, node: named(list.node, name), parent: list.node, inList: list}
}

// in is what stands in the same place of another file.
func (r *region) in(root *yaml.Node) *region {
	member := memberRegion(root, r.key)
	if r.entry == "" {
		return member
	}
	return entryRegion(member, r.entry)
}

func memberRegion(root *yaml.Node, name string) *region {
	if root.Style&yaml.FlowStyle != 0 {
		return nil
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value == name {
			return &region{key: name, node: root.Content[i+1], name: root.Content[i], parent: root}
		}
	}
	return &region{key: name, parent: root}
}

// lines are the region's first line and the one after its last, from 0. With nothing there they are where it belongs.
func (r *region) lines(all []string) (first, end int) {
	switch {
	case r.node == nil && r.inList != nil:
		_, end = r.inList.lines(all)
		return end, end
	case r.node == nil:
		end = lastContent(all, 0, len(all))
		return end, end
	case r.name != nil:
		first = r.name.Line - 1
	default:
		first = r.node.Line - 1
	}
	return first, lastContent(all, first, r.next(len(all)))
}

// next is the line of whatever comes after the region.
func (r *region) next(end int) int {
	after := func(nodes []*yaml.Node, one *yaml.Node, step int) int {
		if index := slices.Index(nodes, one); index >= 0 && index+step < len(nodes) {
			return nodes[index+step].Line - 1
		}
		return end
	}
	if r.name != nil {
		return after(r.parent.Content, r.name, 2)
	}
	end = r.inList.next(end)
	return after(r.parent.Content, r.node, 1)
}

// lastContent leaves out blank lines and comments at the end, which belong to what follows, or to nobody.
func lastContent(all []string, first, end int) int {
	for end > first {
		line := strings.TrimSpace(all[end-1])
		if line != "" && !strings.HasPrefix(line, "#") && line != "..." {
			break
		}
		end--
	}
	return end
}

// replace puts the wanted thing there.
func (r *region) replace(before []byte, wanted *region) ([]byte, error) {
	all := slices.Collect(strings.Lines(string(before)))
	first, end := r.lines(all)
	if first > end || end > len(all) {
		return nil, errUnsafe
	}
	text, err := wanted.encode(r.indent(all, first))
	if err != nil {
		return nil, err
	}
	lineEnd := "\n"
	if len(all) > 0 && strings.HasSuffix(all[0], "\r\n") {
		lineEnd = "\r\n"
	}
	var after bytes.Buffer
	after.Write(endLine([]byte(strings.Join(all[:first], ""))))
	after.WriteString(strings.ReplaceAll(text, "\n", lineEnd))
	after.WriteString(strings.Join(all[end:], ""))
	return after.Bytes(), nil
}

// indent is what lines of the region begin with.
func (r *region) indent(all []string, first int) string {
	sample := first
	switch {
	case r.inList == nil:
		return ""
	case r.node == nil && len(r.parent.Content) > 0:
		sample = r.parent.Content[0].Line - 1
	}
	if sample >= len(all) {
		return ""
	}
	return all[sample][:len(all[sample])-len(strings.TrimLeft(all[sample], " "))]
}

// encode writes what stands there as lines. Comments before and after it are not part of the region.
func (r *region) encode(indent string) (string, error) {
	var node *yaml.Node
	if r.name != nil {
		key, value := *r.name, *r.node
		node = &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{&key, &value}}
		bare(node)
	} else {
		entry := *r.node
		node = &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{&entry}}
		bare(node)
	}
	encoded, err := encode(node)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	for line := range strings.Lines(string(encoded)) {
		if strings.TrimSpace(line) != "" {
			text.WriteString(indent)
		}
		text.WriteString(line)
	}
	return text.String(), nil
}

// bare takes off the comments that stand before the first and after the last line of a node.
func bare(node *yaml.Node) {
	for first := node; first != nil; first = firstOf(first) {
		first.HeadComment = ""
	}
	for last := node; last != nil; last = lastOf(last) {
		last.FootComment = ""
		if n := len(last.Content); last.Kind == yaml.MappingNode && n > 0 {
			last.Content[n-2].FootComment = ""
		}
	}
}

func firstOf(node *yaml.Node) *yaml.Node {
	if len(node.Content) == 0 {
		return nil
	}
	return node.Content[0]
}

func lastOf(node *yaml.Node) *yaml.Node {
	if len(node.Content) == 0 {
		return nil
	}
	return node.Content[len(node.Content)-1]
}

func endLine(text []byte) []byte {
	if len(text) > 0 && text[len(text)-1] != '\n' {
		return append(slices.Clone(text), '\n')
	}
	return slices.Clone(text)
}
