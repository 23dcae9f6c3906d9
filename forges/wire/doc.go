// Package wire is the HTTP under every adapter: bounded answers, a time for
// each try, reading calls tried again and writing calls never, limits of the
// forge remembered, redirects on the forge's own host only, and errors that
// show no secret. It knows no forge; what is special to one is an option.
package wire
