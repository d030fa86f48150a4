package plugin

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/pkg/apis/clientauthentication/v1"
	"k8s.io/client-go/pkg/apis/clientauthentication/v1beta1"
)

// WriteCredential answers the request with a bearer token and the instant from which kubectl must ask again, which it
// compares without a margin. It writes one JSON document in one call; on an error w got nothing usable.
func WriteCredential(w io.Writer, request Request, token string, expiry time.Time) error {
	typeMeta := metav1.TypeMeta{APIVersion: request.APIVersion, Kind: kind}
	expiration := &metav1.Time{Time: expiry}
	var credential any = v1.ExecCredential{
		TypeMeta: typeMeta,
		Spec:     v1.ExecCredentialSpec{Interactive: request.Interactive},
		Status:   &v1.ExecCredentialStatus{Token: token, ExpirationTimestamp: expiration},
	}
	if request.APIVersion == v1beta1.SchemeGroupVersion.String() {
		credential = v1beta1.ExecCredential{
			TypeMeta: typeMeta,
			Spec:     v1beta1.ExecCredentialSpec{Interactive: request.Interactive},
			Status:   &v1beta1.ExecCredentialStatus{Token: token, ExpirationTimestamp: expiration},
		}
	}
	text, err := json.Marshal(credential)
	if err != nil {
		return fmt.Errorf("credential: %w", err)
	}
	if _, err := w.Write(append(text, '\n')); err != nil {
		return fmt.Errorf("cannot write the credential to stdout: %w", err)
	}
	return nil
}
