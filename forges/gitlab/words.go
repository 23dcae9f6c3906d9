package gitlab

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"primum/rules/fact"
)

// bigInt is GraphQL's BigInt: a number, or digits in quotes.
type bigInt int64

// UnmarshalJSON implements json.Unmarshaler.
func (b *bigInt) UnmarshalJSON(raw []byte) error {
	word := strings.Trim(string(raw), `"`)
	if word == "null" || word == "" {
		*b = -1
		return nil
	}
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil {
		return fmt.Errorf("size: %w", err)
	}
	*b = bigInt(n)
	return nil
}

func word(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func at(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// changeState is GitLab's word for the state of a change. "locked" is one being
// merged right now, which may still fail.
func changeState(s string) fact.State {
	switch strings.ToLower(s) {
	case "merged":
		return fact.Merged
	case "closed":
		return fact.Closed
	}
	return fact.Open
}

func issueState(s string) fact.State {
	if strings.EqualFold(s, "closed") {
		return fact.Closed
	}
	return fact.Open
}

// jobState is GitLab's word for the state of a job or status. A job that waits
// for somebody to start it is pending where the pipeline waits for it, and else
// one nobody asked for.
func jobState(s string, mayFail bool) fact.CheckState {
	switch strings.ToLower(s) {
	case "success":
		return fact.CheckSuccess
	case "failed":
		return fact.CheckFailure
	case "canceled", "canceling":
		return fact.CheckCancelled
	case "skipped":
		return fact.CheckSkipped
	case "manual":
		if mayFail {
			return fact.CheckSkipped
		}
	}
	return fact.CheckPending
}

// signatureOf is GitLab's verdict on a signature.
func signatureOf(status string) fact.Signature {
	s := fact.Signature{Present: true}
	switch strings.ToUpper(status) {
	case "VERIFIED", "VERIFIED_CA":
		s.Valid = true
	case "VERIFIED_SYSTEM":
		s.Valid, s.ByForge = true, true
	default:
		s.Reason = strings.ToLower(status)
		if s.Reason == "" {
			s.Reason = "unverified"
		}
	}
	return s
}

// kindOfIssue is GitLab's type of an issue; "" for the plain one.
func kindOfIssue(s string) string {
	if strings.EqualFold(s, "issue") {
		return ""
	}
	return strings.ToLower(s)
}

// excerpt is the first line of a text, at most 120 runes.
func excerpt(s string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(s), "\n")
	runes := []rune(strings.TrimSpace(line))
	return string(runes[:min(len(runes), 120)])
}

func titles(p *page[titled]) []string {
	if p == nil {
		return nil
	}
	var out []string
	for _, l := range p.Nodes {
		out = append(out, l.Title)
	}
	return out
}
