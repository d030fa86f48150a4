// Package cluster is about the API server's side of a login: what it must be told, whom it sees, and why it says 401.
//
// It writes the configuration of kube-apiserver, predicts what kube-apiserver makes of a token, and asks it who somebody
// is. It reads no file and no environment, prints nothing, and never changes a cluster. What strangers wrote, in tokens
// and in answers, leaves it without control characters.
package cluster
