package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"primum/rules/policy"
)

func TestExplainFindsAKey(t *testing.T) {
	t.Parallel()
	p := parse(t, three+"people: {risk: [user:mara]}\nrules: {review-quorum: {C: {approvals: 3}}}\nitems: [{id: ui, paths: [ui/**]}]\n")
	tests := []struct {
		key  string
		want []policy.Row
	}{
		{"class", []policy.Row{{Key: "class", Value: "C", Origin: ".primum.yml:3:8", Doc: "The safety class of the software system (4.3 a, c). Without one, the highest counts (4.3 g)."}}},
		{"people.risk", []policy.Row{{Key: "people.risk", Value: "[user:mara]", Origin: ".primum.yml:4:16", Doc: "Who answers for the risk file."}}},
		{"people.quality", []policy.Row{{Key: "people.quality", Value: "[]", Origin: "shipped default", Doc: "Who answers for the policy and approves waivers."}}},
		{"rules.review-quorum.C.approvals", []policy.Row{{Key: "rules.review-quorum.C.approvals", Value: "3", Origin: ".primum.yml:5:40", Doc: "How many people approve."}}},
		{"rules.review-quorum.A", []policy.Row{
			{Key: "rules.review-quorum.A.enforcement", Value: "block", Origin: "shipped default", Doc: "What a failing rule does: off is not judged, warn reports only, block keeps the change from merging."},
			{Key: "rules.review-quorum.A.approvals", Value: "1", Origin: "shipped default", Doc: "How many people approve."},
			{Key: "rules.review-quorum.A.roles", Value: "[developer]", Origin: "shipped default", Doc: "The roles that approve, each once."},
		}},
		{"items.ui.class", []policy.Row{{Key: "items.ui.class", Value: "C", Origin: "from pump", Doc: "The item's own class. Without one it inherits (4.3 d)."}}},
	}
	for _, tt := range tests {
		t.Run(tt.key, func(t *testing.T) {
			t.Parallel()
			got, err := policy.Explain(p, tt.key)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	_, err := policy.Explain(p, "rules.reveiw-quorum")
	if err == nil || err.Error() != `no key "rules.reveiw-quorum"; did you mean "rules.review-quorum"?` {
		t.Errorf("error %v", err)
	}
}

func TestExplainNamesTheBase(t *testing.T) {
	t.Parallel()
	p := parse(t, extending, policy.WithBase(baseName, []byte(base)))
	got, err := policy.Explain(p, "mode")
	if err != nil || len(got) != 1 || got[0].Origin != "acme/primum-policy@v3:.primum.yml:2:7" {
		t.Errorf("%v %v", got, err)
	}
}

func TestEveryValueIsDescribed(t *testing.T) {
	t.Parallel()
	for name, src := range files(t, "ok") {
		p := parse(t, string(src))
		rows, err := policy.Explain(p, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			if r.Doc == "" {
				t.Errorf("%s: %s has no description", name, r.Key)
			}
		}
	}
}
