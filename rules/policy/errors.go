package policy

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// Error is file, line and column, what is wrong, and what would be right:
//
//	.primum.yml:14:9: unknown key "aprovals"; did you mean "approvals"?
func (e Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		b.WriteString(":" + strconv.Itoa(e.Line) + ":" + strconv.Itoa(e.Column))
	}
	b.WriteString(": " + e.What)
	if e.Fix != "" {
		b.WriteString("; " + e.Fix)
	}
	return b.String()
}

// Error is one line per error. Errors of length zero is not an error: test the
// length, not the interface.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Has reports whether an error of this id is among them.
func (e Errors) Has(id string) bool {
	return slices.ContainsFunc(e, func(one Error) bool { return one.ID == id })
}

// maxErrors bounds what is said of one file.
const maxErrors = 200

// sorted orders errors by file, then position. Errors at one position keep
// their order; what is said twice is said once, and beyond maxErrors nothing.
func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b Error) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	e = slices.Compact(e)
	if len(e) > maxErrors {
		e = e[:maxErrors+1]
		e[maxErrors].What, e[maxErrors].Fix, e[maxErrors].ID = "more is wrong from here on", "mend the first "+strconv.Itoa(maxErrors)+" errors", idMore
	}
	return e
}

// The stable ids of errors and warnings.
const (
	idSyntax      = "syntax"
	idEncoding    = "encoding"
	idTooLarge    = "too-large"
	idTooDeep     = "too-deep"
	idEmpty       = "empty-file"
	idDocuments   = "several-documents"
	idDuplicate   = "duplicate-key"
	idUnknownKey  = "unknown-key"
	idMissing     = "missing-key"
	idType        = "wrong-type"
	idValue       = "wrong-value"
	idGlob        = "bad-glob"
	idPath        = "bad-path"
	idUnknownRule = "unknown-rule"
	idUnknownRole = "unknown-role"
	idUnknownItem = "unknown-item"
	idSameID      = "same-id"
	idCircle      = "circle"
	idBaseUnread  = "base-unread"
	idBaseExtends = "base-extends"
	idLocked      = "locked"
	idMore        = "more-errors"

	// Of warnings.
	idPlanned     = "planned-rule"
	idNobody      = "nobody-holds"
	idNoClass     = "no-class"
	idNoEffect    = "no-effect"
	idUnusualRole = "unusual-role"
)
