package github

import (
	"regexp"
	"strconv"
	"strings"

	"primum/rules/fact"
)

// GitHub's words that are compared with.
const (
	typeBot   = "Bot"
	botSuffix = "[bot]"
	// webFlow is the account that commits what is edited or merged on GitHub's
	// own pages. It is nobody's.
	webFlow = "web-flow"
)

func isBotLogin(login string) bool { return strings.HasSuffix(login, botSuffix) }

// cut splits "owner/name".
func cut(full string) (owner, name string, ok bool) {
	owner, name, ok = strings.Cut(full, "/")
	return owner, name, ok && validName(owner) && validName(name)
}

// lastNumber is the number a page address ends in: "…#issuecomment-12" is 12.
var lastNumber = regexp.MustCompile(`([0-9]+)/?$`)

// idOf is the number of a thing: as told, or read off its address where the
// forge is too old to tell numbers above 32 bits.
func idOf(told, address string) string {
	if told != "" && told != "0" {
		return told
	}
	if m := lastNumber.FindStringSubmatch(address); m != nil {
		return m[1]
	}
	return ""
}

func stateOf(s string) fact.State {
	switch strings.ToUpper(s) {
	case "OPEN":
		return fact.Open
	case "MERGED":
		return fact.Merged
	}
	return fact.Closed
}

func reviewState(s string) (fact.ReviewState, bool) {
	switch s {
	case "APPROVED":
		return fact.Approved, true
	case "CHANGES_REQUESTED":
		return fact.ChangesRequested, true
	case "COMMENTED":
		return fact.Commented, true
	case "DISMISSED":
		return fact.Dismissed, true
	}
	return "", false // PENDING: not submitted, seen by its author only
}

// runState is the state of a check run. A run that GitHub gave up on ("stale",
// after two weeks) ended without an answer.
func runState(status, conclusion string) fact.CheckState {
	if status != "COMPLETED" {
		return fact.CheckPending
	}
	switch conclusion {
	case "SUCCESS":
		return fact.CheckSuccess
	case "NEUTRAL":
		return fact.CheckNeutral
	case "SKIPPED":
		return fact.CheckSkipped
	case "CANCELLED", "STALE":
		return fact.CheckCancelled
	}
	return fact.CheckFailure // FAILURE, TIMED_OUT, ACTION_REQUIRED, STARTUP_FAILURE, and words to come
}

func statusState(s string) fact.CheckState {
	switch s {
	case "SUCCESS":
		return fact.CheckSuccess
	case "PENDING", "EXPECTED":
		return fact.CheckPending
	}
	return fact.CheckFailure
}

// fileStatus is the status of a file in GraphQL's or in REST's words.
func fileStatus(s string) fact.FileStatus {
	switch strings.ToLower(s) {
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
