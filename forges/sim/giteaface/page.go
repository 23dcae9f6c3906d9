package giteaface

import (
	"fmt"
	"strconv"
	"strings"
)

// Limits of a page.
const (
	defaultPage = 30
	mostOfPage  = 50
)

// window is which page was asked for, and how long pages are.
func (c *call) window() (at, size int) {
	size, err := strconv.Atoi(c.query("limit"))
	if err != nil || size <= 0 {
		size = defaultPage
	}
	at, err = strconv.Atoi(c.query("page"))
	if err != nil || at <= 0 {
		at = 1
	}
	return at, min(size, mostOfPage)
}

// page cuts a list to the page asked for and says how many there are in all.
func page[T any](c *call, all []T) []T {
	at, size := c.window()
	c.total(len(all))
	from := min((at-1)*size, len(all))
	return all[from:min(from+size, len(all))]
}

// linked is page with a Link header, which not every list has.
func linked[T any](c *call, all []T) []T {
	at, size := c.window()
	last := max((len(all)+size-1)/size, 1)
	q := c.r.URL.Query()
	var links []string
	link := func(rel string, n int) {
		q.Set("page", strconv.Itoa(n))
		links = append(links, fmt.Sprintf("<%s%s?%s>; rel=%q", c.t.options().URL, "/api/v1"+c.below(), q.Encode(), rel))
	}
	if at < last {
		link("next", at+1)
		link("last", last)
	}
	if at > 1 {
		link("first", 1)
		link("prev", at-1)
	}
	if len(links) > 0 {
		c.w.Header().Set("Link", strings.Join(links, ","))
		c.expose("Link")
	}
	return page(c, all)
}

// below is the escaped path below /api/v1.
func (c *call) below() string {
	path, _ := c.t.apiPath(c.r.URL)
	return path
}

func (c *call) total(n int) {
	c.w.Header().Set("X-Total-Count", strconv.Itoa(n))
	c.expose("X-Total-Count")
}

func (c *call) expose(name string) {
	h := c.w.Header()
	if have := h.Get("Access-Control-Expose-Headers"); have != "" {
		name = have + ", " + name
	}
	h.Set("Access-Control-Expose-Headers", name)
}

// pages are the headers of the lists that tell the page's number too.
func (c *call) pages(n int) {
	at, size := c.window()
	last := (n + size - 1) / size
	h := c.w.Header()
	h.Set("X-Page", strconv.Itoa(at))
	h.Set("X-PerPage", strconv.Itoa(size))
	h.Set("X-PageCount", strconv.Itoa(last))
	h.Set("X-HasMore", strconv.FormatBool(at < last))
	c.expose("X-Page, X-PerPage, X-PageCount, X-HasMore")
}
