package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// farthest is the last instant that RFC 3339 can write; client-go cannot read a later one.
var farthest = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)

// WriteCredential answers the request with a bearer token and the instant from which kubectl must ask again, which it
// compares without a margin. It writes one JSON document in one call; on an error w got nothing usable.
func WriteCredential(w io.Writer, request Request, token string, expiry time.Time) error {
	if expiry.After(farthest) {
		expiry = farthest
	}
	text, err := json.Marshal(execCredential{
		Kind:       kind,
		APIVersion: request.APIVersion, // the answer must have the version of the request
		Spec:       spec{Interactive: request.Interactive},
		Status:     &status{ExpirationTimestamp: expiry.UTC().Format(time.RFC3339), Token: token},
	})
	if err != nil {
		return fmt.Errorf("credential: %w", err)
	}
	if _, err := w.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("cannot write the credential to stdout: %w", err)
	}
	return nil
}
