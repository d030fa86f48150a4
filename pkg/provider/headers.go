package provider

import (
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"slices"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/token"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/untrusted"
)

// reservedHeaders are those that HTTP or the protocol depends on: nobody may set them. So is all that begins with Proxy-,
// since it is not for the provider.
func reservedHeaders() []string {
	return []string{
		"Accept-Encoding", "Authorization", "Connection", "Content-Encoding", "Content-Length", "Content-Type", "Expect", "Host",
		"Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade",
	}
}

// checkHeaders judges what is sent with each request to the provider. Values may be secrets, so no error has one.
func (c Config) checkHeaders() error {
	seen := map[string]bool{}
	for name, value := range c.Headers {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		switch {
		case !isHeaderName(name):
			return fmt.Errorf("the request header %q has no name that HTTP allows", untrusted.Printable(name))
		case slices.Contains(reservedHeaders(), canonical) || strings.HasPrefix(canonical, "Proxy-"):
			return fmt.Errorf("the request header %s belongs to the protocol and cannot be set", canonical)
		case seen[canonical]:
			return fmt.Errorf("the request header %s is given twice", canonical)
		case value.IsEmpty():
			return fmt.Errorf("the request header %s has no value", canonical)
		case !isHeaderValue(value.Reveal()):
			return errors.New("the value of the request header " + canonical + " has a character that HTTP does not allow")
		}
		seen[canonical] = true
	}
	return nil
}

// isHeaderName applies https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2.
func isHeaderName(name string) bool {
	const others = "!#$%&'*+-.^_`|~"
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune(others, r))
	})
}

// isHeaderValue applies https://www.rfc-editor.org/rfc/rfc9110#section-5.5, without what is obsolete.
func isHeaderValue(value string) bool {
	return !strings.ContainsFunc(value, func(r rune) bool { return r != '\t' && (r < ' ' || r > '~') })
}

// addHeaders is for requests to the provider, and there are no others: no redirect leads to another server (see
// sameOrigin), and the person's browser gets a URL alone.
func addHeaders(to http.Header, headers map[string]token.Secret) {
	for name, value := range headers {
		to.Set(name, value.Reveal())
	}
}
