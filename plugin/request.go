package plugin

import (
	"encoding/json"
	"errors"
	"fmt"
)

// ExecInfoVariable is the environment variable that carries kubectl's request.
const ExecInfoVariable = "KUBERNETES_EXEC_INFO"

// Request is what kubectl asks for.
type Request struct {
	// APIVersion is that of the request; the answer must have the same.
	APIVersion string
	// Interactive says whether kubectl's stdin is a terminal that may be read.
	Interactive bool
	// Server is the URL of the cluster's API server; empty where the kubeconfig does not set provideClusterInfo.
	Server string
}

// ReadRequest reads the value of ExecInfoVariable. An empty one means that a person runs the program by hand: then the
// answer is of version v1.
func ReadRequest(execInfo string) (Request, error) {
	if execInfo == "" {
		return Request{APIVersion: versionV1}, nil
	}
	var request execCredential
	if err := json.Unmarshal([]byte(execInfo), &request); err != nil {
		return Request{}, errors.New(ExecInfoVariable + " is not a JSON object")
	}
	if request.Kind != kind {
		return Request{}, fmt.Errorf("%s: expected kind %q, got %.100q", ExecInfoVariable, kind, request.Kind)
	}
	if request.APIVersion != versionV1 && request.APIVersion != versionV1beta1 {
		return Request{}, fmt.Errorf("%s: expected apiVersion %q or %q, got %.100q", ExecInfoVariable, versionV1, versionV1beta1,
			request.APIVersion)
	}
	read := Request{APIVersion: request.APIVersion, Interactive: request.Spec.Interactive}
	if request.Spec.Cluster != nil {
		read.Server = request.Spec.Cluster.Server
	}
	return read, nil
}
