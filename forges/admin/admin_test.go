package admin_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"primum/forges"
	"primum/forges/admin"
	"primum/forges/wire"
)

// A clock is told apart by how far it is off, with the second the header rounds to.
func TestClocksAreCompared(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 5, 9, 0, 0, 400_000_000, time.UTC)
	for _, tt := range []struct {
		theirs time.Duration
		level  forges.Level
		says   string
	}{
		{0, forges.Good, "agrees"},
		{-time.Second, forges.Good, "agrees"},
		{9 * time.Second, forges.Good, "agrees"},
		{30 * time.Second, forges.Odd, "behind"},
		{-30 * time.Second, forges.Odd, "ahead of"},
		{2 * time.Minute, forges.Bad, "behind"},
		{-2 * time.Minute, forges.Bad, "ahead of"},
	} {
		var f admin.Findings
		f.Clock(http.Header{"Date": {now.Add(tt.theirs).Format(http.TimeFormat)}}, now, now.Add(100*time.Millisecond))
		if len(f) != 1 || f[0].Level != tt.level || !strings.Contains(f[0].Says, tt.says) {
			t.Errorf("off by %s: %+v, want %s %q", tt.theirs, f, tt.level, tt.says)
		}
	}
	var f admin.Findings
	if f.Clock(http.Header{}, now, now); len(f) != 1 || f[0].Level != forges.Odd {
		t.Errorf("without a Date: %+v", f)
	}
}

func TestPrivateAddressesAreKnown(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"http://127.0.0.1:8080": true, "https://10.1.2.3": true, "https://192.168.0.7/x": true, "http://[::1]:80": true, "http://169.254.1.1": true,
		"https://93.184.216.34": false, "": false, "nonsense": false, "https://[2606:4700::1]": false,
	} {
		if got, _ := admin.Private(t.Context(), address); got != want {
			t.Errorf("%q is private: %v, want %v", address, got, want)
		}
	}
}

// Lists are read to their end, however the forge tells where that is.
func TestListsAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	for name, tell := range map[string]func(h http.Header, page string){
		"by total": func(h http.Header, _ string) { h.Set("X-Total-Count", "3") },
		"by next page": func(h http.Header, page string) {
			h["X-Next-Page"] = []string{map[string]string{"1": "2", "2": "3"}[page]}
		},
		"by link": func(h http.Header, page string) {
			h.Set("Link", map[string]string{"1": `<x>; rel="next"`, "2": `<x>; rel="next"`, "3": `<x>; rel="last"`}[page])
		},
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			page := r.URL.Query().Get("page")
			tell(w.Header(), page)
			_, _ = w.Write([]byte(map[string]string{"1": "[1]", "2": "[2]", "3": "[3]"}[page]))
		}))
		base, err := wire.Base(server.URL)
		if err != nil {
			t.Fatal(err)
		}
		c, err := admin.New(wire.Options{Base: base, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		got, err := admin.List[int](t.Context(), c, "things?of=us", "limit")
		if err != nil || len(got) != 3 {
			t.Errorf("%s: %v, %v", name, got, err)
		}
		server.Close()
	}
}

// What was put into words stays so, and keeps what it was made of.
func TestTroubleKeepsItsWords(t *testing.T) {
	t.Parallel()
	w := admin.Words{Product: "Gitea", CA: "--ca-file", URL: "--url"}
	first := w.Explain(&forges.HTTPError{Status: 403, Message: "no scope", Err: forges.ErrForbidden}, "read it", "get the scope")
	again := w.Explain(first, "do more", "get another")
	if want := "read it: Gitea refuses it (403, no scope); get the scope"; again.Error() != want || !errors.Is(again, forges.ErrForbidden) {
		t.Errorf("%v, want %q", again, want)
	}
	if w.Explain(nil, "x", "y") != nil {
		t.Error("no error became one")
	}
}
