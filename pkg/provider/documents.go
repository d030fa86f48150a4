package provider

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// The provider's word on how long a document may be kept counts within these bounds. A key that is missing from a
	// kept set is asked for at once, so a long time does no harm; a short one would cost requests.
	minDocumentAge     = 5 * time.Minute
	maxDocumentAge     = 24 * time.Hour
	defaultDocumentAge = time.Hour // where the provider says nothing
)

// document is the provider's metadata or key set, as it is kept between processes.
type document struct {
	Fetched int64           `json:"fetched"` // Unix seconds
	Until   int64           `json:"until"`   // Unix seconds
	Body    json.RawMessage `json:"body"`
}

// readDocument reads one of the provider's documents: the kept one if it is fresh enough and fresh is not asked for, else the
// one that the provider answers with, which is kept if it can be read. Cached tells which.
func readDocument[T any](ctx context.Context, p *Provider, address, what string, fresh bool,
	read func([]byte) (T, error)) (content T, cached bool, err error) {
	if body := p.kept(address); body != nil && !fresh {
		if content, err := read(body); err == nil {
			return content, true, nil
		}
	}
	body, header, err := p.get(ctx, address, what)
	if err != nil {
		return content, false, err
	}
	if content, err = read(body); err == nil {
		p.keep(address, body, documentAge(header))
	}
	return content, false, err
}

func (p *Provider) kept(address string) []byte {
	if p.config.LoadDocument == nil {
		return nil
	}
	var kept document
	if json.Unmarshal(p.config.LoadDocument(p.documentName(address)), &kept) != nil {
		return nil
	}
	now := p.config.Now().Unix()
	if now < kept.Fetched || now >= kept.Until {
		return nil
	}
	return kept.Body
}

func (p *Provider) keep(address string, body []byte, age time.Duration) {
	if p.config.SaveDocument == nil {
		return
	}
	now := p.config.Now()
	if text, err := json.Marshal(document{now.Unix(), now.Add(age).Unix(), body}); err == nil {
		p.config.SaveDocument(p.documentName(address), text)
	}
}

// documentName tells documents apart by address, and by whom we believed when we fetched them: what came without a
// verified certificate must not be used by a call that wants one.
func (p *Provider) documentName(address string) string {
	sum := sha256.Sum256([]byte(p.config.Trust + "\n" + address))
	return hex.EncodeToString(sum[:])
}

// documentAge reads max-age (https://www.rfc-editor.org/rfc/rfc9111#section-5.2.2.1).
func documentAge(header http.Header) time.Duration {
	age := defaultDocumentAge
	for directive := range strings.SplitSeq(header.Get("Cache-Control"), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		seconds, err := strconv.Atoi(strings.Trim(value, `"`))
		switch {
		case name == "no-store", name == "no-cache":
			return minDocumentAge
		case name == "max-age" && err == nil:
			age = time.Duration(min(seconds, int(maxDocumentAge.Seconds()))) * time.Second
		}
	}
	return min(max(age, minDocumentAge), maxDocumentAge)
}
