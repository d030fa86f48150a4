package provider

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/oauth2"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

const (
	// https://www.rfc-editor.org/rfc/rfc8628#section-3.5
	defaultPollInterval = 5 * time.Second
	slowDownStep        = 5 * time.Second
	// An honest provider names more; one that names nothing sensible is not to be flooded.
	minPollInterval = time.Second
	// Where the provider is not there, the wait doubles up to this.
	maxPollBackoff = time.Minute
	// Longer than anybody would wait for a person.
	maxDeviceLifetime = time.Hour
)

// Device is what a person needs to log in on another device. All of it is fit for a terminal.
type Device struct {
	UserCode string
	Address  string // where to enter the code
	Complete string // the same with the code in it; empty where the provider has none
	Until    time.Time
}

// deviceLogin is one attempt to log in on another device.
type deviceLogin struct {
	provider *Provider
	metadata *metadata
	code     token.Secret
	verifier string // empty without PKCE
	interval time.Duration
	shown    Device
}

// logInByDevice runs the device authorization grant (https://www.rfc-editor.org/rfc/rfc8628).
func (p *Provider) logInByDevice(ctx context.Context, from *metadata, scopes *scopeChoice, asking func()) (token.Set, error) {
	login, err := p.startDevice(ctx, from, scopes)
	if err != nil {
		return token.Set{}, err
	}
	asking()
	p.config.ShowDevice(ctx, login.shown)
	got, err := login.await(ctx)
	if err != nil {
		return token.Set{}, err
	}
	return p.accept(ctx, from, scopes, got, "") // the grant knows no nonce
}

// startDevice asks for a code (https://www.rfc-editor.org/rfc/rfc8628#section-3.1).
func (p *Provider) startDevice(ctx context.Context, from *metadata, scopes *scopeChoice) (*deviceLogin, error) {
	if err := from.checkDeviceEndpoint(); err != nil {
		return nil, err
	}
	login := &deviceLogin{provider: p, metadata: from, verifier: p.newDeviceVerifier(from)}
	form := p.config.target()
	form.Set("scope", scopes.form())
	addChallenge(form, login.verifier)
	form.Set("client_id", p.config.ClientID) // where the secret is in the header, some look for it here all the same
	authentication, err := p.authentication(from)
	if err != nil {
		return nil, err
	}
	if from.readsDeviceFormAlone() {
		authentication.style = oauth2.AuthStyleInParams
	}
	body, err := p.post(ctx, "login", "the device authorization endpoint", from.DeviceAuthURL, authentication, form)
	if err != nil {
		return nil, err
	}
	return login, login.read(body)
}

// readsDeviceFormAlone knows Dex by its endpoint. It keeps the form's client and secret until the person has logged in, and
// then refuses a client of which it has heard in the header alone
// (https://github.com/dexidp/dex/blob/v2.45.1/server/deviceflowhandlers.go).
func (m *metadata) readsDeviceFormAlone() bool {
	return m.DeviceAuthURL == strings.TrimSuffix(m.IssuerURL, "/")+"/device/code" && slices.Contains(m.TokenAuthMethods, string(ClientSecretPost))
}

func (m *metadata) checkDeviceEndpoint() error {
	parsed, err := url.Parse(m.DeviceAuthURL)
	if m.DeviceAuthURL == "" || err != nil || parsed.Hostname() == "" {
		// https://www.rfc-editor.org/rfc/rfc8628#section-4
		return failed("This provider does not offer --grant-type=device-code. Leave it out, or try --grant-type=authcode-keyboard.",
			"discovery: no usable device_authorization_endpoint")
	}
	if err := checkTransport(parsed); err != nil {
		return failed("The provider's metadata must name https endpoints.", "discovery: device_authorization_endpoint: %w", err)
	}
	return nil
}

// read takes the answer (https://www.rfc-editor.org/rfc/rfc8628#section-3.2).
func (l *deviceLogin) read(body []byte) error {
	var got struct {
		DeviceCode string   `json:"device_code"`
		UserCode   string   `json:"user_code"`
		Address    string   `json:"verification_uri"`
		OldAddress string   `json:"verification_url"` // of a draft; some providers still say so
		Complete   string   `json:"verification_uri_complete"`
		ExpiresIn  *seconds `json:"expires_in"`
		Interval   *seconds `json:"interval"`
	}
	if err := json.Unmarshal(body, &got); err != nil {
		return incompleteDevice("cannot be read")
	}
	got.Address = cmp.Or(got.Address, got.OldAddress)
	for name, missing := range map[string]bool{
		"device_code":      got.DeviceCode == "",
		"user_code":        strings.TrimSpace(untrusted.Printable(got.UserCode)) == "",
		"verification_uri": got.Address == "",
		"expires_in":       got.ExpiresIn == nil || got.ExpiresIn.duration() <= 0,
	} {
		if missing {
			return incompleteDevice("has no " + name)
		}
	}
	address, ok := webAddress(got.Address)
	if !ok {
		return incompleteDevice("has a verification_uri that is not https")
	}
	complete, _ := webAddress(got.Complete)
	l.code = token.NewSecret(got.DeviceCode)
	l.interval = defaultPollInterval
	if got.Interval != nil {
		l.interval = max(got.Interval.duration(), minPollInterval)
	}
	lifetime := min(got.ExpiresIn.duration(), maxDeviceLifetime)
	l.shown = Device{untrusted.Printable(got.UserCode), address, complete, l.provider.config.Now().Add(lifetime)}
	return nil
}

func incompleteDevice(problem string) error {
	return failed("Tell the provider's administrator.", "login: the device authorization endpoint's answer %s", problem)
}

// webAddress lets nothing through that a browser should not open, or that a terminal would obey.
func webAddress(text string) (string, bool) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Hostname() == "" || parsed.User != nil || checkTransport(parsed) != nil || untrusted.Printable(text) != text {
		return "", false
	}
	return parsed.String(), true
}

// seconds is a number, or a string of one as some providers write it.
type seconds float64

func (s *seconds) UnmarshalJSON(text []byte) error {
	value, err := strconv.ParseFloat(strings.Trim(string(text), `"`), 64)
	if math.IsNaN(value) {
		err = strconv.ErrSyntax
	}
	*s = seconds(value)
	return err
}

// duration keeps within what is sensible, also for numbers that time.Duration does not hold.
func (s seconds) duration() time.Duration {
	return time.Duration(float64(min(max(s, 0), seconds(maxDeviceLifetime/time.Second))) * float64(time.Second))
}
