package plugin

// The versions of the contract. Their documents have the same members.
const (
	versionV1      = "client.authentication.k8s.io/v1"
	versionV1beta1 = "client.authentication.k8s.io/v1beta1"
)

const kind = "ExecCredential"

// execCredential is kubectl's request, and the answer (https://kubernetes.io/docs/reference/config-api/client-authentication.v1/).
type execCredential struct {
	Kind       string  `json:"kind"`
	APIVersion string  `json:"apiVersion"`
	Spec       spec    `json:"spec"`
	Status     *status `json:"status,omitempty"`
}

type spec struct {
	Cluster     *cluster `json:"cluster,omitempty"`
	Interactive bool     `json:"interactive"`
}

// cluster is there where the kubeconfig sets provideClusterInfo.
type cluster struct {
	Server string `json:"server"`
}

type status struct {
	ExpirationTimestamp string `json:"expirationTimestamp"` // RFC 3339 in UTC, whole seconds
	Token               string `json:"token"`
}
