package idp

import (
	"encoding/base64"
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
	times  int    // how many requests still fail; 0: all
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
	if !slices.Contains([]Endpoint{Discovery, Keys, Authorization, Token, UserInfo, Device, Revocation, EndSession}, endpoint) {
		return errors.New("unknown endpoint")
	}
	value, number, limited := strings.Cut(value, ",times=")
	fault, err := parseFault(value)
	if err != nil {
		return err
	}
	if limited {
		if fault.times, err = strconv.Atoi(number); err != nil || fault.times < 1 {
			return errors.New("times must be a number above 0")
		}
	}
	if strings.HasPrefix(value, "error=") && !slices.Contains([]Endpoint{Token, Device, Revocation}, endpoint) {
		return errors.New("only the token, device authorization and revocation endpoints answer with an OAuth error")
	}
	if (value == "invalid-token" || value == "encrypted") && endpoint != UserInfo {
		return errors.New("only UserInfo answers so")
	}
	b.faults[endpoint] = fault
	return nil
}

// fault is how the next request fails.
func (b *behaviour) fault(endpoint Endpoint) fault {
	next := b.faults[endpoint]
	switch next.times {
	case 0: // all fail
	case 1:
		delete(b.faults, endpoint)
	default:
		rest := next
		rest.times--
		b.faults[endpoint] = rest
	}
	return next
}

func fixed(answer answer) fault { return fault{kind: fixedAnswer, answer: answer} }

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
		return fixed(page(http.StatusOK, "Please accept the terms of this network.")), nil
	case "text":
		return fixed(textAnswer("Please come back later.")), nil
	case "as-text":
		return fault{kind: otherType, answer: textAnswer("")}, nil
	case "garbage":
		truncated := answer{http.StatusOK, http.Header{"Content-Type": {"application/json"}}, []byte(`{"issuer":"htt`)}
		return fixed(truncated), nil
	case "huge":
		huge := map[string]string{"huge": strings.Repeat("x", hugeSize)}
		return fixed(jsonAnswer(http.StatusOK, huge)), nil
	case "invalid-token":
		return fixed(challenge(invalidToken)), nil
	case "encrypted":
		// https://www.rfc-editor.org/rfc/rfc7516#section-7.1
		header := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"RSA-OAEP-256","enc":"A128GCM"}`))
		return fixed(answer{http.StatusOK, http.Header{"Content-Type": {"application/jwt"}}, []byte(header + ".AA.AA.AA.AA")}), nil
	}
	if code, found := strings.CutPrefix(value, "error="); found && code != "" {
		return fixed(tokenError(failure{code, "the provider was told to fail"})), nil
	}
	if location, found := strings.CutPrefix(value, "redirect="); found && location != "" {
		return fixed(redirectAnswer(http.StatusFound, location)), nil
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
	return fixed(failing), nil
}
