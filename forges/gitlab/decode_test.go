package gitlab

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
	"primum/rules/fact"
)

var update = flag.Bool("update", false, "write the golden files anew")

// listener is an adapter that knows who it is and one group's place.
func listener(tb testing.TB) *Forge {
	tb.Helper()
	f := adapter(tb)
	f.self.Store(&fact.Person{ID: "9", Login: "primum", Bot: true})
	f.learn(100, "acme/firmware")
	return f
}

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
			f := listener(t)
			body, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			event, _, _ := strings.Cut(filepath.Base(file), ".")
			d, err := f.Verify(delivered(strings.ReplaceAll(event, "_", " ")), body)
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
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if e = prune(e); e == nil {
				delete(v, k)
			} else {
				v[k] = e
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		if len(v) == 0 {
			return nil
		}
		for i := range v {
			v[i] = prune(v[i])
		}
	case string:
		if v == "" || v == "0001-01-01T00:00:00Z" {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return v
}

// A payload that contradicts its own event is malformed, and one that GitLab
// sends of what is none of ours is not.
func TestPayloadsThatContradictTheirEvent(t *testing.T) {
	t.Parallel()
	f := listener(t)
	for event, bodies := range map[string][]string{
		"Merge Request Hook": {`{}`, `{"object_attributes":{"iid":1}}`, `{"project":{"path_with_namespace":"a/b"},"object_attributes":{"iid":0}}`, `{"object_attributes":[]}`, `[]`, `{`},
		//nolint:misspell // GitLab's word
		"Note Hook":     {`{}`, `{"project":{"path_with_namespace":"a/b"},"object_attributes":{"note":"x"}}`, `{"project":{"path_with_namespace":"a/b"},"object_attributes":{"noteable_type":"MergeRequest"}}`, `{"project":{"path_with_namespace":"a/b"},"object_attributes":{"noteable_type":"Issue"}}`},
		"Issue Hook":    {`{}`, `{"object_attributes":{"iid":-1}}`},
		"Push Hook":     {`{}`, `{"project":{"path_with_namespace":"a/b"},"ref":"refs/heads/x"}`},
		"Pipeline Hook": {`{}`, `{"project":{"path_with_namespace":"a/b"},"object_attributes":{"sha":"x"}}`},
		"Job Hook":      {`{}`, `{"project":{"path_with_namespace":"a/b"},"build_name":"x","sha":"../.."}`},
		"Member Hook":   {`{}`},
		"Subgroup Hook": {`{}`},
		"Project Hook":  {`{}`, `{"project_id":1}`},
		"System Hook":   {`{}`, `{"event_name":"push"}`},
	} {
		for _, body := range bodies {
			if e, err := f.Decode(forges.Delivery{Event: event, Body: []byte(body)}); !errors.Is(err, forges.ErrMalformed) {
				t.Errorf("%s %s: got %+v, %v", event, body, e, err)
			}
		}
	}
}

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
		f.Add(strings.ReplaceAll(event, "_", " "), body)
	}
	forge := listener(f)
	f.Fuzz(func(t *testing.T, event string, body []byte) {
		e, err := forge.Decode(forges.Delivery{Event: event, Body: body})
		if err != nil {
			if !errors.Is(err, forges.ErrMalformed) {
				t.Fatalf("an error without a meaning: %v", err)
			}
			return
		}
		switch e.Kind {
		case forges.Ignored:
			if e.Reason == "" {
				t.Fatal("ignored without a reason")
			}
		case forges.ChangeEvent:
			if len(e.Changes) != 1 || e.Changes[0] <= 0 || e.Repo.Name == "" {
				t.Fatalf("a change without a number or project: %+v", e)
			}
		case forges.IssueEvent:
			if e.Issue <= 0 || e.Repo.Name == "" {
				t.Fatalf("an issue without a number or project: %+v", e)
			}
		case forges.PeopleEvent:
			if e.Owner == "" {
				t.Fatalf("people of nobody: %+v", e)
			}
		case forges.CheckEvent, forges.PushEvent, forges.RepoEvent, forges.InstallationEvent:
		case forges.QueueEvent:
			t.Fatalf("a merge queue on GitLab: %+v", e)
		default:
			t.Fatalf("an event of no kind: %+v", e)
		}
	})
}
