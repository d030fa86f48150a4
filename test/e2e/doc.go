// Package e2e runs the plugin the way a person does, against the real thing: kube-apiserver and etcd, kubectl, Dex, the
// provider of zitadel/oidc, a Chromium that types the password, and a gnome-keyring. Nothing is faked and nothing is skipped; what is missing on
// this machine (Linux only) ends the run with the names of the packages to install.
//
// One file per server, named after it. workstation.go is the person's computer, where kubectl and the plugin run.
//
//	go test ./...             everything; the first run builds the servers, which takes minutes
//	go test -artifacts ./...  also keeps the servers' logs and the screenshots, in _artifacts
//	go test -run LastPage . -update-images
//	                          writes the pictures of docs/images
package e2e
