package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

// post sends a form to another endpoint than that for tokens, and returns a good answer's body. What and endpoint are
// nouns for errors.
func (p *Provider) post(ctx context.Context, what, endpoint, address string, authentication authentication,
	form url.Values) ([]byte, error) {
	answer, err := p.postForm(ctx, what, endpoint, address, authentication, form)
	if err != nil {
		return nil, err
	}
	if answer.readErr == nil && answer.status() == http.StatusOK && !answer.observed.html && answer.refusal.ErrorCode == "" {
		return answer.body, nil
	}
	return nil, p.endpointError(what, errors.Join(answer.refusal, answer.readErr), answer.observed)
}

// formAnswer is what came for a form, good or bad.
type formAnswer struct {
	observed *observer
	body     []byte
	readErr  error                 // why body is not all of it
	refusal  *oauth2.RetrieveError // what it says as an OAuth error
}

func (a formAnswer) status() int { return a.observed.status }

// postForm sends a form with the client's authentication. An error says that there is no answer.
func (p *Provider) postForm(ctx context.Context, what, endpoint, address string, authentication authentication,
	form url.Values) (formAnswer, error) {
	client, err := p.client()
	if err != nil {
		return formAnswer{}, err
	}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	authentication.sign(header, form, p.config.ClientID)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return formAnswer{}, fmt.Errorf("%s: %w", what, err)
	}
	request.Header = header
	observer := p.observe(client.Transport, endpoint)
	observed := *client
	observed.Transport = observer
	started := time.Now()
	response, err := observed.Do(request)
	p.config.Log.Info("asked the provider", "for", what, "status", observer.status, "took", time.Since(started))
	if err != nil {
		return formAnswer{}, p.endpointError(what, err, observer)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return formAnswer{observer, body, err, refusalIn(response, body)}, nil
}

// refusalIn reads an error answer as x/oauth2 does (https://www.rfc-editor.org/rfc/rfc6749#section-5.2).
func refusalIn(response *http.Response, body []byte) *oauth2.RetrieveError {
	refusal := &oauth2.RetrieveError{Response: response}
	var said struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &said) == nil {
		refusal.ErrorCode, refusal.ErrorDescription = said.Code, said.Description
	}
	return refusal
}
