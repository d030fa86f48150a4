// Package e2e runs the plugin the way a person does, against the real thing: kube-apiserver and etcd, kubectl, Dex, the
// provider of zitadel/oidc, a Chromium that types the password, a terminal, and a gnome-keyring. Nothing is faked and
// nothing is skipped; what is missing on this machine (Linux only) ends the run with the names of the packages to install.
//
// One file per server, named after it. workstation.go is the person's computer, where kubectl and the plugin run, and
// terminal.go what they see when they came there by SSH. grants_test.go lists the ways to log in. release.go reads what
// `make snapshot krew` has written.
// configuration_test.go alone starts nothing: it asks kube-apiserver's own code what it thinks of our configurations.
//
//	go test ./...             everything; the first run builds the servers, which takes minutes
//	go test -artifacts ./...  also keeps the servers' logs, the screenshots, and what terminals showed, in _artifacts
//	go test -run LastPage . -update-images
//	                          writes the pictures of docs/images
package e2e
