package cli

import (
	"cmp"
	"log/slog"
	"net/url"
	"time"

	"github.com/kubectl-oidc-login/kubectl-oidc-login/pkg/provider"
)

// showDevice brings the code of a device login before the person. The code is always there: whoever opens the address with
// the code in it must be able to compare (https://www.rfc-editor.org/rfc/rfc8628#section-3.3.1). Nobody should approve a
// login that a stranger started (https://www.rfc-editor.org/rfc/rfc8628#section-5.4).
func showDevice(env Env, terminal *terminal, options loginOptions, issuer string, log *slog.Logger, device provider.Device) {
	terminal.say("to log in to %s, open %s in any browser and enter the code %s before %s; approve only what you started yourself",
		hostOf(issuer), device.Address, device.UserCode, device.Until.Format(time.TimeOnly))
	if device.Complete != "" {
		terminal.say("or open %s and compare the code there", device.Complete)
		if env.StderrIsTerminal() && env.getenv("TERM") != "dumb" {
			terminal.draw(qrCode(device.Complete, env.getenv("TERM") != ""))
			// The picture takes most of a screen, and what stands above it may be gone.
			terminal.say("the code to compare is %s", device.UserCode)
		}
	}
	command := browserCommand(env, options)
	asked := options.browserCommand != "" || env.getenv("BROWSER") != ""
	if options.skipOpenBrowser || command.Place.SSH && !asked || command.WhyNot() != nil {
		return // a browser of a machine far away is of no use, and this way needs none
	}
	go func() {
		if err := env.OpenBrowser(command, cmp.Or(device.Complete, device.Address)); err != nil {
			log.Info("no browser could be opened", "reason", err)
		}
	}()
}

// hostOf is what people know a provider by.
func hostOf(issuer string) string {
	parsed, err := url.Parse(issuer)
	if err != nil {
		return issuer
	}
	return parsed.Host
}
