package policy

import (
	"slices"
	"strings"

	"primum/rules/class"
)

// loosened lists where a file asks less than its base in keys the base locks.
func loosened(base, own *written, p *Policy, l class.Ladder, specs []Spec) Errors {
	locked := base.get("locked")
	if locked == nil {
		return nil
	}
	// A base need not be whole: what it lacks is not compared.
	was, _ := build(base, base.file, l, specs, nil)
	was.Product = p.Product
	was.Systems[0].ID = p.Systems[0].ID
	looser := slices.DeleteFunc(differences(was, p, specs), func(d difference) bool {
		_, isLocked := coveredBy(d.Key, locked.texts())
		return !d.Weaker || !isLocked
	})
	var errs Errors
	for _, d := range grouped(looser, l) {
		key, _ := coveredBy(d.Key, locked.texts())
		e := Error{File: own.file, ID: idLocked, What: d.Words, Fix: base.file + " locks " + key + "; ask for no less"}
		if at := own.nearestTo(d.Key); at != nil {
			e.Line, e.Column = at.line, at.column
		}
		errs = append(errs, e)
	}
	return errs
}

// coveredBy finds the locked key that a key lies under.
func coveredBy(key string, locked []string) (string, bool) {
	for _, l := range locked {
		if key == l || strings.HasPrefix(key, l+".") {
			return l, true
		}
	}
	return "", false
}

// nearestTo is the value at a dotted key, or the last one on the way to it that
// is written.
func (w *written) nearestTo(key string) *written {
	at := w
	for part := range strings.SplitSeq(key, ".") {
		next := at.get(part)
		if next == nil {
			break
		}
		at = next
	}
	if at == w {
		return nil
	}
	return at
}
