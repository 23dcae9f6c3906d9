// Package clause is the table of IEC 62304's clauses: number, a short title in
// our own words, the safety classes each applies to, and the rules that serve
// it. clauses.yaml is the source and says how the class cells were established;
// table.go is made from it. The package imports the standard library only.
package clause

import (
	"slices"
	"strings"
	"sync"
)

// Edition is the edition the table describes.
const Edition = "IEC 62304:2006+A1:2015"

// Clause is one clause, or one list item of clause 4.3.
type Clause struct {
	ID    string `json:"id"`    // "5.1.1", "4.3.a"
	Title string `json:"title"` // a few words, not the standard's
	Area  string `json:"area"`  // "planning", "risk", "problem-resolution" …
	// Deleted is true for clauses that Amendment 1 removed; they apply to no class.
	Deleted bool `json:"deleted,omitempty"`
	// Classes it applies to, least strict first; Classes2006 before Amendment 1,
	// empty if it did not exist.
	Classes     []string `json:"classes"`
	Classes2006 []string `json:"classes_2006"`
	// Amended says what Amendment 1 changed ("new", "classes", "title" …), "" if
	// no change is known.
	Amended    string     `json:"amended,omitempty"`
	Automation Automation `json:"automation"`
	// Rules serve the clause, those still to come included.
	Rules []string `json:"rules,omitempty"`
	Note  string   `json:"note,omitempty"`
}

// Automation says how much of a clause a program can see on a forge.
type Automation string

// Degrees of automation.
const (
	Check  Automation = "check"  // a program can decide it
	Record Automation = "record" // a program can keep the record, a person judges it
	Assist Automation = "assist" // a program sees that something exists, not that it is good
	None   Automation = "none"   // nothing useful to see
)

// Applies reports whether the clause applies to a software safety class ("A").
func (c Clause) Applies(class string) bool { return slices.Contains(c.Classes, class) }

// All lists every clause in the order of the standard, deleted ones included.
// The slices within must not be changed.
func All() []Clause { return slices.Clone(clauses()) }

// Find finds a clause by its number. A list item is written "4.3 a" or "4.3.a";
// an item of a clause whose items are not in the table ("7.2.2 b") gives the
// clause itself.
func Find(id string) (Clause, bool) {
	id = strings.TrimSpace(id)
	number, item, _ := strings.Cut(id, " ")
	if c, ok := find(id); ok {
		return c, true
	}
	if len(item) != 1 || item < "a" || item > "z" {
		return Clause{}, false
	}
	if c, ok := find(number + "." + item); ok {
		return c, true
	}
	if c, ok := find(number + ".a"); ok && c.ID != "" {
		return Clause{}, false // its items are in the table, and this is none of them
	}
	return find(number)
}

func find(id string) (Clause, bool) {
	i, ok := index()[id]
	if !ok {
		return Clause{}, false
	}
	return clauses()[i], true
}

// Compare orders clause numbers as the standard does: 5.2 before 5.10.
func Compare(a, b string) int {
	as, bs := strings.FieldsFunc(a, isSeparator), strings.FieldsFunc(b, isSeparator)
	for i := range min(len(as), len(bs)) {
		if len(as[i]) != len(bs[i]) && isNumber(as[i]) && isNumber(bs[i]) {
			return len(as[i]) - len(bs[i])
		}
		if c := strings.Compare(as[i], bs[i]); c != 0 {
			return c
		}
	}
	return len(as) - len(bs)
}

func isSeparator(r rune) bool { return r == '.' || r == ' ' }

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }

//nolint:gochecknoglobals // a constant table, built once and never changed
var clauses = sync.OnceValue(table)

//nolint:gochecknoglobals // an index of clauses, built once and never changed
var index = sync.OnceValue(func() map[string]int {
	m := make(map[string]int, len(clauses()))
	for i, c := range clauses() {
		m[c.ID] = i
	}
	return m
})
