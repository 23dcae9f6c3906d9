package gitlab

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	gitlab "github.com/xanzy/go-gitlab"

	"primum/forges"
	"primum/forges/wire"
)

// connect makes the one client of a Forge. Its retries are off: the library
// repeats a POST too, which would write twice.
func (f *Forge) connect() error {
	line, err := wire.New(wire.Options{
		Base: f.web, CAFile: f.CAFile, CAPEM: f.CAPEM, Proxy: f.Proxy, Timeout: f.Timeout, Wait: f.Wait,
		Now: f.Now, Meter: f.Meter, Scope: f.Key(),
		Resource: func(r *http.Request) string {
			if r.URL.Path == f.web.Path+"api/graphql" {
				return "graphql"
			}
			return "core"
		},
		Sign: func(r *http.Request) {
			r.Header.Set("Private-Token", f.Token)
			r.Header.Set("User-Agent", "primum")
		},
		// The library waits by these on its own account.
		Hide: []string{"Ratelimit-Limit", "Ratelimit-Remaining", "Ratelimit-Reset"},
	})
	if err != nil {
		return err
	}
	f.http = line
	//nolint:staticcheck // the library named for this; its successor moved, see doc.go
	f.rest, err = gitlab.NewClient("", gitlab.WithBaseURL(f.web.String()), gitlab.WithHTTPClient(line), gitlab.WithoutRetries(),
		gitlab.WithCustomLimiter(unlimited{}))
	return err
}

// unlimited is no limiter: the library would make a call of its own to learn the
// instance's limit, and wire keeps to what answers say.
type unlimited struct{}

// Wait implements gitlab.RateLimiter.
func (unlimited) Wait(context.Context) error { return nil }

// get makes one reading REST call below /api/v4 and decodes its answer into out.
// next is the page after this one, 0 if there is none.
func (f *Forge) get(ctx context.Context, path string, query url.Values, out any) (next int, err error) {
	r, err := f.rest.NewRequest(http.MethodGet, path, nil, []gitlab.RequestOptionFunc{gitlab.WithContext(ctx)})
	if err != nil {
		return 0, wire.Failure(err)
	}
	r.URL.RawQuery = query.Encode()
	answer, err := f.rest.Do(r, out)
	if err != nil {
		return 0, failure(answer, err)
	}
	return answer.NextPage, nil
}

// send makes one writing REST call with a JSON body.
func (f *Forge) send(ctx context.Context, method, path string, body, out any) error {
	r, err := f.rest.NewRequest(method, path, body, []gitlab.RequestOptionFunc{gitlab.WithContext(ctx)})
	if err != nil {
		return wire.Failure(err)
	}
	answer, err := f.rest.Do(r, out)
	return failure(answer, err)
}

// all follows a list to its end.
func all[T any](ctx context.Context, f *Forge, path string, query url.Values) ([]T, error) {
	var list []T
	if query == nil {
		query = url.Values{}
	}
	query.Set("per_page", "100")
	for page := 1; page <= maxPages; page++ {
		query.Set("page", decimal(page))
		var part []T
		next, err := f.get(ctx, path, query, &part)
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
		if next == 0 {
			return list, nil
		}
	}
	return nil, fmt.Errorf("%s: more than %d pages", path, maxPages)
}

// maxPages bounds how far any list is followed.
const maxPages = 100

// graphError is one entry of "errors" in an answer.
type graphError struct {
	Message    string `json:"message"`
	Path       []any  `json:"path"`
	Extensions struct {
		Code string `json:"code"`
	} `json:"extensions"`
}

// query asks the GraphQL endpoint and fills out. An answer with an error in it is
// no answer: GitLab leaves out what an account may not see without saying so,
// and an error means that something broke.
func (f *Forge) query(ctx context.Context, text string, vars map[string]any, out any) error {
	body, err := json.Marshal(map[string]any{"query": text, "variables": vars})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(wire.Harmless(ctx), http.MethodPost, f.web.String()+"api/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	answer, err := f.http.Do(r)
	if err != nil {
		return wire.Failure(err)
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return wire.Answer(answer, "", meaning(answer.StatusCode, wire.Peek(answer)))
	}
	var whole struct {
		Data   json.RawMessage `json:"data"`
		Errors []graphError    `json:"errors"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&whole); err != nil {
		return fmt.Errorf("graphql answer: %w", err)
	}
	if len(whole.Errors) > 0 {
		e := whole.Errors[0]
		cure, meaning := e.meaning()
		return wire.Answer(answer, e.Message+cure, meaning)
	}
	if len(whole.Data) == 0 || bytes.Equal(whole.Data, []byte("null")) {
		return wire.Answer(answer, "an answer without data", nil)
	}
	if err := json.Unmarshal(whole.Data, out); err != nil {
		return fmt.Errorf("graphql answer: %w", err)
	}
	return nil
}

// meaning is what would mend an error, and the sentinel it amounts to, nil where
// it may go away. GitLab refuses a query whole where one field of it is
// unknown or all together are too dear, before it reads anything.
func (e graphError) meaning() (cure string, meaning error) {
	const tooOld = "; Primum needs GitLab 17.0 or later: update it"
	switch e.Extensions.Code {
	case "undefinedField", "undefinedType", "argumentNotAccepted", "argumentLiteralsIncompatible":
		return tooOld, forges.ErrUnsupported
	}
	said := strings.ToLower(e.Message)
	switch {
	case strings.Contains(said, "don't exist on type"), strings.Contains(said, "doesn't exist on type"):
		return tooOld, forges.ErrUnsupported
	case strings.Contains(said, "exceeds max complexity"), strings.Contains(said, "exceeds max depth"), strings.Contains(said, "query too large"):
		return "; this version of GitLab counts Primum's query as dearer than it allows: update Primum, or tell its makers the version of GitLab", forges.ErrUnsupported
	case strings.Contains(said, "timeout"):
		return "; GitLab gave up after its own limit of time and is asked again", nil
	case strings.Contains(said, "blocked"), strings.Contains(said, "deactivated"):
		return "", forges.ErrSuspended
	case strings.Contains(said, "don't have permission"), strings.Contains(said, "insufficient_scope"),
		strings.Contains(said, "insufficient scope"), strings.Contains(said, "invalid token"):
		return "", forges.ErrForbidden
	}
	return "", nil
}
