package spec

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
)

// Wrap goes around a GitHub face: every request made of it and every answer it
// gives is held against GitHub's descriptions, and what differs fails the test.
// Where the descriptions cannot be had it only says so, except where CI=true.
func Wrap(tb testing.TB, h http.Handler) http.Handler {
	tb.Helper()
	routes, err := loadREST()
	if err == nil {
		_, err = loadGraph()
	}
	if err != nil {
		unchecked(tb, err)
		return h
	}
	schema, _ := loadGraph() // asked above
	w := &watch{t: tb}
	tb.Cleanup(w.stop)
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		rec := &recorder{ResponseWriter: rw, status: http.StatusOK}
		defer func() {
			if r.Context().Err() != nil { // given up; the answer may be cut
				return
			}
			if strings.HasSuffix(r.URL.Path, "/graphql") {
				w.report(r, rec, checkGraph(schema, body, rec.status, rec.body.Bytes()))
				return
			}
			if strings.HasPrefix(r.URL.Path, "/repositories/") { // where a 301 led
				return
			}
			w.report(r, rec, routes.checkRequest(r, body))
			w.report(r, rec, routes.checkAnswer(r, rec.status, rec.body.Bytes()))
		}()
		h.ServeHTTP(rec, r)
	})
}

// Sent holds every webhook payload against GitHub's descriptions: give it to
// the face as the one who is told of what is sent.
func Sent(tb testing.TB) func(event string, header http.Header, body []byte) {
	tb.Helper()
	d, err := loadHooks()
	if err != nil {
		unchecked(tb, err)
		return func(string, http.Header, []byte) {}
	}
	w := &watch{t: tb}
	tb.Cleanup(w.stop)
	return func(event string, header http.Header, body []byte) {
		if err := checkHook(d, event, header, body); err != nil {
			w.fail("webhook %v", err)
		}
	}
}

func unchecked(tb testing.TB, err error) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatal(err)
	}
	tb.Logf("nothing is held against GitHub's descriptions: %v", err)
}

func checkGraph(schema *ast.Schema, request []byte, status int, answer []byte) error {
	var in graphRequest
	if err := json.Unmarshal(request, &in); err != nil {
		return err
	}
	doc, err := checkQuery(schema, in)
	if err != nil || status != http.StatusOK {
		return err
	}
	return checkData(schema, doc, in, answer)
}

// watch reports to a test as long as it runs.
type watch struct {
	mu   sync.Mutex
	t    testing.TB
	over bool
}

func (w *watch) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.over = true
}

func (w *watch) fail(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.over {
		w.t.Errorf(format, args...)
	}
}

func (w *watch) report(r *http.Request, rec *recorder, err error) {
	if err != nil {
		w.fail("%s %s answered %d: %v", r.Method, r.URL.RequestURI(), rec.status, err)
	}
}

// recorder keeps what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *recorder) Write(p []byte) (int, error) {
	r.body.Write(p)
	return r.ResponseWriter.Write(p)
}
