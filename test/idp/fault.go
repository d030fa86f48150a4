package idp

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// fault is how an endpoint fails, whatever it is asked.
type fault struct {
	kind   faultKind
	answer answer // of fixedAnswer; of otherType its header
}

type faultKind int

const (
	noFault faultKind = iota
	fixedAnswer
	otherType
	hang
	reset
	resetAfter
)

// hugeSize is more than any client should be ready to read.
const hugeSize = 5 << 20

func (b *behaviour) setFault(endpoint Endpoint, value string) error {
	if !slices.Contains([]Endpoint{Discovery, Keys, Authorization, Token, UserInfo}, endpoint) {
		return errors.New("unknown endpoint")
	}
	fault, err := parseFault(value)
	if err != nil {
		return err
	}
	if strings.HasPrefix(value, "error=") && endpoint != Token {
		return errors.New("only the token endpoint answers with an OAuth error")
	}
	b.faults[endpoint] = fault
	return nil
}

func parseFault(value string) (fault, error) {
	switch value {
	case "null":
		return fault{}, nil
	case "hang":
		return fault{kind: hang}, nil
	case "reset":
		return fault{kind: reset}, nil
	case "reset-after":
		return fault{kind: resetAfter}, nil
	case "html":
		return fault{fixedAnswer, page(http.StatusOK, "Please accept the terms of this network.")}, nil
	case "text":
		return fault{kind: fixedAnswer, answer: textAnswer("Please come back later.")}, nil
	case "as-text":
		return fault{kind: otherType, answer: textAnswer("")}, nil
	case "garbage":
		truncated := answer{http.StatusOK, http.Header{"Content-Type": {"application/json"}}, []byte(`{"issuer":"htt`)}
		return fault{fixedAnswer, truncated}, nil
	case "huge":
		huge := map[string]string{"huge": strings.Repeat("x", hugeSize)}
		return fault{fixedAnswer, jsonAnswer(http.StatusOK, huge)}, nil
	}
	if code, found := strings.CutPrefix(value, "error="); found && code != "" {
		return fault{fixedAnswer, tokenError(failure{code, "the provider was told to fail"})}, nil
	}
	if location, found := strings.CutPrefix(value, "redirect="); found && location != "" {
		return fault{fixedAnswer, redirectAnswer(http.StatusFound, location)}, nil
	}
	return parseStatusFault(value)
}

// parseStatusFault understands "503", "503,retry-after=2" and "503,retry-after=2,error=CODE".
func parseStatusFault(value string) (fault, error) {
	options := strings.Split(value, ",")
	status, err := strconv.Atoi(options[0])
	if err != nil || status < 400 || status > 599 {
		return fault{}, errors.New("unknown fault")
	}
	failing := page(status, "The provider was told to fail.")
	for _, option := range options[1:] {
		switch name, text, _ := strings.Cut(option, "="); name {
		case "retry-after":
			failing.header.Set("Retry-After", text)
		case "error":
			failing.header.Set("Content-Type", "application/json")
			failing.body = tokenError(failure{text, "the provider was told to fail"}).body
		default:
			return fault{}, errors.New("unknown fault")
		}
	}
	return fault{kind: fixedAnswer, answer: failing}, nil
}
