package cli

import (
	"crypto/tls"
	"log/slog"
	"testing"

	"github.com/spf13/pflag"
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
