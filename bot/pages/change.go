package pages

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"primum/bot/publish"
	"primum/bot/report"
	"primum/bot/store"
	"primum/rules"
	"primum/rules/class"
	"primum/rules/policy"
)

const (
	historyMax = 20
	actsMax    = 40
)

// found is a change as the store has it.
type found struct {
	repo    store.RepoRow
	subject store.Subject
}

// find looks the change up and checks that this request may read it. Where the
// answer is no, for whatever reason, it has been given.
func (p *Pages) find(w http.ResponseWriter, r *http.Request, forge, owner, name, number string) (found, bool) {
	ctx := r.Context()
	repo, err := p.o.Store.FindRepo(ctx, forge, owner, name)
	if err != nil {
		p.missing(w, r, "looking up the repository", err)
		return found{}, false
	}
	key := store.Key{Forge: forge, RepoID: repo.ID, Kind: store.KindChange, Ref: number}
	capable, moved := p.capable(w, r, key, owner, name)
	if moved {
		return found{}, false
	}
	v, _ := p.viewer(r)
	if !capable && !p.sees(ctx, v, repo) {
		p.stranger(w, r)
		return found{}, false
	}
	s, err := p.o.Store.Subject(ctx, key)
	if err != nil {
		p.missing(w, r, "looking up the change", err)
		return found{}, false
	}
	return found{repo: repo, subject: s}, true
}

func (p *Pages) missing(w http.ResponseWriter, r *http.Request, doing string, err error) {
	if errors.Is(err, store.ErrNone) {
		p.stranger(w, r)
		return
	}
	p.trouble(w, r, doing, err)
}

// permalink leads from a verdict's own address to its page below the change's.
func (p *Pages) permalink(w http.ResponseWriter, r *http.Request) {
	id, asJSON := strings.CutSuffix(r.PathValue("id"), ".json")
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		p.stranger(w, r)
		return
	}
	row, err := p.o.Store.Verdict(r.Context(), n)
	if err != nil {
		p.missing(w, r, "reading a verdict", err)
		return
	}
	repo, err := p.o.Store.Repo(r.Context(), row.Key.Forge, row.Key.RepoID)
	if err != nil {
		p.missing(w, r, "looking up the repository", err)
		return
	}
	v, _ := p.viewer(r)
	query := ""
	if given := r.URL.Query().Get("k"); given != "" && p.signed(r.Context(), "capability", bound(row.Key), given) {
		query = "?k=" + given
	} else if !p.sees(r.Context(), v, repo) {
		p.stranger(w, r)
		return
	}
	to := p.base + changePath(row.Key.Forge, repo.Owner, repo.Name, row.Key.Ref) + "/v/" + id
	if asJSON {
		to += ".json"
	}
	http.Redirect(w, r, to+query, http.StatusSeeOther) //nolint:gosec // a path of ours, made from the store
}

// change is the page of a change with its newest verdict, or with an earlier
// one where the address names it.
func (p *Pages) change(w http.ResponseWriter, r *http.Request) {
	owner, name, number, id, ok := cutAddress(r.PathValue("rest"))
	if !ok {
		p.stranger(w, r)
		return
	}
	asJSON := false
	if id != "" {
		id, asJSON = strings.CutSuffix(id, ".json")
	} else {
		number, asJSON = strings.CutSuffix(number, ".json")
	}
	if _, err := strconv.Atoi(number); err != nil {
		p.stranger(w, r)
		return
	}
	f, ok := p.find(w, r, r.PathValue("forge"), owner, name, number)
	if !ok {
		return
	}
	want := f.subject.Verdict
	if id != "" {
		n, err := strconv.ParseInt(id, 10, 64)
		if err != nil {
			p.stranger(w, r)
			return
		}
		want = n
	}
	if id == "" && want == 0 {
		p.unjudged(w, r, f, asJSON)
		return
	}
	row, err := p.o.Store.Verdict(r.Context(), want)
	if err == nil && row.Key != f.subject.Key {
		err = store.ErrNone // a verdict of another change is not on this page
	}
	if err != nil {
		p.missing(w, r, "reading the verdict", err)
		return
	}
	if asJSON {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_, _ = w.Write(row.JSON)
		return
	}
	view, err := p.view(r, f, row)
	if err != nil {
		p.trouble(w, r, "reading the verdict", err)
		return
	}
	ver := version(strconv.FormatInt(f.subject.Verdict, 10), strconv.FormatInt(f.subject.Wanted-f.subject.Judged, 10), f.subject.Problem, strconv.Itoa(len(view.Acts)))
	if live(w, r, ver) {
		return
	}
	v, _ := p.viewer(r)
	p.render(w, r, http.StatusOK, page{Title: view.Headline, Name: "change", Viewer: v, Version: ver, Content: view})
}

// cutAddress takes apart what stands after the forge in the address of a change:
// the owner, which may hold slashes, the name and the number, and the id of the
// verdict asked for, "" for the newest.
func cutAddress(rest string) (owner, name, number, id string, ok bool) {
	parts := strings.Split(rest, "/")
	if n := len(parts); n >= 5 && parts[n-2] == "v" && digitsOnly(parts[n-3]) {
		id, parts = parts[n-1], parts[:n-2]
	}
	n := len(parts)
	if n < 3 || slices.Contains(parts, "") {
		return "", "", "", "", false
	}
	return strings.Join(parts[:n-2], "/"), parts[n-2], parts[n-1], id, true
}

func digitsOnly(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// unjudged is the page of a change that has no verdict yet.
func (p *Pages) unjudged(w http.ResponseWriter, r *http.Request, f found, asJSON bool) {
	if asJSON {
		p.stranger(w, r)
		return
	}
	ver := version("0", f.subject.Problem)
	if live(w, r, ver) {
		return
	}
	view := changeView{
		Subject: f.subject, V: &rules.Verdict{State: unjudged}, State: unjudged,
		Headline: "Not judged yet", Name: p.name(f), Product: p.product(f.subject.Forge),
	}
	v, _ := p.viewer(r)
	p.render(w, r, http.StatusOK, page{Title: view.Headline, Name: "change", Viewer: v, Version: ver, Content: view})
}

// changeView is the page of one verdict.
type changeView struct {
	Subject  store.Subject
	V        *rules.Verdict
	Row      store.VerdictRow
	Headline string // the check's title
	Name     string // "acme/infusion-pump #14"
	Product  words  // what the forge calls things
	Way      string // by what the verdict blocks; "" if the forge has one way only
	Truce    string // until when somebody else's check is left on top of ours; "" if it is not
	State    string
	Newest   bool
	Waiting  bool // something newer waits to be judged
	Page     string
	JSON     string

	Actions []todo
	Waits   []todo
	Unread  []todo
	Advice  []todo

	Tree    []branch
	Groups  []ruleGroup
	History []change
	Acts    []store.Act

	refs map[string]string
}

// todo is one finding with the rule it is of.
type todo struct {
	Rule    rules.Result
	Finding rules.Finding
}

// ruleGroup is the rules of one outcome.
type ruleGroup struct {
	State string
	Rules []rules.Result
	Open  bool
}

// change is one step of the history.
type change struct {
	Row     store.VerdictRow
	Page    string
	Changed string // in words
	This    bool   // the one shown
}

func (p *Pages) view(r *http.Request, f found, row store.VerdictRow) (*changeView, error) {
	v := &rules.Verdict{}
	if err := json.Unmarshal(row.JSON, v); err != nil {
		return nil, fmt.Errorf("read verdict %d: %w", row.ID, err)
	}
	page := p.base + changePath(f.subject.Forge, f.repo.Owner, f.repo.Name, f.subject.Ref)
	c := &changeView{
		Subject: f.subject, V: v, Row: row, Headline: report.Title(v), Name: p.name(f), Product: p.product(f.subject.Forge), Way: way(f.subject),
		State: string(v.State), Newest: row.ID == f.subject.Verdict, Waiting: f.subject.Wanted > f.subject.Judged,
		Page: page, JSON: page + ".json", refs: references(v),
	}
	if !c.Newest {
		c.JSON = page + "/v/" + strconv.FormatInt(row.ID, 10) + ".json"
	}
	if v.State == rules.Waived {
		c.State = string(rules.Pass)
	}
	if until := publish.Fight(f.subject.Memory.Notes); !until.IsZero() {
		c.Truce = until.UTC().Format("2006-01-02 15:04:05 UTC")
	}
	c.sort()
	c.Tree = tree(v)
	var err error
	if c.History, err = p.history(r, f, row.ID, page); err != nil {
		return nil, err
	}
	if c.Acts, err = p.o.Store.Acts(r.Context(), f.subject.Key, actsMax); err != nil {
		return nil, fmt.Errorf("list acts: %w", err)
	}
	return c, nil
}

// references are the addresses of issues the verdict rests on.
func references(v *rules.Verdict) map[string]string {
	refs := map[string]string{}
	for _, r := range v.Results {
		for _, e := range r.Evidence {
			if e.Kind == "issue" && e.URL != "" {
				refs[e.Ref] = e.URL
				if local, ok := strings.CutPrefix(e.Ref, v.Subject.Repo+"#"); ok {
					refs["#"+local] = e.URL
				}
			}
		}
	}
	return refs
}

// sort puts findings where people look for them and rules by outcome.
func (c *changeView) sort() {
	order := []rules.Outcome{rules.Fail, rules.Unknown, rules.Pending, rules.Waived, rules.Pass, rules.NA}
	byState := map[rules.Outcome][]rules.Result{}
	for _, r := range c.V.Results {
		byState[r.Outcome] = append(byState[r.Outcome], r)
		for _, f := range r.Findings {
			t := todo{Rule: r, Finding: f}
			switch {
			case f.Outcome == rules.Unknown:
				c.Unread = append(c.Unread, t)
			case r.Enforcement != policy.Block && f.Outcome == rules.Fail:
				c.Advice = append(c.Advice, t)
			case r.Outcome == rules.Waived:
			case f.Outcome == rules.Pending:
				c.Waits = append(c.Waits, t)
			case f.Outcome == rules.Fail:
				c.Actions = append(c.Actions, t)
			}
		}
	}
	for _, o := range order {
		if len(byState[o]) > 0 {
			c.Groups = append(c.Groups, ruleGroup{State: string(o), Rules: byState[o], Open: o == rules.Fail || o == rules.Unknown || o == rules.Pending})
		}
	}
}

// history lists the verdicts of the change, newest first, each with what it
// changed of the one before.
func (p *Pages) history(r *http.Request, f found, shown int64, page string) ([]change, error) {
	rows, err := p.o.Store.Verdicts(r.Context(), f.subject.Key, historyMax+1)
	if err != nil {
		return nil, fmt.Errorf("list earlier verdicts: %w", err)
	}
	verdicts := make([]*rules.Verdict, len(rows))
	for i, row := range rows {
		whole, err := p.o.Store.Verdict(r.Context(), row.ID)
		if err != nil {
			return nil, fmt.Errorf("read verdict %d: %w", row.ID, err)
		}
		v := &rules.Verdict{}
		if err := json.Unmarshal(whole.JSON, v); err != nil {
			return nil, fmt.Errorf("read verdict %d: %w", row.ID, err)
		}
		verdicts[i] = v
	}
	var out []change
	for i, row := range rows[:min(len(rows), historyMax)] {
		c := change{Row: row, Page: page + "/v/" + strconv.FormatInt(row.ID, 10), This: row.ID == shown}
		if i == 0 {
			c.Page = page
		}
		if i+1 < len(rows) {
			c.Changed = report.Since(verdicts[i+1], verdicts[i])
		} else {
			c.Changed = "First verdict kept."
		}
		out = append(out, c)
	}
	return out, nil
}

// branch is one system with the touched items below it, for the drawing.
type branch struct {
	System class.SystemClass
	Items  []leaf
}

// leaf is one touched item with some of its touched paths.
type leaf struct {
	Item     string
	Class    class.Level
	Why      string
	Paths    []string
	More     int
	Deciding bool
	Unmapped bool
}

// tree draws system, item, path from the derivation.
func tree(v *rules.Verdict) []branch {
	d := v.Class
	var leaves []leaf
	for _, g := range d.Groups {
		l := leaf{Item: g.Item, Class: g.Class, Why: g.Why, Deciding: g.Class == d.Class, Unmapped: g.Item == ""}
		for _, pc := range slices.Concat(d.Deciding, d.Double) {
			if pc.Item == g.Item && !slices.Contains(l.Paths, pc.Path) {
				l.Paths = append(l.Paths, pc.Path)
			}
		}
		if g.Item == "" {
			for _, path := range d.Unmapped {
				if !slices.Contains(l.Paths, path) {
					l.Paths = append(l.Paths, path)
				}
			}
		}
		if len(l.Paths) > 8 {
			l.Paths = l.Paths[:8]
		}
		l.More = max(0, g.Paths-len(l.Paths))
		leaves = append(leaves, l)
	}
	if len(leaves) == 0 {
		return nil
	}
	systems := v.Tree.Systems
	if len(systems) == 0 {
		systems = []class.SystemClass{{ID: v.Subject.Product, Effective: d.Class}}
	}
	var out []branch
	for _, s := range systems {
		b := branch{System: s}
		for _, l := range leaves {
			if shipsIn(v.Tree, l.Item, s.ID) {
				b.Items = append(b.Items, l)
			}
		}
		if len(b.Items) > 0 {
			out = append(out, b)
		}
	}
	return out
}

// shipsIn reports whether an item is part of a system; what is mapped to
// nothing is part of each.
func shipsIn(t class.Tree, item, system string) bool {
	for seen := 0; item != "" && seen < 100; seen++ {
		r, ok := t.Items[item]
		if !ok {
			return true
		}
		if r.Item.Parent == "" {
			return len(r.Item.Systems) == 0 || slices.Contains(r.Item.Systems, system)
		}
		item = r.Item.Parent
	}
	return true
}

// param is one parameter in force, for the page.
type param struct{ Name, Value string }

func params(m map[string]any) []param {
	var out []param
	for _, k := range slices.Sorted(maps.Keys(m)) {
		value := ""
		switch v := m[k].(type) {
		case []any:
			words := make([]string, len(v))
			for i := range v {
				words[i] = fmt.Sprint(v[i])
			}
			value = strings.Join(words, ", ")
		case nil:
		default:
			value = fmt.Sprint(v)
		}
		if value == "" {
			value = "none"
		}
		out = append(out, param{Name: strings.ReplaceAll(k, "_", " "), Value: value})
	}
	return out
}

// age is a time span in words, one unit.
func age(d time.Duration) string {
	one := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return strconv.Itoa(n) + " " + unit + "s"
	}
	switch {
	case d < time.Minute:
		return one(max(0, int(d.Seconds())), "second")
	case d < time.Hour:
		return one(int(d.Minutes()), "minute")
	case d < 48*time.Hour:
		return one(int(d.Hours()), "hour")
	default:
		return one(int(d.Hours()/24), "day")
	}
}
