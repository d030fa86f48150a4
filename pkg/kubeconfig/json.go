package kubeconfig

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// changeJSON makes of a JSON text another that says what is wanted. All values that stay keep their bytes, and new ones are
// laid out as those beside them.
func changeJSON(before []byte, wanted *yaml.Node) ([]byte, error) {
	if !isText(wanted) {
		return nil, errNoText
	}
	value := bytes.TrimSpace(before)
	start := bytes.Index(before, value)
	merged, err := jsonMerger{unit: jsonUnit(value)}.merge(value, "\n", wanted)
	if err != nil {
		return nil, err
	}
	after := slices.Concat(before[:start], merged, before[start+len(value):])
	got, err := parseNode(after)
	if err != nil || got == nil || !json.Valid(after) || !sameValue(got, wanted) {
		return nil, errUnsafe
	}
	return after, nil
}

// jsonUnit is what a text is indented by; nothing where it is all in one line.
func jsonUnit(object []byte) string {
	children, _, err := jsonChildren(object)
	if err != nil || len(children) == 0 {
		return "  "
	}
	_, unit, _ := cutLast(children[0].lead, "\n")
	return unit
}

// jsonChild is a member of an object, or an element of an array.
type jsonChild struct {
	lead  string // white space before it
	name  string // of a member, as it is read
	key   string // the name as it is written, and all up to the value
	value []byte
	tail  string // white space before the comma
}

// jsonChildren takes a container apart; end is the white space before its closing bracket.
func jsonChildren(container []byte) (children []jsonChild, end string, err error) {
	decoder := json.NewDecoder(bytes.NewReader(container))
	bracket, err := decoder.Token()
	if err != nil {
		return nil, "", err
	}
	done := decoder.InputOffset()
	for decoder.More() {
		var child jsonChild
		if bracket == json.Delim('{') {
			name, err := decoder.Token()
			if err != nil {
				return nil, "", err
			}
			child.name, _ = name.(string)
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return nil, "", err
		}
		child.value = value
		between := string(container[done : decoder.InputOffset()-int64(len(value))])
		if last := len(children) - 1; last >= 0 {
			children[last].tail, between, _ = strings.Cut(between, ",")
		}
		child.key = strings.TrimLeft(between, " \t\r\n")
		child.lead = strings.TrimSuffix(between, child.key)
		children = append(children, child)
		done = decoder.InputOffset()
	}
	return children, string(container[done : len(container)-1]), nil
}

type jsonMerger struct{ unit string }

// merge writes a wanted value with the bytes of the old one, as far as they are the same. Lead is the white space before it.
func (m jsonMerger) merge(old []byte, lead string, wanted *yaml.Node) ([]byte, error) {
	if wanted.Kind == yaml.MappingNode && old[0] == '{' || wanted.Kind == yaml.SequenceNode && old[0] == '[' {
		return m.mergeContainer(old, lead, wanted)
	}
	fresh, err := jsonText(wanted)
	if err != nil {
		return nil, err
	}
	var one, other any
	if json.Unmarshal(old, &one) == nil && json.Unmarshal(fresh, &other) == nil && reflect.DeepEqual(one, other) {
		return old, nil
	}
	return m.layOut(fresh, lead), nil
}

func (m jsonMerger) mergeContainer(old []byte, lead string, wanted *yaml.Node) ([]byte, error) {
	children, end, err := jsonChildren(old)
	if err != nil {
		return nil, err
	}
	var kept []jsonChild
	isMapping := wanted.Kind == yaml.MappingNode
	for i, child := range children {
		value := member(wanted, child.name)
		if !isMapping && i < len(wanted.Content) {
			value = wanted.Content[i]
		}
		if value == nil {
			continue
		}
		if child.value, err = m.merge(child.value, child.lead, value); err != nil {
			return nil, err
		}
		kept = append(kept, child)
	}
	added, err := m.added(children, lead, wanted)
	if err != nil {
		return nil, err
	}
	kept = append(kept, added...)
	if len(children) == 0 && len(kept) > 0 && m.isMultiline(lead) {
		end = lineStart(lead)
	}
	return joinJSON(old[0], kept, end, old[len(old)-1]), nil
}

// added are the children that the container has not yet.
func (m jsonMerger) added(children []jsonChild, lead string, wanted *yaml.Node) ([]jsonChild, error) {
	inner := ""
	switch {
	case len(children) > 0:
		inner = children[len(children)-1].lead
	case m.isMultiline(lead):
		inner = lineStart(lead) + m.unit
	}
	var added []jsonChild
	add := func(key string, value *yaml.Node) error {
		fresh, err := jsonText(value)
		if err == nil {
			added = append(added, jsonChild{lead: inner, key: key, value: m.layOut(fresh, inner)})
		}
		return err
	}
	if wanted.Kind == yaml.SequenceNode {
		for _, value := range wanted.Content[min(len(children), len(wanted.Content)):] {
			if err := add("", value); err != nil {
				return nil, err
			}
		}
		return added, nil
	}
	colon := ":"
	if m.isMultiline(inner) {
		colon = ": "
	}
	for i := 0; i+1 < len(wanted.Content); i += 2 {
		name := wanted.Content[i].Value
		if slices.ContainsFunc(children, func(child jsonChild) bool { return child.name == name }) {
			continue
		}
		if err := add(jsonString(name)+colon, wanted.Content[i+1]); err != nil {
			return nil, err
		}
	}
	return added, nil
}

func (m jsonMerger) isMultiline(lead string) bool {
	return m.unit != "" && strings.Contains(lead, "\n")
}

// lineStart is a line's end and what the next line begins with.
func lineStart(lead string) string {
	before, indent, _ := cutLast(lead, "\n")
	if strings.HasSuffix(before, "\r") {
		return "\r\n" + indent
	}
	return "\n" + indent
}

// layOut writes a new value over as many lines as it needs, where the text is written so.
func (m jsonMerger) layOut(compact []byte, lead string) []byte {
	if !m.isMultiline(lead) {
		return compact
	}
	_, indent, _ := cutLast(lead, "\n")
	var laidOut bytes.Buffer
	if err := json.Indent(&laidOut, compact, indent, m.unit); err != nil {
		return compact
	}
	return bytes.ReplaceAll(laidOut.Bytes(), []byte("\n"), []byte(strings.TrimSuffix(lineStart(lead), indent)))
}

func joinJSON(opening byte, children []jsonChild, end string, closing byte) []byte {
	text := bytes.NewBuffer([]byte{opening})
	for i, child := range children {
		if i > 0 {
			text.WriteByte(',')
		}
		text.WriteString(child.lead + child.key)
		text.Write(child.value)
		text.WriteString(child.tail)
	}
	text.WriteString(end)
	text.WriteByte(closing)
	return text.Bytes()
}

func cutLast(text, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(text, separator); i >= 0 {
		return text[:i], text[i+len(separator):], true
	}
	return text, "", false
}

// jsonText writes a node in one line.
func jsonText(node *yaml.Node) ([]byte, error) {
	switch {
	case node.Kind == yaml.MappingNode:
		return jsonContainer('{', node, 2, '}')
	case node.Kind == yaml.SequenceNode:
		return jsonContainer('[', node, 1, ']')
	case node.Kind == yaml.ScalarNode && node.Tag == "!!str":
		return []byte(jsonString(node.Value)), nil
	case node.Kind == yaml.ScalarNode && json.Valid([]byte(node.Value)):
		return []byte(node.Value), nil
	}
	return nil, errUnsafe
}

func jsonContainer(opening byte, node *yaml.Node, step int, closing byte) ([]byte, error) {
	var children []jsonChild
	for i := step - 1; i < len(node.Content); i += step {
		child := jsonChild{}
		if step == 2 {
			child.key = jsonString(node.Content[i-1].Value) + ":"
		}
		var err error
		if child.value, err = jsonText(node.Content[i]); err != nil {
			return nil, err
		}
		children = append(children, child)
	}
	return joinJSON(opening, children, "", closing), nil
}

// jsonString also escapes what JSON leaves as it is and YAML does not take, since kubectl reads all kubeconfigs as YAML
// (https://yaml.org/spec/1.2.2/#51-character-set).
func jsonString(value string) string {
	var encoded strings.Builder
	encoder := json.NewEncoder(&encoded)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // into memory
	var text strings.Builder
	for _, r := range strings.TrimSuffix(encoded.String(), "\n") {
		if r >= 0x7f && r < 0xa0 || r == 0xfeff || r == 0xfffe || r == 0xffff {
			fmt.Fprintf(&text, `\u%04x`, r)
		} else {
			text.WriteRune(r)
		}
	}
	return text.String()
}
