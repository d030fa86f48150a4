// Package token decides how an ID token is had: from the store, by a refresh, or by a login.
//
// It owns the words that the other packages share (Key, IDToken, Session, Store, Provider, Error) and the order in which
// things are tried (Source). It knows no network, no file, no environment and no terminal; it imports only the standard
// library, so that the decision can be read and tested alone.
package token
