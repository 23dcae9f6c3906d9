package pages

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"primum/bot/report"
	"primum/bot/store"
	"primum/rules"
	"primum/rules/class"
)

// listMax is how many open changes are read for the start page.
const listMax = 5000

// row is one open change of the list.
type row struct {
	Forge    string    `json:"forge"`
	Repo     string    `json:"repo"`
	Change   int       `json:"change"`
	Title    string    `json:"title"`
	Product  string    `json:"product"`
	State    string    `json:"state"` // an outcome, or "unjudged"
	Class    string    `json:"class"`
	Why      string    `json:"why"`
	Opened   time.Time `json:"opened,omitzero"`
	Judged   time.Time `json:"judged,omitzero"`
	Problem  string    `json:"problem,omitempty"`
	GaveUp   bool      `json:"gave_up,omitempty"`
	Waiting  bool      `json:"waiting,omitempty"` // something newer than the verdict waits to be judged
	Page     string    `json:"page"`
	Ref      string    `json:"-"` // the number as people write it: "#14", "!4"
	AgeHours int       `json:"age_hours"`
}

// unjudged is the state of a change without a verdict yet.
const unjudged = "unjudged"

// states in the order people need them.
func states() []string {
	return []string{string(rules.Fail), string(rules.Unknown), string(rules.Pending), unjudged, string(rules.Pass), string(rules.NA)}
}

// filter is the part of the list asked for in the address.
type filter struct {
	State, Class, Product, Repo, Age, Text string
	Problems                               bool
}

func filterOf(q url.Values) filter {
	one := func(k string) string { return report.Clip(report.Clean(q.Get(k)), 200) }
	return filter{
		State: one("state"), Class: one("class"), Product: one("product"), Repo: one("repo"), Age: one("age"), Text: one("q"),
		Problems: q.Get("problems") != "",
	}
}

// values writes the filter back as an address, with one part changed.
func (f filter) values() url.Values {
	v := url.Values{}
	for k, s := range map[string]string{"state": f.State, "class": f.Class, "product": f.Product, "repo": f.Repo, "age": f.Age, "q": f.Text} {
		if s != "" {
			v.Set(k, s)
		}
	}
	if f.Problems {
		v.Set("problems", "1")
	}
	return v
}

// With is the query of the filter with one part set to a value; "" takes it out.
func (f filter) With(key, value string) string {
	v := f.values()
	v.Del(key)
	if value != "" {
		v.Set(key, value)
	}
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

// Set reports whether anything is filtered.
func (f filter) Set() bool { return f != filter{} }

// older is the least age asked for; 0 for every age.
func (f filter) older() time.Duration {
	days, err := strconv.Atoi(strings.TrimSuffix(f.Age, "d"))
	if err != nil || days < 0 || days > 36_500 {
		return 0
	}
	return time.Duration(days) * 24 * time.Hour
}

func (f filter) keeps(r row, now time.Time) bool {
	switch {
	case f.State != "" && r.State != f.State, f.Class != "" && r.Class != f.Class, f.Product != "" && r.Product != f.Product,
		f.Repo != "" && r.Repo != f.Repo, f.Problems && r.Problem == "" && !r.GaveUp:
		return false
	case f.older() > 0 && (r.Opened.IsZero() || now.Sub(r.Opened) < f.older()):
		return false
	case f.Text != "" && !strings.Contains(strings.ToLower(r.Title+" "+r.Repo+" "+r.Ref), strings.ToLower(f.Text)):
		return false
	default:
		return true
	}
}

// rows are the open changes this request may see, most pressing first.
func (p *Pages) rows(r *http.Request) (rows []row, v viewer, full bool, err error) {
	ctx := r.Context()
	v, _ = p.viewer(r)
	open, err := p.o.Store.Open(ctx, "", "", listMax)
	if err != nil {
		return nil, v, false, fmt.Errorf("list open changes: %w", err)
	}
	now := p.o.Clock.Now()
	visible := map[string]bool{}
	for _, o := range open {
		repo := o.Forge + "/" + o.RepoID
		may, asked := visible[repo]
		if !asked {
			may = p.seesOpen(r, v, o)
			visible[repo] = may
		}
		if may {
			rows = append(rows, p.row(o, now))
		}
	}
	slices.SortStableFunc(rows, pressing)
	return rows, v, len(open) == listMax, nil
}

// seesOpen decides by the repository's own row: what is not known is private.
func (p *Pages) seesOpen(r *http.Request, v viewer, o store.OpenRow) bool {
	if p.o.Access.Everyone || v.All {
		return true
	}
	repo, err := p.o.Store.Repo(r.Context(), o.Forge, o.RepoID)
	return err == nil && p.sees(r.Context(), v, repo)
}

func (p *Pages) row(o store.OpenRow, now time.Time) row {
	out := row{
		Forge: o.Forge, Repo: o.Owner + "/" + o.Name, Change: o.Number, Title: report.Clean(o.Title), Product: report.Clean(o.Product),
		State: o.State, Class: o.Class, Why: report.Clean(o.Why), Opened: o.OpenedAt, Judged: o.JudgedAt,
		Problem: report.Clean(o.Problem), GaveUp: o.GaveUp, Waiting: o.Wanted > o.Judged,
		Page: p.base + changePath(o.Forge, o.Owner, o.Name, strconv.Itoa(o.Number)), Ref: p.product(o.Forge).sign + strconv.Itoa(o.Number),
	}
	if out.State == "" {
		out.State = unjudged
	}
	if out.State == string(rules.Waived) {
		out.State = string(rules.Pass)
	}
	if !o.OpenedAt.IsZero() {
		out.AgeHours = int(now.Sub(o.OpenedAt).Hours())
	}
	return out
}

// pressing orders by product, then state, then class from the strictest, then age.
func pressing(a, b row) int {
	if a.Product != b.Product {
		if a.Product == "" || b.Product == "" { // without a product: last
			return strings.Compare(b.Product, a.Product)
		}
		return strings.Compare(a.Product, b.Product)
	}
	if c := stateRank(a.State) - stateRank(b.State); c != 0 {
		return c
	}
	if c := classRank(b.Class) - classRank(a.Class); c != 0 {
		return c
	}
	if c := a.Opened.Compare(b.Opened); c != 0 {
		return c
	}
	return a.Change - b.Change
}

func classRank(s string) int { return class.Current().Rank(class.Level(s)) }

func stateRank(s string) int {
	if i := slices.Index(states(), s); i >= 0 {
		return i
	}
	return len(states())
}

// startView is the start page.
type startView struct {
	Filter   filter
	Tiles    []tile
	Classes  []tile
	Ages     []tile
	Repos    []string
	Products []product
	Shown    int
	All      int
	Full     bool // there are more than are read
	Problems int
	Waiting  int // subjects waiting to be judged, everywhere
	Oldest   time.Duration
}

// tile is a count that opens its list.
type tile struct {
	Word  string
	State string
	Count int
	Query string
	On    bool
}

// product is the open changes of one product.
type product struct {
	Name  string
	Query string
	Rows  []row
}

func (p *Pages) start(w http.ResponseWriter, r *http.Request) {
	rows, v, full, err := p.rows(r)
	if err != nil {
		p.trouble(w, r, "reading the list of open changes", err)
		return
	}
	now := p.o.Clock.Now()
	f := filterOf(r.URL.Query())
	view := startView{Filter: f, All: len(rows), Full: full}
	view.Tiles, view.Classes, view.Ages = tiles(rows, f, now)
	var fingerprint []string
	for _, x := range rows {
		if x.Problem != "" || x.GaveUp {
			view.Problems++
		}
		if !slices.Contains(view.Repos, x.Repo) {
			view.Repos = append(view.Repos, x.Repo)
		}
		if f.keeps(x, now) {
			view.add(x, f)
		}
		fingerprint = append(fingerprint, x.Page, x.State, x.Class, x.Title, x.Why, x.Problem, x.Judged.String(), strconv.FormatBool(x.Waiting))
	}
	slices.Sort(view.Repos)
	if v.All || p.o.Access.Everyone {
		counts, err := p.o.Store.Counts(r.Context())
		if err != nil {
			p.trouble(w, r, "counting what waits to be judged", err)
			return
		}
		view.Waiting, view.Oldest = counts.Waiting, counts.Oldest
	}
	ver := version(fingerprint...)
	if live(w, r, ver) {
		return
	}
	p.render(w, r, http.StatusOK, page{Title: "Open changes", Name: "start", Viewer: v, Version: ver, Content: view})
}

func (s *startView) add(x row, f filter) {
	s.Shown++
	if n := len(s.Products); n > 0 && s.Products[n-1].Name == x.Product {
		s.Products[n-1].Rows = append(s.Products[n-1].Rows, x)
		return
	}
	s.Products = append(s.Products, product{Name: x.Product, Query: f.With("product", x.Product), Rows: []row{x}})
}

// tiles count by state, class and age, each under the other filters.
func tiles(rows []row, f filter, now time.Time) (byState, byClass, byAge []tile) {
	count := func(g filter) int {
		n := 0
		for _, x := range rows {
			if g.keeps(x, now) {
				n++
			}
		}
		return n
	}
	for _, s := range states() {
		g := f
		g.State = s
		t := tile{Word: stateWord(s), State: s, Count: count(g), Query: f.With("state", s), On: f.State == s}
		if t.On {
			t.Query = f.With("state", "")
		}
		byState = append(byState, t)
	}
	var classes []string
	for _, x := range rows {
		if x.Class != "" && !slices.Contains(classes, x.Class) {
			classes = append(classes, x.Class)
		}
	}
	slices.SortFunc(classes, func(a, b string) int { return classRank(b) - classRank(a) })
	for _, c := range classes {
		g := f
		g.Class = c
		t := tile{Word: "Class " + c, State: c, Count: count(g), Query: f.With("class", c), On: f.Class == c}
		if t.On {
			t.Query = f.With("class", "")
		}
		byClass = append(byClass, t)
	}
	for _, days := range []string{"2", "7", "30"} {
		g := f
		g.Age = days + "d"
		t := tile{Word: "older than " + days + " days", Count: count(g), Query: f.With("age", g.Age), On: f.Age == g.Age}
		if t.On {
			t.Query = f.With("age", "")
		}
		byAge = append(byAge, t)
	}
	return byState, byClass, byAge
}

func (p *Pages) filtered(w http.ResponseWriter, r *http.Request) ([]row, bool) {
	all, _, _, err := p.rows(r)
	if err != nil {
		p.o.Log.ErrorContext(r.Context(), "list not read", slog.String("error", err.Error()))
		http.Error(w, "The list cannot be read at the moment; the log says why.", http.StatusInternalServerError)
		return nil, false
	}
	f, now := filterOf(r.URL.Query()), p.o.Clock.Now()
	rows := []row{}
	for _, x := range all {
		if f.keeps(x, now) {
			rows = append(rows, x)
		}
	}
	return rows, true
}

func (p *Pages) startJSON(w http.ResponseWriter, r *http.Request) {
	rows, ok := p.filtered(w, r)
	if !ok {
		return
	}
	writeJSON(w, struct {
		Schema  string    `json:"schema"`
		AsOf    time.Time `json:"as_of"`
		Changes []row     `json:"changes"`
	}{"primum.changes/v1", p.o.Clock.Now(), rows})
}

func writeJSON(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	_ = e.Encode(v) // the reader is gone: nobody to tell
}

func (p *Pages) startCSV(w http.ResponseWriter, r *http.Request) {
	rows, ok := p.filtered(w, r)
	if !ok {
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="open-changes.csv"`)
	c := csv.NewWriter(w)
	_ = c.Write([]string{"product", "forge", "repository", "change", "title", "class", "state", "why", "opened", "judged", "problem", "page"})
	for _, x := range rows {
		_ = c.Write([]string{
			cell(x.Product), cell(x.Forge), cell(x.Repo), strconv.Itoa(x.Change), cell(x.Title), cell(x.Class), cell(stateWord(x.State)),
			cell(x.Why), stamp(x.Opened), stamp(x.Judged), cell(x.Problem), strings.TrimSuffix(p.o.PublicURL, "/") + strings.TrimPrefix(x.Page, p.base),
		})
	}
	c.Flush()
}

// cell keeps a spreadsheet from reading others' text as a formula.
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

func stateWord(s string) string {
	switch s {
	case unjudged:
		return "not judged yet"
	case string(rules.Pass):
		return "ready"
	default:
		return report.Word(rules.Outcome(s))
	}
}
