package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"primum/forges"
	"primum/forges/wire"
)

// pagesMax bounds a list that never ends.
const pagesMax = 400

// Client calls one forge's API with JSON in and out.
type Client struct {
	http *http.Client
	base *url.URL
}

// New makes a client; o.Base is the API's own address, o.Sign signs the calls.
func New(o wire.Options) (*Client, error) {
	c, err := wire.New(o)
	if err != nil {
		return nil, err
	}
	return &Client{http: c, base: o.Base}, nil
}

// Answer is what a call came to beside its body.
type Answer struct {
	Header http.Header
	Status int
}

// Call sends in (nil for none) and reads the answer into out (nil to drop it).
// The path is below the API's address, escaped, with its query. An answer that
// is no success is a *forges.HTTPError.
func (c *Client) Call(ctx context.Context, method, path string, in, out any) (Answer, error) {
	var body io.Reader
	if in != nil {
		raw, err := json.Marshal(in)
		if err != nil {
			return Answer{}, err
		}
		body = bytes.NewReader(raw)
	}
	address, err := c.base.Parse(strings.TrimPrefix(path, "/"))
	if err != nil {
		return Answer{}, fmt.Errorf("path %q: %w", path, err)
	}
	r, err := http.NewRequestWithContext(ctx, method, address.String(), body)
	if err != nil {
		return Answer{}, err
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "primum")
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return Answer{}, wire.Failure(err)
	}
	defer func() { _ = answer.Body.Close() }()
	a := Answer{Header: answer.Header, Status: answer.StatusCode}
	if answer.StatusCode < 200 || answer.StatusCode > 299 {
		return a, wire.Answer(answer, "", wire.Meaning(answer.StatusCode))
	}
	if out == nil {
		return a, nil
	}
	if err := json.NewDecoder(answer.Body).Decode(out); err != nil {
		return a, fmt.Errorf("%s %s answers with no JSON of its own (%s); is the address that of the forge itself?",
			method, address.Path, answer.Header.Get("Content-Type"))
	}
	return a, nil
}

// Get reads one thing.
func (c *Client) Get(ctx context.Context, path string, out any) (Answer, error) {
	return c.Call(ctx, http.MethodGet, path, nil, out)
}

// List reads all pages of a list. size is the name of the forge's parameter for
// the length of a page, "limit" or "per_page".
func List[T any](ctx context.Context, c *Client, path, size string) ([]T, error) {
	var all []T
	join := "?"
	if strings.Contains(path, "?") {
		join = "&"
	}
	for page := 1; page <= pagesMax; page++ {
		var some []T
		a, err := c.Get(ctx, fmt.Sprintf("%s%spage=%d&%s=50", path, join, page, size), &some)
		if err != nil {
			return all, err
		}
		all = append(all, some...)
		if len(some) == 0 || last(a.Header, len(all), len(some)) {
			return all, nil
		}
	}
	return all, fmt.Errorf("%s has more than %d pages: %w", path, pagesMax, forges.ErrUnsupported)
}

// last reports whether no page follows. Forges that say nothing of it cut no
// list short below the length asked for, or do not page at all.
func last(h http.Header, sofar, here int) bool {
	if total, err := strconv.Atoi(h.Get("X-Total-Count")); err == nil {
		return sofar >= total
	}
	if _, paged := h["X-Next-Page"]; paged {
		return h.Get("X-Next-Page") == ""
	}
	if link := h.Get("Link"); link != "" {
		return !strings.Contains(link, `rel="next"`)
	}
	return here < 50
}
