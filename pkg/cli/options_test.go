package cli

import (
	"crypto/tls"
	"log/slog"
	"net"
	"testing"

	"github.com/spf13/pflag"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/loopback"
	"github.com/kubectl-oidc-login/kubectl-oidc-login/test/conformance/requirements"
)

func TestRenegotiationFlags(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		arguments []string
		want      tls.RenegotiationSupport
	}{
		{nil, tls.RenegotiateNever},
		{[]string{"--tls-renegotiation-once"}, tls.RenegotiateOnceAsClient},
		{[]string{"--tls-renegotiation-freely"}, tls.RenegotiateFreelyAsClient},
		{[]string{"--tls-renegotiation-freely", "--tls-renegotiation-once"}, tls.RenegotiateOnceAsClient},
	} {
		var options options
		flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
		options.addFlags(flags)
		usual := []string{"--oidc-issuer-url=https://op.example", "--oidc-client-id=x"}
		if err := flags.Parse(append(usual, test.arguments...)); err != nil {
			t.Fatal(err)
		}
		config, err := options.providerConfig(Env{}, newTerminal(t.Output()), flags, slog.New(slog.DiscardHandler))
		if err != nil || config.Renegotiation != test.want {
			t.Errorf("%v: expected %d, got %d, %v", test.arguments, test.want, config.Renegotiation, err)
		}
	}
}

// Where no flag says otherwise, no other machine can bring an answer.
func TestDefaultListenAddressesAreLoopback(t *testing.T) {
	t.Parallel()
	requirements.Covers(t, "NAT-05")
	var options options
	options.addFlags(pflag.NewFlagSet("test", pflag.ContinueOnError))
	if len(options.login.listenAddresses) == 0 {
		t.Fatal("there is none")
	}
	for _, address := range options.login.listenAddresses {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			t.Fatal(err)
		}
		listener, err := loopback.Listen(loopback.Config{Addresses: []string{net.JoinHostPort(host, "0")}})
		if err != nil {
			t.Fatal(err)
		}
		if listener.IsOpenToOthers() {
			t.Errorf("%s is open to other machines", address)
		}
		listener.Close()
	}
}
