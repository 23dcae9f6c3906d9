package github

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"primum/forges"
	"primum/forges/wire"
)

// The texts of the queries; change.graphql says how they are put together.
var (
	//go:embed change.graphql
	changeText string
	//go:embed fragments.graphql
	fragmentsText string
	//go:embed anyissue.graphql
	anyIssueText string
	//go:embed members.graphql
	membersText string
	//go:embed issue.graphql
	issueText string
	//go:embed team.graphql
	teamText string
	//go:embed checks.graphql
	checksText string
	//go:embed commits.graphql
	commitsText string
	//go:embed files.graphql
	filesText string
	//go:embed queue.graphql
	queueText string
	//go:embed reaction.graphql
	reactionText string
)

// graphError is one entry of "errors" in an answer.
type graphError struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Path    []any  `json:"path"`
	// Extensions.Code tells what is wrong with the query itself.
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

// at is the i-th step of the path as a word; "" past its end.
func (e graphError) at(i int) string {
	if i >= len(e.Path) {
		return ""
	}
	switch v := e.Path[i].(type) {
	case string:
		return v
	case float64:
		return strconv.Itoa(int(v))
	}
	return ""
}

// words says what GitHub said, for people.
func (e graphError) words() string { return wire.Short(wire.Redact(e.Message), 200) }

// lasting reports whether the error names a state that will not go away by
// asking again: missing or forbidden. All others spoil the whole answer.
func (e graphError) lasting() bool {
	switch e.Type {
	case "NOT_FOUND", "FORBIDDEN", "INSUFFICIENT_SCOPES":
		return true
	}
	return false
}

// query asks the GraphQL endpoint and fills out. Errors that concern a part of
// the answer only and will not go away are returned as partial; everything else
// is an error: an answer half of which timed out is no answer.
func (c *client) query(ctx context.Context, text string, vars map[string]any, out any) (partial []graphError, err error) {
	return c.graph(wire.Harmless(ctx), text, vars, out)
}

func (c *client) graph(ctx context.Context, text string, vars map[string]any, out any) ([]graphError, error) {
	body, err := json.Marshal(map[string]any{"query": text, "variables": vars})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.graphql, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "primum")
	answer, err := c.http.Do(r)
	if err != nil {
		return nil, c.failure(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, answerError(answer)
	}
	var whole struct {
		Data   json.RawMessage `json:"data"`
		Errors []graphError    `json:"errors"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&whole); err != nil {
		return nil, fmt.Errorf("graphql answer: %w", err)
	}
	refused := func(e graphError, meaning error) error {
		return &forges.HTTPError{
			Method: http.MethodPost, Path: r.URL.Path, Status: http.StatusOK, Err: meaning,
			Message: e.words(), RequestID: wire.Short(answer.Header.Get("X-Github-Request-Id"), 80),
		}
	}
	for _, e := range whole.Errors {
		switch {
		case e.Type == "RATE_LIMITED" || e.Type == "RATE_LIMIT":
			return nil, c.graphLimited(answer.Header)
		case saysLimited(e.Message):
			limited := &forges.RateLimited{Until: c.Now().Add(wire.ShortestWait), Secondary: true, Scope: c.scope}
			c.gate.Close("", limited)
			return nil, limited
		case e.unknownWord():
			return nil, refused(e, forges.ErrUnsupported)
		case !e.lasting():
			return nil, refused(e, nil)
		}
	}
	if len(whole.Data) == 0 || bytes.Equal(bytes.TrimSpace(whole.Data), []byte("null")) {
		e := graphError{Message: "no data"}
		if len(whole.Errors) > 0 {
			e = whole.Errors[0]
		}
		return nil, refused(e, graphMeaning(e.Type))
	}
	if err := json.Unmarshal(whole.Data, out); err != nil {
		return nil, fmt.Errorf("graphql answer: %w", err)
	}
	c.noteCost(ctx, whole.Data)
	return whole.Errors, nil
}

// noteCost logs what a query took of the hour's budget.
func (c *client) noteCost(ctx context.Context, data json.RawMessage) {
	if !c.Log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	var answer struct {
		RateLimit *struct {
			Cost      int `json:"cost"`
			Remaining int `json:"remaining"`
		} `json:"rateLimit"`
	}
	if json.Unmarshal(data, &answer) != nil || answer.RateLimit == nil { // off on many Enterprise Servers
		return
	}
	c.Log.DebugContext(ctx, "graphql query", slog.String("operation", wire.Named(ctx)), slog.String("installation", c.scope),
		slog.Int("cost", answer.RateLimit.Cost), slog.Int("remaining", answer.RateLimit.Remaining))
}

// graphLimited is a primary limit told in an answer with status 200.
func (c *client) graphLimited(h http.Header) error {
	limited := &forges.RateLimited{Until: c.Now().Add(wire.ShortestWait), Scope: c.scope}
	if l := c.gate.Shut("graphql", c.scope); l != nil {
		limited.Until = l.Until // the headers of this very answer said so
	}
	if at, named := wire.RetryAfter(h, c.Now()); named {
		limited.Until = at
	}
	c.gate.Close("graphql", limited)
	return limited
}

// unknownWord reports whether the server is too old for the query.
func (e graphError) unknownWord() bool {
	switch e.Extensions.Code {
	case "undefinedField", "undefinedType", "argumentNotAccepted", "argumentLiteralsIncompatible":
		return true
	}
	return false
}

func graphMeaning(kind string) error {
	switch kind {
	case "NOT_FOUND":
		return forges.ErrNotFound
	case "FORBIDDEN", "INSUFFICIENT_SCOPES":
		return forges.ErrForbidden
	}
	return nil
}

// quoted writes s as a GraphQL string. JSON's escapes are a subset of GraphQL's.
func quoted(s string) string {
	raw, err := json.Marshal(s)
	if err != nil { // a string always marshals
		return `""`
	}
	return string(raw)
}

// fragment cuts one fragment out of a text, comment lines before it left out.
func fragment(text, name string) string {
	start := strings.Index(text, "fragment "+name+" on ")
	if start < 0 {
		return ""
	}
	if end := strings.Index(text[start:], "\n}\n"); end >= 0 {
		return text[start : start+end+3]
	}
	return text[start:]
}
