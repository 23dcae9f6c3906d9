package giteaface_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"primum/forges/sim"
	"primum/forges/sim/giteaface"
	"primum/forges/sim/simtest"
)

// shape is which JSON types stand at which path of a payload.
type shape map[string]map[string]bool

func (s shape) add(path string, v any) {
	note := func(kind string) {
		if s[path] == nil {
			s[path] = map[string]bool{}
		}
		s[path][kind] = true
	}
	switch v := v.(type) {
	case nil:
		note("null")
	case bool:
		note("boolean")
	case float64:
		note("number")
	case string:
		note("string")
	case []any:
		note("array")
		for _, e := range v {
			s.add(path+"[]", e)
		}
	case map[string]any:
		note("object")
		for k, e := range v {
			s.add(path+"."+k, e)
		}
	}
}

// only reports whether nothing but null (or no element) was seen at or above a path.
func (s shape) only(path string) bool {
	for path != "" {
		if kinds := s[path]; kinds != nil && kinds["null"] && len(kinds) == 1 {
			return true
		}
		if up, item := strings.CutSuffix(path, "[]"); item {
			if s[path] == nil && s[up]["array"] {
				return true // the list was always empty
			}
			path = up
			continue
		}
		path = path[:max(strings.LastIndex(path, "."), 0)]
	}
	return false
}

// seen is what was seen of one kind of delivery.
type seen struct {
	all   shape
	each  []shape
	heads map[string]bool
}

type kinds map[string]*seen

func (k kinds) add(kind, action string, header http.Header, body []byte) error {
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		return err
	}
	name := strings.TrimSuffix(kind+" "+action, " ")
	if k[name] == nil {
		k[name] = &seen{all: shape{}, heads: map[string]bool{}}
	}
	one := shape{}
	one.add("", v)
	k[name].all.add("", v)
	k[name].each = append(k[name].each, one)
	for h := range header {
		k[name].heads[http.CanonicalHeaderKey(h)] = true
	}
	return nil
}

// always lists the paths every delivery of a kind has where it has what is above.
func (s *seen) always() []string {
	var out []string
	for path := range s.all {
		everywhere := true
		up := path[:max(strings.LastIndex(path, "."), 0)]
		for _, one := range s.each {
			if one[up]["object"] && one[path] == nil {
				everywhere = false
			}
		}
		if everywhere && strings.Contains(path, ".") && !strings.HasSuffix(path, "[]") {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

func recordedKinds(t *testing.T) kinds {
	t.Helper()
	files, err := filepath.Glob("../../../testdata/gitea-1.26.3/webhooks/*.body.json")
	if err != nil || len(files) != 150 {
		t.Fatalf("%d recorded deliveries, %v; want 150", len(files), err)
	}
	out := kinds{}
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(strings.Replace(f, ".body.", ".headers.", 1))
		if err != nil {
			t.Fatal(err)
		}
		var meta struct {
			Type    string            `json:"event_type"`
			Action  string            `json:"action"`
			Headers map[string]string `json:"headers"`
		}
		if err := json.Unmarshal(raw, &meta); err != nil {
			t.Fatal(err)
		}
		header := http.Header{}
		for k, v := range meta.Headers {
			header.Set(k, v)
		}
		if err := out.add(meta.Type, meta.Action, header, body); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// ears keeps what a face sends.
type ears struct {
	mu   sync.Mutex
	got  kinds
	errs []error
	log  []string
}

func (e *ears) hear(kind string, header http.Header, body []byte) {
	var in struct {
		Action     string `json:"action"`
		Repository struct {
			Name string `json:"full_name"`
		} `json:"repository"`
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := json.Unmarshal(body, &in); err != nil {
		e.errs = append(e.errs, err)
		return
	}
	if in.Repository.Name != simtest.Repo { // the recorded webhook was the repository's
		return
	}
	e.log = append(e.log, strings.TrimSpace(fmt.Sprintf("%s/%s %s", header.Get("X-Gitea-Event"), kind, in.Action)))
	if err := e.got.add(kind, in.Action, header, body); err != nil {
		e.errs = append(e.errs, err)
	}
}

// story does every deed a recorded delivery tells of.
func story(t *testing.T, f *sim.Forge) {
	t.Helper()
	const repo = simtest.Repo
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	as := f.As
	push := func(who, branch, path, text string) {
		t.Helper()
		_, err := as(who).Push(repo, branch, sim.NewCommit{Files: map[string]string{path: text}})
		ok(err)
	}
	issue, err := as("jonas").OpenIssue(repo, "Rate drifts", "It drifts.")
	ok(err)
	ok(as("alex").Label(repo, issue, "bug", "class/C"))
	ok(as("alex").Unlabel(repo, issue, "bug"))
	ok(as("alex").Label(repo, issue, "risk"))
	comment, err := as("priya").Comment(repo, issue, "one")
	ok(err)
	ok(as("priya").EditComment(repo, comment, "two"))
	ok(as("priya").DeleteComment(repo, comment))
	ok(as("jonas").Close(repo, issue, ""))
	ok(as("jonas").Reopen(repo, issue))
	ok(as("alex").SetMilestone(repo, issue, "1.0"))
	ok(as("alex").ClearLabels(repo, issue))
	ok(as("jonas").SetBody(repo, issue, "It drifts much."))
	gone, err := as("jonas").OpenIssue(repo, "gone", "")
	ok(err)
	ok(as("alex").DeleteIssue(repo, gone))
	push("mara", "rate", "fw/dosing/rate.c", "int rate;\n")
	n, err := as("mara").OpenChange(repo, sim.NewChange{Title: "Rate", Body: fmt.Sprintf("Closes #%d", issue), Head: "rate"})
	ok(err)
	_, err = as("priya").Approve(repo, n, "yes")
	ok(err)
	_, err = as("alex").SetStatus(repo, f.Tip(repo, "rate"), sim.Status{Context: "bench", State: "success"})
	ok(err)
	ok(as("alex").Label(repo, n, "class/C"))
	ok(as("mara").RequestReview(repo, n, "chen"))
	_, err = as("chen").Comment(repo, n, "why")
	ok(err)
	ok(as("mara").ConvertToDraft(repo, n))
	ok(as("mara").MarkReady(repo, n))
	ok(as("mara").SetBody(repo, n, fmt.Sprintf("Fixes #%d", issue)))
	_, err = as("chen").Review(repo, n, sim.Commented, "", "hm")
	ok(err)
	no, err := as("chen").RequestChanges(repo, n, "no")
	ok(err)
	ok(as("chen").DismissReview(repo, n, no, "well")) // tells nobody
	push("mara", "rate", "fw/dosing/rate_test.c", "int x;\n")
	ok(as("mara").Close(repo, n, ""))
	ok(as("mara").Reopen(repo, n))
	ok(as("alex").Protect(repo, "main", &sim.Protection{Approvals: 1})) // tells nobody
	_, err = as("mara").Merge(repo, n, sim.MergeOptions{})
	ok(err)
	ok(as("mara").DeleteBranch(repo, "rate"))
	ok(as("alex").Tag(repo, "v1", "main"))
	fork, err := as("sam").Fork(repo)
	ok(err)
	_, err = as("sam").Push(fork, "patch", sim.NewCommit{Files: map[string]string{"docs/soup.md": "zlib\n"}})
	ok(err)
	m, err := as("sam").OpenChange(repo, sim.NewChange{Title: "List SOUP", Head: "sam:patch"})
	ok(err)
	_, err = as("sam").Push(fork, "patch", sim.NewCommit{Files: map[string]string{"docs/soup.md": "zlib 1.3\n"}})
	ok(err)
	ok(as("sam").Close(repo, m, ""))
	ok(as("sam").Reopen(repo, m))
}

// TestDeliveriesLookAsRecorded holds what the face sends against what a Gitea
// 1.26.3 sent of the same deeds: every field that was always there is there, of a
// type seen there, and there is none besides.
func TestDeliveriesLookAsRecorded(t *testing.T) {
	t.Parallel()
	recorded := recordedKinds(t)
	e := &ears{got: kinds{}}
	rig := simtest.NewGitea(t, simtest.GiteaOptions{Sent: e.hear})
	story(t, rig.Forge)
	if err := rig.Face.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, err := range e.errs {
		t.Error(err)
	}
	// What is no deed of the model.
	left := map[string]bool{"fork": true, "release published": true, "pull_request_assign assigned": true}
	anywhere := map[string]bool{} // fields left out where they are empty
	for _, s := range recorded {
		for path := range s.all {
			anywhere[path] = true
		}
	}
	compared := 0
	for _, name := range slices.Sorted(maps.Keys(recorded)) {
		got, want := e.got[name], recorded[name]
		if got == nil {
			if !left[name] {
				t.Errorf("%s was recorded and never sent", name)
			}
			continue
		}
		compared++
		for _, path := range want.always() {
			up := path[:max(strings.LastIndex(path, "."), 0)]
			if got.all[up]["object"] && got.all[path] == nil {
				t.Errorf("%s: %s is missing", name, path)
			}
		}
		for path, types := range got.all {
			known := want.all[path]
			if known == nil {
				if !want.all.only(path) && !anywhere[path] {
					t.Errorf("%s: Gitea has no %s", name, path)
				}
				continue
			}
			for kind := range types {
				if !known[kind] && kind != "null" && (!known["null"] || len(known) > 1) {
					t.Errorf("%s: %s is %s, was recorded as %v", name, path, kind, slices.Sorted(maps.Keys(known)))
				}
			}
		}
		for h := range want.heads {
			if !got.heads[h] && h != "Accept-Encoding" && h != "Content-Length" { // the client's own
				t.Errorf("%s: header %s is missing", name, h)
			}
		}
		for h := range got.heads {
			if !want.heads[h] {
				t.Errorf("%s: Gitea sends no header %s", name, h)
			}
		}
	}
	for name := range e.got {
		if recorded[name] == nil && name != "repository created" { // from before the recording
			t.Errorf("%s was sent and never recorded", name)
		}
	}
	if compared < 24 {
		t.Errorf("%d kinds of delivery compared", compared)
	}
	t.Logf("%d kinds of delivery compared, %d recorded", compared, len(recorded))
}

// TestWhatForgejoDoesNotTell does the same deeds on Forgejo.
func TestWhatForgejoDoesNotTell(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		version string
		lacks   []string
		has     []string
	}{
		{"7.0.2+gitea-1.22.0", []string{"status", "issues deleted", "issues edited"}, []string{"issue_comment deleted", "pull_request edited"}},
		{"10.0.0+gitea-1.22.0", []string{"status", "issues deleted"}, []string{"issues edited", "issue_comment deleted", "pull_request edited"}},
	} {
		t.Run(c.version, func(t *testing.T) {
			t.Parallel()
			e := &ears{got: kinds{}}
			rig := simtest.NewGitea(t, simtest.GiteaOptions{Product: giteaface.Forgejo, Version: c.version, Sent: e.hear})
			story(t, rig.Forge)
			if err := rig.Face.Drain(t.Context()); err != nil {
				t.Fatal(err)
			}
			e.mu.Lock()
			defer e.mu.Unlock()
			for _, name := range c.lacks {
				if e.got[name] != nil {
					t.Errorf("%s was sent", name)
				}
			}
			for _, name := range c.has {
				if e.got[name] == nil {
					t.Errorf("%s was not sent; sent were %v", name, slices.Sorted(maps.Keys(e.got)))
				}
			}
			onChange := e.got["pull_request_comment created"]
			if onChange == nil {
				t.Fatal("no comment on a change")
			}
			if has := onChange.all[".pull_request"] != nil; has != strings.HasPrefix(c.version, "10") {
				t.Errorf("a comment has the change: %t", has)
			}
			for _, h := range []string{"X-Forgejo-Event", "X-Forgejo-Event-Type", "X-Forgejo-Signature", "X-Forgejo-Delivery", "X-Github-Event", "X-Gogs-Event"} {
				if !onChange.heads[h] {
					t.Errorf("header %s is missing", h)
				}
			}
		})
	}
}
