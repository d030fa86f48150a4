// Package kubeconfig reads kubeconfigs as kubectl does, and changes them so that not a byte of anything else is lost:
// comments, unknown members, the order and the line ends stay. It says what of them may be shown. It knows nothing of
// OpenID Connect, prints nothing, and asks no environment which files there are.
package kubeconfig
