// Package provider speaks with the OpenID Provider: it reads its metadata and keys, logs a person in with the
// authorization code flow and PKCE, refreshes, and verifies every ID token by all rules of OpenID Connect Core.
//
// It asks only the endpoints of the issuer it was made for, and believes nothing that is not signed by that issuer's
// keys. It keeps no tokens and prints nothing; what a stranger wrote leaves it cut and without control characters.
package provider
