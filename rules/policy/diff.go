package policy

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"primum/rules/class"
)

// Difference is one thing in which a policy differs from an older one.
type Difference struct {
	Key    string // dotted path of the key; of the first class where several say the same
	Words  string // "review-quorum at class C asks for 1 approval instead of 2"
	Weaker bool   // asks less, lets more people approve, or cannot be compared
}

// Fall is an item or product whose effective class falls.
type Fall struct {
	ID       string
	From, To class.Level
}

// Diff says in words what a new policy changes, weaker things first. Both may
// extend a base; what counts is what is in force.
func Diff(old, now *Policy, specs []Spec) []Difference {
	all := grouped(differences(old, now, specs), now.Ladder)
	slices.SortStableFunc(all, func(a, b Difference) int {
		switch {
		case a.Weaker == b.Weaker:
			return 0
		case a.Weaker:
			return -1
		}
		return 1
	})
	return all
}

// Falls lists the items and products whose effective class is lower under the
// new policy, products first. Rationales count as valid on both sides, so that
// what shows is the work of the policy alone.
func Falls(old, now *Policy) []Fall {
	if old.Ladder.Scheme != now.Ladder.Scheme {
		return nil // the classes of two ladders have no common order
	}
	a, b := old.assumedTree(), now.assumedTree()
	var falls []Fall
	for _, s := range a.Systems {
		for _, t := range b.Systems {
			if s.ID == t.ID && a.Ladder.Rank(t.Effective) < a.Ladder.Rank(s.Effective) {
				falls = append(falls, Fall{ID: s.ID, From: s.Effective, To: t.Effective})
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(a.Items)) {
		r, there := b.Items[id]
		if from := a.Items[id].Effective; there && a.Ladder.Rank(r.Effective) < a.Ladder.Rank(from) {
			falls = append(falls, Fall{ID: id, From: from, To: r.Effective})
		}
	}
	return falls
}

// assumedTree is the tree with every rationale that is named taken as valid.
func (p *Policy) assumedTree() class.Tree {
	items := p.WithRationales(func(string) (bool, string) { return true, "" })
	return class.Derive(p.Ladder, p.Systems, items)
}

// differ collects differences.
type differ struct {
	old, now *Policy
	out      []difference
}

// difference is one at one class; Words has %s where the class is said.
type difference struct {
	Difference
	level class.Level // of rules and checks
	head  string      // words before " at class C"
	tail  string
}

func (d *differ) add(key, words string, weaker bool) {
	d.out = append(d.out, difference{Difference: Difference{Key: key, Words: words, Weaker: weaker}})
}

func (d *differ) addAt(key string, l class.Level, head, tail string, weaker bool) {
	words := head + " at class " + string(l) + " " + tail
	d.out = append(d.out, difference{Difference{key, words, weaker}, l, head, tail})
}

func differences(old, now *Policy, specs []Spec) []difference {
	d := &differ{old: old, now: now}
	d.head()
	d.systems()
	d.items()
	d.mapping()
	d.rules(specs)
	d.checks()
	d.people()
	d.protected()
	d.issues()
	d.sections()
	return d.out
}

// grouped joins what is the same at several classes into one sentence.
func grouped(in []difference, l class.Ladder) []Difference {
	var out []Difference
	done := make([]bool, len(in))
	for i, d := range in {
		if done[i] {
			continue
		}
		if d.level == "" {
			out = append(out, d.Difference)
			continue
		}
		levels := []string{string(d.level)}
		for j := i + 1; j < len(in); j++ {
			if o := in[j]; !done[j] && o.level != "" && o.head == d.head && o.tail == d.tail && o.Weaker == d.Weaker {
				done[j] = true
				levels = append(levels, string(o.level))
			}
		}
		if len(levels) > 1 {
			at := "classes " + strings.Join(levels[:len(levels)-1], ", ") + " and " + levels[len(levels)-1]
			if len(levels) == len(l.Levels) {
				at = "every class"
			}
			d.Words = d.head + " at " + at + " " + d.tail
		}
		out = append(out, d.Difference)
	}
	return out
}

func (d *differ) head() {
	if a, b := d.old.Mode, d.now.Mode; a != b {
		d.add("mode", "mode is "+string(b)+" instead of "+string(a), b.rank() < a.rank())
	}
	if a, b := d.old.Ladder.Scheme, d.now.Ladder.Scheme; a != b {
		d.add("scheme", "scheme is "+b+" instead of "+a, true)
	}
	d.texts("branches", "the policy governs the branch", d.old.TargetBranches, d.now.TargetBranches)
	if a, b := d.old.Extends, d.now.Extends; !reflect.DeepEqual(a, b) {
		d.add("extends", "the base is "+b.words()+" instead of "+a.words(), true)
	}
}

func (e *Extends) words() string {
	if e == nil {
		return "none"
	}
	return e.Repo + "@" + e.Ref
}

// texts compares lists in which an entry more asks more. An empty list of
// branches means all.
func (d *differ) texts(key, words string, old, now []string) {
	if len(old) == 0 && len(now) > 0 {
		d.add(key, words+" "+strings.Join(now, ", ")+" and no other", true)
		return
	}
	if len(now) == 0 && len(old) > 0 {
		d.add(key, words+" "+strings.Join(old, ", ")+" and every other", false)
		return
	}
	for _, v := range less(old, now) {
		d.add(key, words+" "+v+" no longer", true)
	}
	for _, v := range less(now, old) {
		d.add(key, words+" "+v+" too", false)
	}
}

// less is a without b.
func less(a, b []string) []string {
	has := make(map[string]bool, len(b))
	for _, v := range b {
		has[v] = true
	}
	var out []string
	for _, v := range a {
		if !has[v] {
			out = append(out, v)
		}
	}
	return out
}

func (d *differ) systems() {
	if d.old.Product != d.now.Product {
		d.add("product", "the product is "+d.now.Product+" instead of "+d.old.Product, false)
	}
	rank := d.now.Ladder.Rank
	for i, s := range d.old.Systems {
		at := slices.IndexFunc(d.now.Systems, func(t class.System) bool { return t.ID == s.ID })
		if at < 0 && i == 0 {
			at = 0 // renamed
		}
		if at < 0 {
			d.add("products", "the product "+s.ID+" is gone", true)
			continue
		}
		if own := d.now.Systems[at].Own; own != s.Own {
			key := "class"
			if at > 0 {
				key = "products." + s.ID + ".class"
			}
			d.add(key, d.now.Systems[at].ID+declares(" is class ", s.Own, own), s.Own != "" && own != "" && rank(own) < rank(s.Own))
		}
	}
	for i, s := range d.now.Systems {
		if i > 0 && !slices.ContainsFunc(d.old.Systems, func(t class.System) bool { return t.ID == s.ID }) {
			d.add("products", "the product "+s.ID+ofClass(s.Own)+" is new", false)
		}
	}
}

// declares says what became of a declared class; verb stands before the new one.
func declares(verb string, was, now class.Level) string {
	switch {
	case now == "":
		return " no longer declares a class (was " + string(was) + ")"
	case was == "":
		return verb + string(now) + " (none before)"
	}
	return verb + string(now) + " instead of " + string(was)
}

func ofClass(v class.Level) string {
	if v == "" {
		return ", which declares no class,"
	}
	return " of class " + string(v)
}

func (d *differ) items() {
	before := map[string]class.Item{}
	for _, it := range d.old.Items {
		before[it.ID] = it
	}
	for _, it := range d.now.Items {
		was, there := before[it.ID]
		delete(before, it.ID)
		if !there {
			d.add("items."+it.ID, "the item "+it.ID+" is new", false)
			continue
		}
		d.item(was, it)
	}
	for _, id := range slices.Sorted(maps.Keys(before)) {
		d.add("items", "the item "+id+" is gone", false)
	}
	for _, f := range Falls(d.old, d.now) {
		if _, isItem := d.now.itemByID(f.ID); isItem {
			d.add("items."+f.ID+".class", "the item "+f.ID+" counts as "+string(f.To)+" instead of "+string(f.From), true)
		}
	}
}

func (p *Policy) itemByID(id string) (class.Item, bool) {
	for _, it := range p.Items {
		if it.ID == id {
			return it, true
		}
	}
	return class.Item{}, false
}

func (d *differ) item(a, b class.Item) {
	key, name := "items."+b.ID+".", "the item "+b.ID
	rank := d.now.Ladder.Rank
	if a.Own != b.Own {
		d.add(key+"class", name+declares(" is declared ", a.Own, b.Own), a.Own != "" && b.Own != "" && rank(b.Own) < rank(a.Own))
	}
	if a.Parent != b.Parent {
		d.add(key+"parent", name+" is a part of "+cmp.Or(b.Parent, d.now.Product)+" instead of "+cmp.Or(a.Parent, d.old.Product), false)
	}
	if a.Rationale.Path != b.Rationale.Path {
		d.add(key+"rationale", name+" is argued for by "+cmp.Or(b.Rationale.Path, "nothing")+" instead of "+cmp.Or(a.Rationale.Path, "nothing"), b.Rationale.Path != "")
	}
	risks := func(it class.Item) []string {
		var out []string
		for _, c := range it.Controls {
			out = append(out, c.Risk+" ("+string(c.Class)+")")
		}
		return out
	}
	for _, r := range less(risks(a), risks(b)) {
		d.add(key+"controls", name+" no longer controls "+r, true)
	}
	for _, r := range less(risks(b), risks(a)) {
		d.add(key+"controls", name+" controls "+r, false)
	}
	for _, h := range less(a.Hazards, b.Hazards) {
		d.add(key+"hazards", name+" no longer names the hazard "+h, true)
	}
	for _, h := range less(b.Hazards, a.Hazards) {
		d.add(key+"hazards", name+" names the hazard "+h, false)
	}
	if !slices.Equal(a.Systems, b.Systems) {
		d.add(key+"products", name+" ships in "+allOr(b.Systems)+" instead of "+allOr(a.Systems), false)
	}
}

func allOr(v []string) string {
	if len(v) == 0 {
		return "all products"
	}
	return strings.Join(v, ", ")
}

// mapping says which files count as a lower class. Globs cannot be compared
// with one another, so each is represented by a path it matches.
func (d *differ) mapping() {
	if d.old.Ladder.Scheme != d.now.Ladder.Scheme {
		return
	}
	var patterns, paths []string
	keys := map[string]string{}
	for _, p := range []*Policy{d.old, d.now} {
		for _, it := range p.Items {
			for _, g := range it.Paths {
				g = strings.TrimPrefix(g, class.Exclude)
				patterns = append(patterns, g)
				keys[g] = "items." + it.ID + ".paths"
			}
		}
		for _, g := range p.Outside {
			patterns = append(patterns, g)
			keys[g] = "not-device-software"
		}
	}
	slices.Sort(patterns)
	patterns = slices.Compact(patterns)
	for _, g := range patterns {
		paths = append(paths, sample(g))
	}
	before := d.old.assumedTree().Each(paths, d.old.Outside)
	after := d.now.assumedTree().Each(paths, d.now.Outside)
	for i, g := range patterns {
		a, b := before[i], after[i]
		if a.Item == b.Item && a.Class == b.Class || a.Item == b.Item && a.Item != "" {
			continue // an item that fell is said once, for the item
		}
		if d.bothWhole(a, b) {
			continue // so is a system
		}
		falls := d.now.Ladder.Rank(b.Class) < d.now.Ladder.Rank(a.Class)
		d.add(keys[g], "files like "+quote(g)+" count as "+d.now.placed(b)+" instead of "+d.old.placed(a), falls)
	}
	for _, g := range less(d.now.Standing, d.old.Standing) {
		d.add("no-runtime-effect", "files like "+quote(g)+" have a standing risk answer", true)
	}
	for _, g := range less(d.old.Standing, d.now.Standing) {
		d.add("no-runtime-effect", "files like "+quote(g)+" have no standing risk answer any more", false)
	}
}

func (d *differ) bothWhole(a, b class.PathClass) bool {
	return a.Item == d.old.Product && b.Item == d.now.Product
}

// placed says in words what became of a path.
func (p *Policy) placed(pc class.PathClass) string {
	switch {
	case pc.Class == "":
		return "no device software"
	case pc.Item == "":
		return "unmapped (" + string(pc.Class) + ")"
	}
	return pc.Item + " (" + string(pc.Class) + ")"
}

// sample is a path that a glob matches, near enough: stars become words, the
// first of several alternatives is taken.
func sample(glob string) string {
	var b strings.Builder
	for i := 0; i < len(glob); i++ {
		switch c := glob[i]; c {
		case '*', '?':
			for i+1 < len(glob) && glob[i+1] == '*' {
				i++
			}
			b.WriteByte('x')
		case '{':
			end := closing(glob, i)
			first, _, _ := strings.Cut(glob[i+1:end], ",")
			b.WriteString(sample(first))
			i = end
		case '[':
			sign := byte('x')
			if i+1 < len(glob) && glob[i+1] != '^' && glob[i+1] != '!' {
				sign = glob[i+1]
			}
			b.WriteByte(sign)
			if end := strings.IndexByte(glob[i:], ']'); end >= 0 {
				i += end
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// closing is the place of the brace that closes the one at open, or the end.
func closing(glob string, open int) int {
	depth := 0
	for i := open; i < len(glob); i++ {
		switch glob[i] {
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(glob)
}

func (d *differ) rules(specs []Spec) {
	for _, spec := range specs {
		for _, step := range d.now.Ladder.Levels {
			if d.old.Ladder.Rank(step.Level) == 0 {
				continue
			}
			d.setting(spec, step.Level, d.old.Setting(spec.ID, step.Level), d.now.Setting(spec.ID, step.Level))
		}
	}
}

func (d *differ) setting(spec Spec, l class.Level, a, b Setting) {
	key := "rules." + spec.ID + "." + string(l) + "."
	if a.Enforcement != b.Enforcement {
		d.addAt(key+keyEnforcement, l, spec.ID, "is "+string(b.Enforcement)+" instead of "+string(a.Enforcement), b.Enforcement.rank() < a.Enforcement.rank())
	}
	if a.Enforcement == Off && b.Enforcement == Off {
		return
	}
	for _, p := range spec.Params {
		x, y := a.Params[p.Name], b.Params[p.Name]
		if p.same(x, y) {
			continue
		}
		verb := "sets " + p.Name + " to "
		if p.Unit == p.Name {
			verb = "asks for "
		}
		d.addAt(key+p.Name, l, spec.ID, verb+p.words(y, true)+" instead of "+p.words(x, p.Unit != p.Name), p.weaker(x, y))
	}
}

// words is a value for people.
func (p Param) words(v any, withUnit bool) string {
	switch p.Kind {
	case KindInt:
		n, _ := v.(int)
		if !withUnit {
			return strconv.Itoa(n)
		}
		return plural(n, p.Unit)
	case KindBool:
		t, _ := v.(bool)
		return strconv.FormatBool(t)
	case KindList, KindRoles:
		l := listOf(v)
		if len(l) == 0 {
			return "none"
		}
		return strings.Join(l, ", ")
	case KindText:
	}
	return cmp.Or(textOf(v), "nothing")
}

func (d *differ) checks() {
	for _, step := range d.now.Ladder.Levels {
		a, b := d.old.Checks[step.Level], d.now.Checks[step.Level]
		key := "checks." + string(step.Level)
		for _, c := range a {
			at := slices.IndexFunc(b, func(o CheckRef) bool { return o.Name == c.Name })
			switch {
			case at < 0:
				d.addAt(key, step.Level, "the check "+quote(c.Name), "is no longer asked for", true)
			case b[at].Source != c.Source:
				d.addAt(key, step.Level, "the check "+quote(c.Name), "may come from "+cmp.Or(b[at].Source, "anyone")+" instead of "+cmp.Or(c.Source, "anyone"), c.Source != "")
			}
		}
		for _, c := range b {
			if !slices.ContainsFunc(a, func(o CheckRef) bool { return o.Name == c.Name }) {
				d.addAt(key, step.Level, "the check "+quote(c.Name), "is asked for", false)
			}
		}
	}
}

func (d *differ) people() {
	all := slices.Collect(maps.Keys(d.old.People))
	all = append(all, slices.Collect(maps.Keys(d.now.People))...)
	slices.Sort(all)
	for _, r := range slices.Compact(all) {
		a, had := d.old.People[r]
		key := "people." + string(r)
		for _, who := range less(d.now.People[r], a) {
			d.add(key, who+" holds the role "+string(r), had)
		}
		for _, who := range less(a, d.now.People[r]) {
			d.add(key, who+" no longer holds the role "+string(r), false)
		}
	}
}

// protected compares by effect, because the first entry that matches counts.
func (d *differ) protected() {
	var patterns []string
	for _, p := range []*Policy{d.old, d.now} {
		for _, e := range p.Protected {
			patterns = append(patterns, e.Paths...)
		}
	}
	slices.Sort(patterns)
	for _, g := range slices.Compact(patterns) {
		a, _ := d.old.ProtectedBy(sample(g))
		b, _ := d.now.ProtectedBy(sample(g))
		if a.Role == b.Role {
			continue
		}
		d.add("protected", "files like "+quote(g)+" need the approval of "+cmp.Or(string(b.Role), "nobody")+" instead of "+cmp.Or(string(a.Role), "nobody"), a.Role != "")
	}
}

func (d *differ) issues() {
	for _, k := range []struct {
		key, name string
		a, b      IssueKind
	}{
		{"issues.anomaly", "anomalies", d.old.Anomaly, d.now.Anomaly},
		{"issues.change-request", "change requests", d.old.ChangeRequest, d.now.ChangeRequest},
	} {
		mark := func(key, word string, a, b []string) {
			for _, v := range less(b, a) {
				d.add(k.key+"."+key, "the "+word+" "+quote(v)+" marks "+k.name, true)
			}
			for _, v := range less(a, b) {
				d.add(k.key+"."+key, "the "+word+" "+quote(v)+" no longer marks "+k.name, false)
			}
		}
		mark("labels", "label", k.a.Labels, k.b.Labels)
		mark("types", "issue type", k.a.Types, k.b.Types)
		if k.a.Form != k.b.Form {
			d.add(k.key+".form", k.name+" use the form "+quote(k.b.Form)+" instead of "+quote(k.a.Form), true)
		}
	}
}

func (d *differ) sections() {
	for _, v := range []struct {
		key, what string
		a, b      []string
	}{
		{"verification.tests", "tests", d.old.Verification.Tests, d.now.Verification.Tests},
		{"verification.workflows", "workflows", d.old.Verification.Workflows, d.now.Verification.Workflows},
		{"verification.settings", "settings of verification", d.old.Verification.Settings, d.now.Verification.Settings},
	} {
		for _, g := range less(v.a, v.b) {
			d.add(v.key, "files like "+quote(g)+" are no longer "+v.what, true)
		}
		for _, g := range less(v.b, v.a) {
			d.add(v.key, "files like "+quote(g)+" are "+v.what, false)
		}
	}
	for _, s := range []struct {
		key, what string
		a, b      any
	}{
		{"requirements", "where requirements are", d.old.Requirements, d.now.Requirements},
		{"risk", "where the risk file is", d.old.RiskFile, d.now.RiskFile},
		{"soup", "where the SOUP register is", d.old.SOUP, d.now.SOUP},
		{"levels", "the levels that are not the safety class", d.old.Levels, d.now.Levels},
	} {
		if !reflect.DeepEqual(s.a, s.b) {
			d.add(s.key, s.what+" changes", !reflect.ValueOf(s.a).IsNil())
		}
	}
}
