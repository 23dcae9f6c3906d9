package gitea

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"code.gitea.io/sdk/gitea"

	"primum/forges"
	"primum/forges/wire"
)

// maxPages bounds how far any list is followed: 100 pages of 50.
const maxPages = 100

// pageSize is what is asked for; most instances give no more at a time, and one
// set to less gives what it likes.
const pageSize = 50

// sdk is a client of the library for one job: its context is the client's and
// not the call's. The version is "", so that it asks for none.
func (f *Forge) sdk(ctx context.Context) (*gitea.Client, error) {
	c, err := gitea.NewClient(strings.TrimSuffix(f.web.String(), "/"),
		gitea.SetHTTPClient(f.http), gitea.SetContext(ctx), gitea.SetGiteaVersion(""))
	if err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	return c, nil
}

// get reads JSON into v, for what the library has no field for. path is below
// the API, its parts escaped.
func (f *Forge) get(ctx context.Context, path string, query url.Values, v any) (http.Header, error) {
	raw, h, err := f.raw(ctx, path, query)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return nil, fmt.Errorf("GET %s: answer is not what it should be: %w", path, err)
	}
	return h, nil
}

// raw reads an answer as it is.
func (f *Forge) raw(ctx context.Context, path string, query url.Values) ([]byte, http.Header, error) {
	address := f.api.String() + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("GET %s: %w", path, err)
	}
	answer, err := f.http.Do(r)
	if err != nil {
		return nil, nil, wire.Failure(err)
	}
	defer func() { _ = answer.Body.Close() }() // held in memory
	raw, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, nil, fmt.Errorf("GET %s: %w", path, err)
	}
	if answer.StatusCode >= http.StatusMultipleChoices { // a redirect without an address
		return nil, nil, wire.Answer(answer, "", forges.ErrConflict)
	}
	return raw, answer.Header, nil
}

// repoPath is the path of a repository's part; the parts are escaped.
func repoPath(owner, name string, parts ...string) string {
	var b strings.Builder
	b.WriteString("repos/" + url.PathEscape(owner) + "/" + url.PathEscape(name))
	for _, p := range parts {
		b.WriteString("/" + url.PathEscape(p))
	}
	return b.String()
}

// filePath escapes a path of a file but for its slashes.
func filePath(path string) string {
	parts := strings.Split(path, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return strings.Join(parts, "/")
}

func paged(page int, more url.Values) url.Values {
	q := url.Values{"page": {strconv.Itoa(page)}, "limit": {strconv.Itoa(pageSize)}}
	maps.Copy(q, more)
	return q
}

// total is the number of all items of a list, as the answer tells; -1 if it does not.
func total(h http.Header) int {
	n, err := strconv.Atoi(h.Get("X-Total-Count"))
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// everyPage reads every page of a list whose answers tell how many items there are,
// and one page more than needed where they do not.
func everyPage[T any](ctx context.Context, f *Forge, path string, query url.Values) ([]T, error) {
	var all []T
	for page := 1; page <= maxPages; page++ {
		var got []T
		h, err := f.get(ctx, path, paged(page, query), &got)
		if err != nil {
			return nil, err
		}
		all = append(all, got...)
		if whole := total(h); len(got) == 0 || whole >= 0 && len(all) >= whole {
			return all, nil
		}
	}
	return nil, fmt.Errorf("GET %s: more than %d pages", path, maxPages)
}
