package e2e

import "testing"

// Provider is what the tests know of an OpenID Provider. Everybody reaches it through Traffic, which keeps book.
type Provider struct {
	IssuerURL string
	Clients   []string // their IDs
	User      User
	Device    DevicePages
	Traffic   *RecordingProxy

	// proof makes a token of one of the clients without a person.
	proof func(testing.TB) string
}

// User is a person whom a provider knows.
type User struct {
	ID           string
	Name         string
	Email        string
	Group        string
	Password     string
	PasswordHash string // bcrypt
	Form         LoginForm
}

// LoginForm says where a provider asks for what, by CSS selectors.
type LoginForm struct{ Name, Password, Submit string }

// DevicePages say what a provider asks of a person who logs in on another device, by CSS selectors.
// https://www.rfc-editor.org/rfc/rfc8628#section-3.3
type DevicePages struct {
	Code, Enter string
	ShowsCode   bool   // also where the address has it
	Allow, Deny string // empty: the login is the consent
	Done        string // what the last page says, no selector
}
