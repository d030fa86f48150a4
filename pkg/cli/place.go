package cli

import (
	"cmp"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/browser"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
)

// browserCommand is how a browser is opened in this place. It looks at files: only a login may call it.
func browserCommand(env Env, options loginOptions) browser.Command {
	return browser.Command{
		Program:     options.browserCommand,
		Environment: env.Environ,
		Place:       browser.FindPlace(env.Environ, env.ReadFile),
	}
}

// waysBack say how the answer of a browser on another machine gets here, a line each.
func waysBack(env Env, place browser.Place, invitation provider.Invitation) []string {
	redirect, err := url.Parse(invitation.RedirectURI)
	if err != nil || !isThisMachine(redirect.Hostname()) {
		return nil // whoever chose another address has their own way
	}
	there := cmp.Or(redirect.Port(), "80")
	switch {
	case place.SSH:
		return []string{"if that browser is on another machine, bring its answer here; run there: " +
			forwardCommand(env, there, invitation.Port)}
	case place.Container:
		return []string{"if that browser is outside of this container, forward port " + there + " of its machine to port " +
			strconv.Itoa(invitation.Port) + " of the container"}
	case place.Sandbox != "":
		return []string{"inside " + place.Sandbox + " programs may not open a browser; run this one outside of it, or name" +
			" what opens one with --browser-command"}
	}
	return nil
}

// forwardCommand is the ssh that lets a browser where the person sits reach our port. SSH_CONNECTION has the addresses and
// ports of client and server; behind a jump host or a NAT the person must know the name that leads here.
func forwardCommand(env Env, there string, here int) string {
	words := []string{"ssh", "-L", there + ":localhost:" + strconv.Itoa(here)}
	host := "HOST"
	if connection := strings.Fields(env.getenv("SSH_CONNECTION")); len(connection) == 4 {
		host = connection[2]
		if port := connection[3]; port != "22" && strings.Trim(port, "0123456789") == "" {
			words = append(words, "-p", port)
		}
	}
	user := cmp.Or(env.getenv("USER"), env.getenv("LOGNAME"), env.getenv("USERNAME"), "USER")
	destination := user + "@" + host
	if strings.ContainsFunc(destination, func(r rune) bool { return !isPlain(r) || r == '%' }) {
		destination = "USER@HOST" // the shell there may be any
	}
	return strings.Join(append(words, destination), " ")
}

func isThisMachine(host string) bool {
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}
