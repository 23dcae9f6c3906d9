package rules_test

import (
	"testing"

	"primum/rules"
	"primum/rules/fact"
	ft "primum/rules/facttest"
)

func TestClassDeclared(t *testing.T) {
	t.Parallel()
	run(t, "class-declared", []spoilt{
		{name: "every path has its item", want: rules.Pass},
		{
			name: "a new folder", want: rules.Fail, says: "`fw/new/a.c` belongs to no item and counts as class C", who: "whoever looks after .primum.yml",
			spoil: func(c *fact.Change) { ft.Touch(c, "fw/new/a.c") },
		},
		{
			name: "many new files are one finding", want: rules.Fail, says: "`fw/n/1.c`, `fw/n/2.c`, `fw/n/3.c` and 2 more belong to no item",
			spoil: func(c *fact.Change) { ft.Touch(c, "fw/n/1.c", "fw/n/2.c", "fw/n/3.c", "fw/n/4.c", "fw/n/5.c") },
		},
		{
			name: "two unrelated items claim a path", want: rules.Fail, says: "belongs to", also: []string{"cr-analysis-complete"},
			policy: replaced("paths: [ui/**, tests/ui/**]", "paths: [ui/**, tests/ui/**, fw/dosing/rate.h]"),
		},
		{name: "files with a guard of their own need no item", want: rules.Pass, spoil: func(c *fact.Change) { ft.Touch(c, ".github/workflows/ci.yml", "pytest.ini") }},
		{name: "paths outside device software", want: rules.Pass, spoil: func(c *fact.Change) { ft.Touch(c, "docs/guide.txt") }},
	})
}

func TestNewFolderRaisesTheClass(t *testing.T) {
	t.Parallel()
	c, p := ft.Compliant("A")
	ft.Touch(c, "fw/new/a.c")
	if v := judge(c, p); v.Class.Class != "C" || v.State != rules.Fail {
		t.Errorf("class %s, %s: what is not mapped counts as C and asks for C's reviews", v.Class.Class, v.State)
	}
}
