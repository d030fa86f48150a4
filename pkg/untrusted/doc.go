// Package untrusted makes what strangers say fit to be shown to a person: no terminal obeys it, it has an end, and an error of the
// network repeats nothing that a server sent. It must not judge what is said.
package untrusted
