// Package loopback catches one answer of a browser on a loopback address (https://www.rfc-editor.org/rfc/rfc8252#section-7.3).
//
// It binds before the redirect URI is known to anybody, serves until the one request with the right state has come, and
// tells strangers nothing: every process and every web page on the machine can reach the port. It does not know what the
// answer is for. It imports only the standard library.
package loopback
