package gitea

import (
	"strconv"
	"strings"

	"primum/rules/fact"
)

// Accounts that are none: a deleted one ("Ghost") and the one workflows act as.
const (
	ghostID   = -1
	actionsID = -2
)

func decimal(n int64) string { return strconv.FormatInt(n, 10) }

// cut splits "owner/name".
func cut(full string) (owner, name string, ok bool) {
	owner, name, ok = strings.Cut(full, "/")
	return owner, name, ok && validName(owner) && validName(name)
}

// validName reports whether s can be an owner or a repository: letters, digits,
// dot, dash and underscore, so nothing needs escaping in a path.
func validName(s string) bool {
	if s == "" || len(s) > 100 || s == "." || s == ".." {
		return false
	}
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// positive reads an id of ours; ok is false for what can be none.
func positive(s string) (n int64, ok bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n > 0
}

// issueRef reads "owner/name#12" or "#12"; home is the repository of the latter.
func issueRef(s, home string) (repo string, number int, ok bool) {
	repo, digits, ok := strings.Cut(s, "#")
	if !ok {
		return "", 0, false
	}
	if repo == "" {
		repo = home
	}
	if _, _, ok := cut(repo); !ok {
		return "", 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil || n <= 0 {
		return "", 0, false
	}
	return repo, int(n), true
}

// reviewState is our word for a review's state. A request for a review and one
// that is not submitted yet are no reviews.
func reviewState(state string, dismissed bool) (fact.ReviewState, bool) {
	var s fact.ReviewState
	switch state {
	case "APPROVED":
		s = fact.Approved
	case "REQUEST_CHANGES":
		s = fact.ChangesRequested
	case "COMMENT":
		s = fact.Commented
	default: // REQUEST_REVIEW, PENDING
		return "", false
	}
	if dismissed {
		s = fact.Dismissed
	}
	return s, true
}

// statusState is our word for a status. Only a success is green: the forge lets
// "skipped" through a required check too, and Forgejo any word it does not know.
func statusState(s string) fact.CheckState {
	switch s {
	case "success":
		return fact.CheckSuccess
	case "pending", "": // a status without a state is not there yet
		return fact.CheckPending
	case "skipped":
		return fact.CheckSkipped
	case "neutral":
		return fact.CheckNeutral
	case "cancelled":
		return fact.CheckCancelled
	}
	return fact.CheckFailure // failure, error, warning, and words to come
}

// fileStatus is our word for what a change does to a file. "unchanged" stands
// for a changed mode.
func fileStatus(s string) fact.FileStatus {
	switch s {
	case "added":
		return fact.Added
	case "deleted", "removed":
		return fact.Deleted
	case "renamed":
		return fact.Renamed
	case "copied":
		return fact.Copied
	}
	return fact.Modified
}

// draftTitle reports whether a title marks a draft, by the prefixes every
// instance has unless its administrator changed them.
func draftTitle(title string) bool {
	t := strings.ToUpper(strings.TrimSpace(title))
	return strings.HasPrefix(t, "WIP:") || strings.HasPrefix(t, "[WIP]")
}
