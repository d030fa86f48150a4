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
	answer answer // of fixedAnswer
}

type faultKind int

const (
	noFault faultKind = iota
	fixedAnswer
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

// parseStatusFault understands "503" and "503,retry-after=2".
func parseStatusFault(value string) (fault, error) {
	number, option, _ := strings.Cut(value, ",")
	status, err := strconv.Atoi(number)
	if err != nil || status < 400 || status > 599 {
		return fault{}, errors.New("unknown fault")
	}
	answer := page(status, "The provider was told to fail.")
	if option != "" {
		delay, found := strings.CutPrefix(option, "retry-after=")
		if !found {
			return fault{}, errors.New("unknown fault")
		}
		answer.header.Set("Retry-After", delay)
	}
	return fault{fixedAnswer, answer}, nil
}
