package spec

import (
	"bytes"
	"io"
	"net/http"
	"testing"
)

// WrapGitea goes around a Gitea face: every request made of it and every answer
// it gives is held against Gitea's description, and what differs fails the test.
func WrapGitea(tb testing.TB, h http.Handler) http.Handler {
	tb.Helper()
	s, err := loadGitea()
	if err != nil {
		tb.Fatal(err)
	}
	return s.wrap(tb, h, giteaMeasured())
}

// WrapForgejo is WrapGitea with what Forgejo has besides.
func WrapForgejo(tb testing.TB, h http.Handler) http.Handler {
	tb.Helper()
	s, err := loadForgejo()
	if err != nil {
		tb.Fatal(err)
	}
	return s.wrap(tb, h, forgejoMeasured())
}

func (s *swagger) wrap(tb testing.TB, h http.Handler, m measured) http.Handler {
	tb.Helper()
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
			w.report(r, rec, s.checkRequest(r, body))
			w.report(r, rec, s.checkAnswer(r, rec.status, rw.Header(), rec.body.Bytes(), m))
		}()
		h.ServeHTTP(rec, r)
	})
}
