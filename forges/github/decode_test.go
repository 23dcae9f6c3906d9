package github_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/forges"
	"primum/forges/github"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestPayloadsBecomeEvents holds each payload of testdata/events, named
// <event>.<case>.json, to the event beside it.
func TestPayloadsBecomeEvents(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no payloads", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			f, err := github.New(serve(t).config(newClock()))
			if err != nil {
				t.Fatal(err)
			}
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			event, _, _ := strings.Cut(filepath.Base(file), ".")
			d, err := f.Verify(headers(event, secret, body), body)
			if err != nil {
				t.Fatal(err)
			}
			e, err := f.Decode(d)
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.MarshalIndent(slim(t, e), "", " ")
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, '\n')
			golden := strings.TrimSuffix(file, ".json") + ".golden"
			if *update {
				if err := os.WriteFile(golden, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("event (-want +got):\n%s", diff)
			}
		})
	}
}

// slim leaves out what is zero, so that a golden file shows what was decoded.
func slim(t *testing.T, v any) any {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var m any
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	return prune(m)
}

func prune(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	for k, x := range m {
		x = prune(x)
		switch y := x.(type) {
		case nil:
			delete(m, k)
			continue
		case string:
			if y == "" || y == "0001-01-01T00:00:00Z" {
				delete(m, k)
				continue
			}
		case bool:
			if !y {
				delete(m, k)
				continue
			}
		case float64:
			if y == 0 {
				delete(m, k)
				continue
			}
		case map[string]any:
			if len(y) == 0 {
				delete(m, k)
				continue
			}
		}
		m[k] = x
	}
	return m
}

func TestAPayloadThatContradictsItsEventIsMalformed(t *testing.T) {
	t.Parallel()
	f := serve(t).forge(newClock())
	for event, body := range map[string]string{
		"pull_request":              `{"action":"opened"}`,
		"pull_request_review":       `{"action":"submitted","repository":{"id":1},"pull_request":{"number":1}}`,
		"issue_comment":             `{"action":"created","repository":{"id":1},"issue":{"number":1}}`,
		"issues":                    `{"action":"opened","issue":{"number":"one"}}`,
		"check_run":                 `{"action":"created","repository":{"id":1},"check_run":{}}`,
		"merge_group":               `{"action":"checks_requested","merge_group":null}`,
		"push":                      `{"ref":"refs/heads/main"}`,
		"installation":              `{"action":"created"}`,
		"membership":                `{"action":"added"}`,
		"status":                    `{"sha":"","repository":{"id":1}}`,
		"installation_repositories": `[]`,
	} {
		_, err := f.Decode(forges.Delivery{Event: event, Body: []byte(body)})
		if !errors.Is(err, forges.ErrMalformed) {
			t.Errorf("%s: got %v, want ErrMalformed", event, err)
		}
	}
}

func TestForgedDeliveriesAreRefused(t *testing.T) {
	t.Parallel()
	f := serve(t).forge(newClock())
	body := []byte(`{"action":"opened"}`)
	tests := []struct {
		name  string
		spoil func(h map[string]string)
		body  string
		want  error
	}{
		{"no signature", func(h map[string]string) { h["X-Hub-Signature-256"] = "" }, "", forges.ErrSignature},
		{"SHA-1 only", func(h map[string]string) {
			h["X-Hub-Signature-256"] = ""
			h["X-Hub-Signature"] = "sha1=0000000000000000000000000000000000000000"
		}, "", forges.ErrSignature},
		{"another secret", func(h map[string]string) { h["X-Hub-Signature-256"] = signed("a-third-secret-of-bytes", body) }, "", forges.ErrSignature},
		{"the empty secret", func(h map[string]string) { h["X-Hub-Signature-256"] = signed("", body) }, "", forges.ErrSignature},
		{"without its prefix", func(h map[string]string) { h["X-Hub-Signature-256"] = signed(secret, body)[7:] }, "", forges.ErrSignature},
		{"another body", func(map[string]string) {}, `{"action":"closed"}`, forges.ErrSignature},
		{"one byte more", func(map[string]string) {}, `{"action":"opened"} `, forges.ErrSignature},
		{"no event", func(h map[string]string) { h["X-GitHub-Event"] = "" }, "", forges.ErrMalformed},
		{"an event that is no word", func(h map[string]string) { h["X-GitHub-Event"] = "push\n" }, "", forges.ErrMalformed},
		{"no delivery id", func(h map[string]string) { h["X-GitHub-Delivery"] = "" }, "", forges.ErrMalformed},
		{"a delivery id without end", func(h map[string]string) { h["X-GitHub-Delivery"] = strings.Repeat("a", 81) }, "", forges.ErrMalformed},
		{"a form", func(h map[string]string) { h["Content-Type"] = "application/x-www-form-urlencoded" }, "", forges.ErrMalformed},
		{"no content type", func(h map[string]string) { h["Content-Type"] = "" }, "", forges.ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := headers("pull_request", secret, body)
			m := map[string]string{}
			tt.spoil(m)
			for k, v := range m {
				h.Set(k, v)
				if v == "" {
					h.Del(k)
				}
			}
			b := body
			if tt.body != "" {
				b = []byte(tt.body)
			}
			d, err := f.Verify(h, b)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if d.Body != nil {
				t.Error("the body was handed on")
			}
		})
	}
}

func TestEitherOfTwoSecretsVerifiesAnyEvent(t *testing.T) {
	t.Parallel()
	f := serve(t).forge(newClock())
	for _, key := range []string{secret, secret2} {
		for _, event := range []string{"pull_request", "an_event_of_tomorrow", "merge_group"} {
			body := []byte(`{"action":"x","sender":{"login":"mara"}}`)
			d, err := f.Verify(headers(event, key, body), body)
			if err != nil || d.Event != event || string(d.Body) != string(body) || d.Forge != "github" {
				t.Errorf("%s: %+v, %v", event, d, err)
			}
		}
	}
	if body := []byte(`no json`); true {
		if _, err := f.Verify(headers("push", secret, body), body); !errors.Is(err, forges.ErrMalformed) {
			t.Errorf("signed rubbish: got %v, want ErrMalformed", err)
		}
	}
}

// TestOurNameIsLearned: once a payload has shown our app, its comments are known
// by the account's name where a payload does not tell the app.
func TestOurNameIsLearned(t *testing.T) {
	t.Parallel()
	f := serve(t).forge(newClock())
	comment := forges.Delivery{Event: "issue_comment", Body: []byte(`{"action":"created","repository":{"id":1,"full_name":"a/b"},
		"issue":{"number":1},"comment":{"id":2,"body":"x","user":{"id":900,"login":"primum-acme[bot]","type":"Bot"}},
		"sender":{"id":900,"login":"primum-acme[bot]","type":"Bot"}}`)}
	before, err := f.Decode(comment)
	if err != nil || before.Ours {
		t.Fatalf("before: %+v, %v", before, err)
	}
	run, err := os.ReadFile("testdata/events/check_run.our-own.json")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Decode(forges.Delivery{Event: "check_run", Body: run}); err != nil {
		t.Fatal(err)
	}
	if after, err := f.Decode(comment); err != nil || !after.Ours || !after.Comment.Ours {
		t.Errorf("after: %+v, %v", after, err)
	}
}

// FuzzDecode: whatever a signed body holds, nothing panics, and an event that is
// decoded has what its kind promises.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/events/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		event, _, _ := strings.Cut(filepath.Base(file), ".")
		f.Add(event, body)
	}
	forge, err := github.New(github.Config{Token: "x", NoWebhooks: true, Now: newClock().Now})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		e, err := forge.Decode(forges.Delivery{Event: event, Body: body})
		switch {
		case err != nil && !errors.Is(err, forges.ErrMalformed):
			t.Errorf("an error of another kind: %v", err)
		case err != nil:
		case e.Kind == forges.ChangeEvent && (len(e.Changes) == 0 || e.Changes[0] <= 0):
			t.Error("a change without number")
		case e.Kind == forges.IssueEvent && e.Issue <= 0:
			t.Error("an issue without number")
		case e.Kind == forges.QueueEvent && e.Queue == nil:
			t.Error("a queue event without candidate")
		case e.Kind == forges.Ignored && e.Reason == "":
			t.Error("ignored without a reason")
		}
	})
}
