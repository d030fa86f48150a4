package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// splitting is a vault over one whose items are small. A value that is too large for one item is split: its parts are
// named after its hash, and the item with the value's own name is written last and says which parts they are. So a
// write that was cut short is never taken for a value.
type splitting struct {
	items vault
	most  int // octets of one item; 0: any number
}

// splitHeader is the item that stands for a split value. The zero value is that of a value in one piece.
type splitHeader struct {
	Parts  int    `json:"parts"`
	SHA256 string `json:"sha256"` // of the whole value, in hex
}

const splitPrefix = "split:"

func (s *splitting) get(ctx context.Context, name string) ([]byte, error) {
	item, err := s.items.get(ctx, name)
	if err != nil {
		return nil, err
	}
	header := parseSplitHeader(item)
	if header.Parts == 0 {
		return item, nil
	}
	var value []byte
	for i := range header.Parts {
		part, err := s.items.get(ctx, header.partName(name, i))
		if err != nil && !errors.Is(err, token.ErrNotFound) {
			return nil, err
		}
		value = append(value, part...)
	}
	if hashOf(value) != header.SHA256 {
		return nil, token.ErrNotFound // parts are missing: nothing usable is there
	}
	return value, nil
}

func (s *splitting) set(ctx context.Context, name string, value []byte) error {
	item, _ := s.items.get(ctx, name)
	old := parseSplitHeader(item)
	if err := s.write(ctx, name, value, old); err != nil {
		return err
	}
	if old.sharesParts(hashOf(value)) {
		return nil
	}
	return s.removeParts(ctx, name, old)
}

func (s *splitting) write(ctx context.Context, name string, value []byte, old splitHeader) error {
	if s.most == 0 || len(value) <= s.most {
		return s.items.set(ctx, name, value)
	}
	parts := slices.Collect(slices.Chunk(value, s.most))
	header := splitHeader{Parts: len(parts), SHA256: hashOf(value)}
	err := s.writeParts(ctx, name, header, parts)
	if err != nil && !old.sharesParts(header.SHA256) {
		_ = s.removeParts(ctx, name, header) // nothing names them, so they would take up room for ever
	}
	return err
}

func (s *splitting) writeParts(ctx context.Context, name string, header splitHeader, parts [][]byte) error {
	for i, part := range parts {
		if err := s.items.set(ctx, header.partName(name, i), part); err != nil {
			return err
		}
	}
	return s.items.set(ctx, name, append([]byte(splitPrefix), mustEncode(header)...))
}

func (s *splitting) remove(ctx context.Context, name string) error {
	item, err := s.items.get(ctx, name)
	if errors.Is(err, token.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := s.items.remove(ctx, name); err != nil {
		return err
	}
	return s.removeParts(ctx, name, parseSplitHeader(item))
}

func (s *splitting) removeParts(ctx context.Context, name string, header splitHeader) error {
	for i := range header.Parts {
		if err := s.items.remove(ctx, header.partName(name, i)); err != nil {
			return err
		}
	}
	return nil
}

func parseSplitHeader(item []byte) splitHeader {
	text, ok := strings.CutPrefix(string(item), splitPrefix)
	if !ok {
		return splitHeader{}
	}
	const mostParts = 1000 // a bound for a header that somebody else wrote
	var header splitHeader
	if json.Unmarshal([]byte(text), &header) != nil || header.Parts < 0 || header.Parts >= mostParts {
		return splitHeader{}
	}
	return header
}

// sharesParts reports whether the parts of another value have the same names: names hold a part of the hash.
func (h splitHeader) sharesParts(hash string) bool {
	return h.partName("", 0) == splitHeader{SHA256: hash}.partName("", 0)
}

func (h splitHeader) partName(name string, index int) string {
	return fmt.Sprintf("%s/%.16s/%d", name, h.SHA256, index)
}

func hashOf(value []byte) string {
	sum := sha256.Sum256(value)
	return hex.EncodeToString(sum[:])
}
