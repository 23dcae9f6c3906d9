package class

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// reason is the class of a change in one sentence.
func (s *sorter) reason(d Derivation) string {
	switch {
	case d.OnlyOutside:
		return "No device software is touched"
	case len(d.Deciding) == 0:
		return "No file is touched"
	}
	first := d.Deciding[0]
	head := "Class " + string(d.Class) + ": " + quotePath(first.Path)
	r, isItem := s.tree.Items[first.Item]
	switch {
	case first.Item == "":
		return head + " is not mapped to an item, and what is not mapped counts as " + string(first.Class)
	case !isItem:
		return head + " belongs to " + first.Item + ", " + s.whySystem()
	case r.Origin == FromOwn:
		return head + " belongs to " + first.Item + " (" + string(first.Class) + ")"
	default:
		return head + " belongs to " + first.Item + ", which " + clause(r)
	}
}

// clause says where an item's class came from, after "which".
func clause(r Result) string {
	eff := string(r.Effective)
	switch r.Origin {
	case FromOwn:
		return "is declared " + eff
	case FromParent:
		said := "inherits " + eff + " from " + r.From
		if r.Item.Own != "" {
			said += " (declared " + string(r.Item.Own) + ", without a valid rationale)"
		}
		return said
	case FromChild:
		return "its part " + r.From + " raises to " + eff
	case FromRisk:
		return "controls " + r.From + ", a risk of class " + eff
	case FromRationale:
		return "is held at " + eff + " by " + r.From
	case FromNothing:
		return "nothing gives a class, so " + eff + " counts"
	default:
		return "counts as " + eff
	}
}

// why is the short form for a group of paths.
func (s *sorter) why(id string) string {
	if id == "" {
		return "not mapped to an item, counts as " + string(s.tree.Ladder.Highest())
	}
	r, ok := s.tree.Items[id]
	if !ok {
		return s.whySystem()
	}
	switch r.Origin {
	case FromOwn:
		return "declared " + string(r.Effective)
	case FromRationale:
		return "held at " + string(r.Effective) + " by " + r.From
	case FromChild:
		return "raised to " + string(r.Effective) + " by its part " + r.From
	case FromNothing:
		return "nothing gives it a class, counts as " + string(r.Effective)
	default:
		return clause(r)
	}
}

// whySystem says where the class of the whole came from.
func (s *sorter) whySystem() string {
	eff := string(s.whole.Effective)
	switch {
	case s.whole.Own == s.whole.Effective:
		return "declared " + eff
	case s.whole.RaisedBy != "":
		return "raised to " + eff + " by " + s.whole.RaisedBy
	default:
		return "to which nothing gives a class, so " + eff + " counts"
	}
}

// maxShownPath bounds a path in a sentence, in runes.
const maxShownPath = 120

// quotePath shows a path in a sentence. Paths come from outside: signs that
// would end the quotation or the line are replaced, and long ones lose their
// beginning.
func quotePath(p string) string {
	p = strings.Map(func(r rune) rune {
		switch {
		case r == '`':
			return '\''
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return '\uFFFD'
		default:
			return r
		}
	}, p)
	if runes := []rune(p); len(runes) > maxShownPath {
		p = "…" + string(runes[len(runes)-maxShownPath+1:])
	}
	return "`" + p + "`"
}
