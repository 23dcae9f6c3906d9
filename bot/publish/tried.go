package publish

import (
	"context"
	"fmt"
	"strings"

	"primum/bot/store"
)

// maxTried bounds the acts looked at for what was written without our knowing.
const maxTried = 40

// editKey is the key under which our comment is edited to a text, once in a claim.
func editKey(c *store.Claim, body string) string {
	return editsOf(c.Key) + looseDigest(body) + ":" + c.Token
}

func editsOf(k store.Key) string { return "comment:" + subjectKey(k) + ":edit:" }

// Tried are the texts that stand in our comment perhaps, as Compare compares
// them: those of the edits since the one that is known to stand. A forge may have
// done what it did not answer, and a process may have ended before it kept that
// it was answered (law 7): whoever reads such a text reads ours.
func Tried(ctx context.Context, s store.Store, k store.Key, known string) ([]string, error) {
	acts, err := s.Acts(ctx, k, maxTried)
	if err != nil {
		return nil, fmt.Errorf("look for what was written to the comment: %w", err)
	}
	var out []string
	for _, a := range acts { // newest first
		rest, ok := strings.CutPrefix(a.Key, editsOf(k))
		if !ok {
			continue
		}
		text, _, _ := strings.Cut(rest, ":")
		if text == known && !a.DoneAt.IsZero() && a.Error == "" {
			break // what is older was written over
		}
		out = append(out, text)
	}
	return out, nil
}
