// Package admin is what "primum setup" and "primum doctor" have in common on
// every forge: calls that only an owner makes, the causes of their failures in
// words with the way out, and the findings any forge can have. What is special
// to one forge stands beside its adapter, in setup.go and doctor.go.
package admin
