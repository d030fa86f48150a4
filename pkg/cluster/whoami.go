package cluster

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// Identity is whom an API server sees behind a token.
type Identity struct {
	Username string              `json:"username"`
	UID      string              `json:"uid,omitempty"`
	Groups   []string            `json:"groups,omitempty"`
	Extra    map[string][]string `json:"extra,omitempty"`
}

// https://kubernetes.io/docs/reference/kubernetes-api/authentication-resources/self-subject-review-v1/
const (
	selfSubjectReviews       = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
	selfSubjectReviewRequest = `{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}`
)

// WhoAmI asks the API server whom it sees behind the token, as "kubectl auth whoami" does. A token that is not taken is
// an UnauthorizedError. No error has anything in it that the server wrote: that could be the token.
func WhoAmI(ctx context.Context, server Server, bearer token.Secret) (Identity, error) {
	if bearer.IsEmpty() { // the API server would answer for somebody anonymous
		return Identity{}, misused("there is no token to show to the API server")
	}
	address, err := server.address(selfSubjectReviews)
	if err != nil {
		return Identity{}, err
	}
	client, err := server.client()
	if err != nil {
		return Identity{}, err
	}
	defer client.CloseIdleConnections()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader([]byte(selfSubjectReviewRequest)))
	if err != nil {
		return Identity{}, misused("the API server's address cannot be asked")
	}
	request.Header.Set("Authorization", "Bearer "+bearer.Reveal())
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "application/json")
	request.Header.Set("User-Agent", server.UserAgent)
	response, err := client.Do(request)
	if err != nil {
		return Identity{}, unreachable(server.host(), err)
	}
	defer func() { _ = response.Body.Close() }()
	return readReview(server.host(), response)
}

func readReview(host string, response *http.Response) (Identity, error) {
	if err := judgeStatus(host, response); err != nil {
		return Identity{}, err
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody))
	if err != nil {
		return Identity{}, unreachable(host, err)
	}
	who, ok := parseReview(body)
	if !ok {
		what := "something else than whom it sees"
		if isHTML(response.Header) {
			what = "a web page instead of JSON"
		}
		return Identity{}, noAnswer(portalHint, "cannot ask %s: it answered with %s", untrusted.Printable(host), what)
	}
	return who, nil
}

// parseReview reads the status of a SelfSubjectReview.
func parseReview(body []byte) (Identity, bool) {
	var review struct {
		Kind   string `json:"kind"`
		Status struct {
			UserInfo Identity `json:"userInfo"`
		} `json:"status"`
	}
	if json.Unmarshal(body, &review) != nil || review.Kind != "SelfSubjectReview" {
		return Identity{}, false
	}
	who := review.Status.UserInfo.harmless()
	return who, who.Username != ""
}

func (i Identity) harmless() Identity {
	clean := Identity{Username: untrusted.Harmless(i.Username), UID: untrusted.Harmless(i.UID), Groups: harmlessList(i.Groups)}
	for name, values := range i.Extra {
		if clean.Extra == nil {
			clean.Extra = map[string][]string{}
		}
		clean.Extra[untrusted.Harmless(name)] = harmlessList(values)
	}
	return clean
}

func harmlessList(texts []string) []string {
	clean := slices.Clone(texts)
	for i, text := range clean {
		clean[i] = untrusted.Harmless(text)
	}
	return clean
}

const (
	anonymous  = "system:anonymous"
	passOnHint = "Look for what stands before the API server, and let it pass the Authorization header on."
)

// ErrUnauthorized says that the API server does not take the token. Explain says why.
var ErrUnauthorized = errors.New("the API server does not take the token (401 Unauthorized)")

// UnauthorizedError is ErrUnauthorized with the API server's clock, which may be why.
type UnauthorizedError struct {
	Clock time.Time // from the Date header; zero where there is none
}

// Error returns the cause.
func (e *UnauthorizedError) Error() string { return ErrUnauthorized.Error() }

// Unwrap makes it an ErrUnauthorized.
func (e *UnauthorizedError) Unwrap() error { return ErrUnauthorized }

// judgeStatus says what an answer without a review means.
func judgeStatus(host string, response *http.Response) error {
	answered := fmt.Sprintf("%s answered %d %s", untrusted.Printable(host), response.StatusCode, http.StatusText(response.StatusCode))
	switch status := response.StatusCode; {
	case status == http.StatusOK || status == http.StatusCreated:
		return nil
	case status == http.StatusUnauthorized:
		clock, _ := http.ParseTime(response.Header.Get("Date"))
		return &token.Error{Kind: token.Refused, Err: &UnauthorizedError{clock}}
	case status == http.StatusForbidden && isAnonymous(response.Body):
		return &token.Error{
			Err:  fmt.Errorf("%s: it sees nobody, so the token does not arrive", answered),
			Hint: []string{passOnHint},
		}
	case status == http.StatusForbidden:
		return &token.Error{
			Kind: token.Refused,
			Err:  fmt.Errorf("%s: it takes the token, but does not let this user ask who they are", answered),
			Hint: []string{"Everybody who is logged in may ask by the ClusterRoleBinding system:basic-user. Ask the cluster's administrator whether it was removed."},
		}
	case status == http.StatusNotFound:
		return &token.Error{
			Err: fmt.Errorf("%s: it cannot be asked whom it sees", answered),
			Hint: []string{"An API server older than Kubernetes 1.28 cannot be asked this way.",
				"If yours is newer, check the server's address, with its path, in the kubeconfig."},
		}
	case status >= 300 && status < 400:
		return noAnswer(portalHint, "cannot ask the API server: %s, and a token is sent nowhere else", answered)
	default:
		return noAnswer("Try again when the API server can be reached.", "cannot ask the API server: %s", answered)
	}
}

// isAnonymous reads whom a refusal is about (https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/).
// By default nobody but who is logged in may ask, so this is what comes of a token that is lost on its way.
func isAnonymous(body io.Reader) bool {
	text, err := io.ReadAll(io.LimitReader(body, maxBody))
	var status struct {
		Message string `json:"message"`
	}
	return err == nil && json.Unmarshal(text, &status) == nil && strings.Contains(status.Message, `User "`+anonymous+`"`)
}

func isHTML(header http.Header) bool {
	name, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	return name == "text/html" || name == "application/xhtml+xml"
}
