package gitea

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"primum/forges"
	"primum/forges/github"
	"primum/rules/fact"
)

var update = flag.Bool("update", false, "write the golden files anew")

// What the recorded story was told with.
const (
	recorded       = "../../testdata/gitea-1.26.3"
	recordedSecret = "rig-webhook-secret"
	recordedBot    = 6 // account of primum-bot
)

// story is one recorded delivery.
type story struct {
	name   string // "031-pull_request_comment-created"
	header http.Header
	body   []byte
}

func stories(tb testing.TB) []story {
	tb.Helper()
	files, err := filepath.Glob(recorded + "/webhooks/*.headers.json")
	if err != nil || len(files) == 0 {
		tb.Fatalf("no recorded deliveries (%v)", err)
	}
	slices.Sort(files)
	var all []story
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		var about struct {
			Headers map[string]string `json:"headers"`
		}
		if err := json.Unmarshal(raw, &about); err != nil {
			tb.Fatalf("%s: %v", file, err)
		}
		s := story{name: strings.TrimSuffix(filepath.Base(file), ".headers.json"), header: http.Header{}}
		for k, v := range about.Headers {
			s.header.Set(k, v)
		}
		if s.body, err = os.ReadFile(strings.TrimSuffix(file, ".headers.json") + ".body.json"); err != nil {
			tb.Fatal(err)
		}
		all = append(all, s)
	}
	return all
}

// listener is an adapter that verifies and decodes, and knows its own account.
func listener(tb testing.TB, secrets ...string) *Forge {
	tb.Helper()
	if len(secrets) == 0 {
		secrets = []string{recordedSecret}
	}
	f, err := New(Config{URL: "http://127.0.0.1:1", Token: "t", Secrets: secrets, Now: time.Now})
	if err != nil {
		tb.Fatal(err)
	}
	f.self = fact.Person{ID: decimal(recordedBot), Login: "primum-bot", Bot: true}
	return f
}

func sign(body []byte) string {
	mac := hmac.New(sha256.New, []byte(recordedSecret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// told is an event in one line.
func told(e *forges.Event) string {
	var b strings.Builder
	b.WriteString(string(e.Kind) + ":" + string(e.Trigger))
	for _, n := range e.Changes {
		fmt.Fprintf(&b, " change %d", n)
	}
	if e.Issue > 0 {
		fmt.Fprintf(&b, " issue %d", e.Issue)
	}
	if e.Branch != "" {
		fmt.Fprintf(&b, " on %s", e.Branch)
	}
	if e.SHA != "" {
		fmt.Fprintf(&b, " at %.7s", e.SHA)
	}
	if e.Check != nil {
		fmt.Fprintf(&b, " check %s done=%t", e.Check.Name, e.Check.Done)
	}
	if e.Comment != nil {
		fmt.Fprintf(&b, " comment %s %s by %s %q", e.Comment.ID, e.Comment.Action, e.Comment.Author.Login, e.Comment.Body)
		if e.Comment.Previous != "" {
			fmt.Fprintf(&b, " was %q", e.Comment.Previous)
		}
	}
	for _, flag := range []struct {
		is   bool
		name string
	}{{e.Closed, "closed"}, {e.Pushed, "pushed"}, {e.Removed, "removed"}, {e.Ours, "ours"}} {
		if flag.is {
			b.WriteString(" " + flag.name)
		}
	}
	if e.Reason != "" {
		b.WriteString(": " + e.Reason)
	}
	fmt.Fprintf(&b, " (%s)", e.Actor.Login)
	return strings.Join(strings.Fields(b.String()), " ")
}

// TestRecordedDeliveries verifies and decodes every delivery of the story, and
// none of them passes for one of GitHub, whose headers they copy.
func TestRecordedDeliveries(t *testing.T) {
	t.Parallel()
	f := listener(t)
	hub, err := github.New(github.Config{Token: "t", Secrets: []string{recordedSecret}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	kinds := map[forges.EventKind]int{}
	ours, all := 0, stories(t)
	for _, s := range all {
		d, err := f.Verify(s.header, s.body)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		e, err := f.Decode(d)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if e.Kind != forges.Ignored && (e.Repo.ID == "" || e.Repo.Forge != "gitea" || e.Repo.Owner == "" || e.Repo.Name == "") {
			t.Errorf("%s: repository %+v", s.name, e.Repo)
		}
		kinds[e.Kind]++
		if e.Ours {
			ours++
		}
		fmt.Fprintf(&out, "%s: %s\n", s.name, told(&e))
		if _, err := hub.Verify(s.header, s.body); !errors.Is(err, forges.ErrMalformed) {
			t.Errorf("%s: GitHub's adapter says %v", s.name, err)
		}
	}
	fmt.Fprintf(&out, "\n%d deliveries, %d of them ours\n", len(all), ours)
	for _, kind := range []forges.EventKind{forges.ChangeEvent, forges.IssueEvent, forges.CheckEvent, forges.PushEvent, forges.RepoEvent, forges.Ignored} {
		fmt.Fprintf(&out, "%s: %d\n", kind, kinds[kind])
		delete(kinds, kind)
	}
	if len(kinds) > 0 {
		t.Errorf("also of kinds %v", kinds)
	}
	golden(t, "testdata/recorded.golden", out.String())
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// TestForgejoDeliveries sends the story as Forgejo does: with headers of its
// own beside Gitea's, comments on changes without the pull request, and no
// "draft". What it is about stays the same.
func TestForgejoDeliveries(t *testing.T) {
	t.Parallel()
	f := listener(t)
	plain := 0
	for _, s := range stories(t) {
		before, err := f.Verify(s.header, s.body)
		if err != nil {
			t.Fatal(err)
		}
		was, err := f.Decode(before)
		if err != nil {
			t.Fatal(err)
		}
		var body map[string]any
		if err := json.Unmarshal(s.body, &body); err != nil {
			t.Fatal(err)
		}
		comment := s.header.Get("X-Gitea-Event") == "issue_comment"
		if comment {
			delete(body, "pull_request")
		}
		if pr, ok := body["pull_request"].(map[string]any); ok {
			delete(pr, "draft")
		}
		raw, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		h := s.header.Clone()
		for _, name := range []string{"Event", "Event-Type", "Delivery", "Signature"} {
			h.Set("X-Gitea-"+name, s.header.Get("X-Gitea-"+name))
			h.Set("X-Forgejo-"+name, s.header.Get("X-Gitea-"+name))
		}
		h.Set("X-Gitea-Signature", sign(raw))
		h.Set("X-Forgejo-Signature", sign(raw))
		d, err := f.Verify(h, raw)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		e, err := f.Decode(d)
		if err != nil {
			t.Errorf("%s: %v", s.name, err)
			continue
		}
		if comment && was.Kind == forges.ChangeEvent {
			plain++
			was.SHA, was.Branch = "", "" // the head is then read
		}
		if diff := cmp.Diff(told(&was), told(&e)); diff != "" {
			t.Errorf("%s (-Gitea +Forgejo):\n%s", s.name, diff)
		}
	}
	if plain == 0 {
		t.Error("no comment on a change among them")
	}
}

func TestVerifyRefuses(t *testing.T) {
	t.Parallel()
	const other = "another-webhook-secret"
	s := stories(t)[0]
	edit := func(change func(http.Header)) http.Header {
		h := s.header.Clone()
		change(h)
		return h
	}
	drop := func(prefixes ...string) http.Header {
		return edit(func(h http.Header) {
			for name := range h {
				for _, p := range prefixes {
					if strings.HasPrefix(name, p) {
						h.Del(name)
					}
				}
			}
		})
	}
	for _, c := range []struct {
		name    string
		secrets []string
		header  http.Header
		body    []byte
		want    error
	}{
		{"as it came", nil, s.header, s.body, nil},
		{"with the second of two secrets", []string{other, recordedSecret}, s.header, s.body, nil},
		{"with another secret", []string{other}, s.header, s.body, forges.ErrSignature},
		{"another body", nil, s.header, append([]byte(" "), s.body...), forges.ErrSignature},
		{"no signature of its own", nil, edit(func(h http.Header) { h.Del("X-Gitea-Signature") }), s.body, forges.ErrSignature},
		{"a signature in capitals", nil, edit(func(h http.Header) { h.Set("X-Gitea-Signature", strings.ToUpper(sign(s.body))) }), s.body, forges.ErrSignature},
		{"one right and one wrong signature", nil, edit(func(h http.Header) {
			h.Set("X-Forgejo-Signature", strings.Repeat("0", 64))
		}), s.body, forges.ErrSignature},
		{"Forgejo's headers alone", nil, edit(func(h http.Header) {
			for _, name := range []string{"Event", "Event-Type", "Delivery", "Signature"} {
				h.Set("X-Forgejo-"+name, h.Get("X-Gitea-"+name))
				h.Del("X-Gitea-" + name)
			}
		}), s.body, nil},
		{"GitHub's headers alone", nil, drop("X-Gitea-", "X-Gogs-"), s.body, forges.ErrMalformed},
		{"the copies of Gogs alone", nil, drop("X-Gitea-", "X-Github-", "X-Hub-"), s.body, forges.ErrMalformed},
		{"no headers", nil, http.Header{}, s.body, forges.ErrMalformed},
		{"no id", nil, edit(func(h http.Header) { h.Del("X-Gitea-Delivery") }), s.body, forges.ErrMalformed},
		{"an odd event", nil, edit(func(h http.Header) { h.Set("X-Gitea-Event-Type", "../x") }), s.body, forges.ErrMalformed},
		{"a form", nil, edit(func(h http.Header) { h.Set("Content-Type", "application/x-www-form-urlencoded") }), s.body, forges.ErrMalformed},
		{"nothing in it", nil, edit(func(h http.Header) { h.Set("X-Gitea-Signature", sign(nil)) }), nil, forges.ErrMalformed},
		{"too much in it", nil, s.header, bytes.Repeat([]byte(" "), maxDelivery+1), forges.ErrMalformed},
		{"signed, but no object", nil, edit(func(h http.Header) { h.Set("X-Gitea-Signature", sign([]byte("[1]"))) }), []byte("[1]"), forges.ErrMalformed},
		{"signed, but cut off", nil, edit(func(h http.Header) { h.Set("X-Gitea-Signature", sign(s.body[:99])) }), s.body[:99], forges.ErrMalformed},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, err := listener(t, c.secrets...).Verify(c.header, c.body)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			if err == nil && (d.ID == "" || d.Event != "issues" || d.Forge != "gitea") {
				t.Errorf("delivery %s %s of %s", d.ID, d.Event, d.Forge)
			}
		})
	}
}

// TestTypeOverEvent: the event "pull_request_comment" is a review and the type
// of that name a plain comment.
func TestTypeOverEvent(t *testing.T) {
	t.Parallel()
	f := listener(t)
	seen := map[fact.Trigger]int{}
	for _, s := range stories(t) {
		event, kind := s.header.Get("X-Gitea-Event"), s.header.Get("X-Gitea-Event-Type")
		if event != "pull_request_comment" && kind != "pull_request_comment" {
			continue
		}
		d, err := f.Verify(s.header, s.body)
		if err != nil {
			t.Fatal(err)
		}
		e, err := f.Decode(d)
		if err != nil {
			t.Fatal(err)
		}
		want := fact.OnCommand
		if event == "pull_request_comment" {
			want = fact.OnReviewed
		}
		if e.Trigger != want || (e.Comment != nil) != (want == fact.OnCommand) {
			t.Errorf("%s: trigger %s, comment %v", s.name, e.Trigger, e.Comment)
		}
		seen[e.Trigger]++
	}
	if seen[fact.OnCommand] == 0 || seen[fact.OnReviewed] == 0 {
		t.Errorf("seen %v", seen)
	}
}

func TestDecodeWhatTheStoryLacks(t *testing.T) {
	t.Parallel()
	f := listener(t)
	const repo = `"repository":{"id":7,"name":"pump","full_name":"acme/pump","owner":{"id":2,"login":"acme"}},"sender":{"id":3,"login":"mara"}`
	const sha = "1111111111111111111111111111111111111111"
	for _, c := range []struct{ event, body, want string }{
		{"action_run_success", `{"action":"success","run":{"commit_sha":"` + sha + `","workflow_id":"ci.yml"},` + repo + `}`, "check:check at 1111111 check done=true (mara)"},
		{"action_run_failure", `{"run":{"commit_sha":"` + sha + `","repository":{"id":7,"full_name":"acme/pump","name":"pump"}}}`, "check:check at 1111111 check done=true ()"},
		{"workflow_run", `{"action":"completed","workflow_run":{"head_sha":"` + sha + `"},` + repo + `}`, "ignored:: the statuses of its jobs say the same (mara)"},
		{"workflow_job", `{"action":"completed","workflow_job":{"head_sha":"` + sha + `"},` + repo + `}`, "ignored:: the statuses of its jobs say the same (mara)"},
		{"repository", `{"action":"created",` + repo + `}`, "repo:opened (mara)"},
		{"repository", `{"action":"deleted",` + repo + `}`, "repo:opened removed (mara)"},
		{"delete", `{"ref":"topic","ref_type":"branch",` + repo + `}`, "push:policy on topic closed (mara)"},
		{"delete", `{"ref":"v1","ref_type":"tag",` + repo + `}`, "ignored:: a tag went, no branch (mara)"},
		{"push", `{"ref":"refs/heads/topic","before":"` + sha + `","after":"0000000000000000000000000000000000000000",` + repo + `}`, "push:policy on topic closed (mara)"},
		{"pull_request", `{"action":"demilestoned","number":3,"pull_request":{"number":3},` + repo + `}`, "ignored:: this changes nothing that is judged (mara)"},
		{"issue_assign", `{"action":"assigned","issue":{"number":3},` + repo + `}`, "ignored:: this changes nothing that is judged (mara)"},
		{"status", `{"sha":"` + sha + `","context":"primum","state":"success",` + repo + `}`, "check:check at 1111111 check primum done=true (mara)"},
		{"schedule", `{}`, "ignored:: Primum does not use this event ()"},
	} {
		e, err := f.Decode(forges.Delivery{Event: c.event, Body: []byte(c.body)})
		if err != nil {
			t.Errorf("%s: %v", c.event, err)
			continue
		}
		if got := told(&e); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.event, got, c.want)
		}
	}
	for _, c := range []struct{ event, body string }{
		{"issues", `[]`},
		{"issues", `{"action":"opened",` + repo + `}`},
		{"issue_comment", `{"action":"created","issue":{"number":3},` + repo + `}`},
		{"issue_comment", `{"action":"created","comment":{"id":3},` + repo + `}`},
		{"pull_request", `{"action":"opened",` + repo + `}`},
		{"pull_request", `{"action":"opened","pull_request":{},` + repo + `}`},
		{"pull_request_review_approved", `{"action":"reviewed","pull_request":{"number":3},` + repo + `}`},
		{"status", `{"sha":"` + sha + `",` + repo + `}`},
		{"push", repo},
		{"push", `{` + repo + `}`},
		{"delete", `{` + repo + `}`},
		{"repository", `{"action":"deleted"}`},
		{"workflow_run", `{` + repo + `}`},
		{"action_run_success", `{` + repo + `}`},
	} {
		if e, err := f.Decode(forges.Delivery{Event: c.event, Body: []byte(c.body)}); !errors.Is(err, forges.ErrMalformed) {
			t.Errorf("%s %s: got %v %v, want %v", c.event, c.body, e, err, forges.ErrMalformed)
		}
	}
}

func FuzzVerify(f *testing.F) {
	all := stories(f)
	for _, s := range all[:3] {
		f.Add(s.header.Get("X-Gitea-Event-Type"), s.header.Get("X-Gitea-Signature"), s.body)
	}
	l := listener(f)
	f.Fuzz(func(t *testing.T, event, signature string, body []byte) {
		h := http.Header{"Content-Type": {"application/json"}}
		h.Set("X-Gitea-Event-Type", event)
		h.Set("X-Gitea-Delivery", "1")
		h.Set("X-Gitea-Signature", signature)
		_, err := l.Verify(h, body)
		if proven := signature == sign(body); err == nil && !proven {
			t.Fatal("a signature that is not ours was taken for ours")
		}
		if err != nil && !errors.Is(err, forges.ErrMalformed) && !errors.Is(err, forges.ErrSignature) {
			t.Fatalf("got %v", err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	seen := map[string]bool{}
	for _, s := range stories(f) {
		if kind := s.header.Get("X-Gitea-Event-Type"); !seen[kind] {
			seen[kind] = true
			f.Add(kind, s.body)
		}
	}
	l := listener(f)
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		e, err := l.Decode(forges.Delivery{Event: event, Body: body})
		switch {
		case err != nil && !errors.Is(err, forges.ErrMalformed):
			t.Fatalf("got %v", err)
		case err == nil && e.Kind == forges.ChangeEvent && (len(e.Changes) != 1 || e.Changes[0] <= 0):
			t.Fatalf("a change without a number: %+v", e)
		case err == nil && e.Kind == forges.IssueEvent && e.Issue <= 0:
			t.Fatalf("an issue without a number: %+v", e)
		case err == nil && e.Kind == forges.Ignored && e.Reason == "":
			t.Fatal("ignored without a reason")
		}
	})
}
