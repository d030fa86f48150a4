package e2e

import "testing"

// TestAPIServerStartsToRefuse is a token that the API server takes no longer, long before its expiry. kubectl says
// nothing of that to the plugin; it just runs it again. The plugin is to understand, and kubectl to recover.
func TestAPIServerStartsToRefuse(t *testing.T) {
	t.Parallel()
	newcomer := newNewcomer(t)
	first := newcomer.logsIn(t)

	newcomer.apiServer.Traffic.RefuseToken(first.IDToken)
	refused := newcomer.computer.WhoAmI(t) // client-go hands on the first 401, whatever the plugin does
	t.Logf("the command that met the refusal: %s", refused)
	requests := tokenRequests(newcomer.dex.Traffic.Take())
	if len(requests) != 1 || requests[0].Form.Get("grant_type") != "refresh_token" {
		t.Errorf("the plugin asked Dex for %d tokens, want one refresh", len(requests))
	}
	assertServedFromStore(t, newcomer.computer, newcomer.dex.Traffic, newcomer.username)
	if opened := newcomer.browser.Opened(); opened != 1 {
		t.Errorf("the browser was opened %d times, want 1", opened)
	}
}
