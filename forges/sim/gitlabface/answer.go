package gitlabface

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"primum/forges/sim"
)

// j is a JSON object.
type j = map[string]any

func answer(w http.ResponseWriter, status int, v any) {
	raw, err := json.Marshal(v)
	if err != nil { // every value is made here
		panic("gitlabface: answer is not JSON: " + err.Error())
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(raw)
}

// said answers in the form most of GitLab's API has: {"message": …}.
func said(w http.ResponseWriter, status int, message any) {
	answer(w, status, j{"message": message})
}

// refusal is an answer that is no success, made where the forge may not be left.
type refusal struct {
	status int
	body   any
}

// Error implements error.
func (r *refusal) Error() string { return http.StatusText(r.status) }

func refuse(status int, message any) error { return &refusal{status, j{"message": message}} }

// notFound is GitLab's way to say that a thing is missing: "404 Project Not Found".
func notFound(what string) error {
	if what != "" {
		what += " "
	}
	return refuse(http.StatusNotFound, "404 "+what+"Not Found")
}

func forbidden() error { return refuse(http.StatusForbidden, "403 Forbidden") }

func unauthorized() error { return refuse(http.StatusUnauthorized, "401 Unauthorized") }

// badParam is the form of a parameter at fault.
func badParam(why string) error {
	return &refusal{http.StatusBadRequest, j{"error": why}}
}

// refused answers what was refused, by the face or by the forge.
func refused(w http.ResponseWriter, err error) {
	if own, ok := errors.AsType[*refusal](err); ok {
		answer(w, own.status, own.body)
		return
	}
	var r *sim.Refusal
	if !errors.As(err, &r) {
		said(w, http.StatusInternalServerError, "500 Internal Server Error")
		return
	}
	why := strings.Join(r.Reasons, "; ")
	switch r.Kind {
	case sim.NotFound:
		said(w, http.StatusNotFound, "404 Not found")
	case sim.Forbidden:
		said(w, http.StatusForbidden, "403 Forbidden")
	case sim.Moved:
		said(w, http.StatusConflict, why)
	case sim.Blocked:
		said(w, http.StatusMethodNotAllowed, "405 Method Not Allowed")
	case sim.Invalid:
		said(w, http.StatusBadRequest, j{"base": []any{why}})
	}
}
