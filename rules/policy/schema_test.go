package policy_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"primum/rules/policy"
)

func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	raw, err := policy.Schema(specs())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource("policy.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("policy.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON is a YAML file as the schema sees it.
func asJSON(t *testing.T, src []byte) any {
	t.Helper()
	var v any
	if err := yaml.Load(src, &v); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestTheSchemaAcceptsWhatTheParserAccepts(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	for name, src := range files(t, "ok") {
		if err := s.Validate(asJSON(t, src)); err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
	}
}

func TestTheSchemaRefusesWrongForms(t *testing.T) {
	t.Parallel()
	s := compiled(t)
	bad := files(t, "bad")
	for _, name := range []string{"unknown-keys", "values", "types", "a-list", "nothing-but-class"} {
		if err := s.Validate(asJSON(t, bad[filepath.Join(corpus, "bad", name+".yml")])); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, line := range []string{
		"mode: on", "class: D", "classs: C", "people: {risk: user:mara}", "people: {risk: [mara]}", "people: {Risk: [user:mara]}",
		"rules: {review-quorum: {aprovals: 1}}", "rules: {review-quorum: {approvals: 0}}", "rules: {review-quorum: maybe}",
		"rules: {no-such: warn}", "checks: build", "checks: [{name: build, form: x}]", "items: [{class: C}]", "items: [{id: a, items: [{paths: []}]}]",
		"extends: acme/x", "risk: {}", "levels: {level-of-concern: huge}", "version: 2",
	} {
		if strings.HasPrefix(line, "version") {
			if err := s.Validate(asJSON(t, []byte("product: pump\n"+line+"\n"))); err == nil {
				t.Errorf("%s: accepted", line)
			}
			continue
		}
		if err := s.Validate(asJSON(t, []byte("version: 1\nproduct: pump\n"+line+"\n"))); err == nil {
			t.Errorf("%s: accepted", line)
		}
	}
}

func TestTheSchemaIsTheSameEveryTime(t *testing.T) {
	t.Parallel()
	a, err := policy.Schema(specs())
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		if b, _ := policy.Schema(specs()); !bytes.Equal(a, b) {
			t.Fatal("two schemas of the same rules differ")
		}
	}
	if !bytes.Contains(a, []byte(`"How many people approve."`)) || !bytes.Contains(a, []byte(`"https://json-schema.org/draft/2020-12/schema"`)) {
		t.Error("descriptions or the draft are missing")
	}
}

func TestEveryKeyIsDescribed(t *testing.T) {
	t.Parallel()
	raw, err := policy.Schema(specs())
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	var walk func(path string, v map[string]any)
	walk = func(path string, v map[string]any) {
		properties, _ := v["properties"].(map[string]any)
		for k, p := range properties {
			at, _ := p.(map[string]any)
			if _, isRef := at["$ref"]; !isRef && at["description"] == nil {
				t.Errorf("%s.%s has no description", path, k)
			}
			walk(path+"."+k, at)
		}
		for _, k := range []string{"items", "additionalProperties"} {
			if sub, ok := v[k].(map[string]any); ok {
				walk(path+"."+k, sub)
			}
		}
	}
	walk("", doc)
	defs, _ := doc["$defs"].(map[string]any)
	for k, d := range defs {
		sub, _ := d.(map[string]any)
		walk(k, sub)
	}
}
