package provider

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
)

// await asks again and again until the person has answered or the code has expired
// (https://www.rfc-editor.org/rfc/rfc8628#section-3.5). A provider that is not there for a while ends nothing.
func (l *deviceLogin) await(ctx context.Context) (answer, error) {
	var absence error // of the provider, at the last poll
	wait := l.interval
	for {
		err := l.sleep(ctx, wait)
		if errors.Is(err, errCodeExpired) && absence != nil {
			return answer{}, absence
		}
		if err != nil {
			return answer{}, err
		}
		got, err := l.poll(ctx)
		if err == nil {
			return got, nil
		}
		if isKind(err, token.Unreachable) {
			if absence == nil {
				l.provider.config.Warn(fmt.Errorf("%w; asking again until %s", err, l.shown.Until.Format(time.TimeOnly)))
			}
			absence, wait = err, min(2*wait, max(maxPollBackoff, l.interval))
			continue
		}
		absence = nil
		if err := l.judge(err); err != nil {
			return answer{}, err
		}
		wait = l.interval
	}
}

// sleep ends with the code, if that comes first.
func (l *deviceLogin) sleep(ctx context.Context, wait time.Duration) error {
	config := l.provider.config
	left := l.shown.Until.Sub(config.Now())
	if err := config.Sleep(ctx, max(min(wait, left), 0)); err != nil {
		return l.provider.notAnswered(err)
	}
	if wait < left {
		return nil
	}
	return codeExpired()
}

func (l *deviceLogin) poll(ctx context.Context) (answer, error) {
	// https://www.rfc-editor.org/rfc/rfc8628#section-3.4
	form := url.Values{
		"grant_type":  {"urn:ietf:params:oauth:grant-type:device_code"},
		"device_code": {l.code.Reveal()},
	}
	addVerifier(form, l.verifier)
	return l.provider.ask(ctx, "login", l.metadata, form)
}

// judge returns what ends the wait, or nil (https://www.rfc-editor.org/rfc/rfc8628#section-3.5).
func (l *deviceLogin) judge(err error) error {
	switch oauthCode(err) {
	case "authorization_pending":
		return nil
	case "slow_down":
		l.interval += slowDownStep // for this and all later polls
		return nil
	case "access_denied":
		return refused("You, or a rule at the provider, said no. Ask its administrator if you should have access.",
			"login: denied: %s", oauthText(err))
	case "expired_token":
		return codeExpired()
	}
	return err
}

var errCodeExpired = errors.New("nobody logged in before the code expired")

func codeExpired() error {
	return refused("Run the command again for a new code.", "login: %w", errCodeExpired)
}
