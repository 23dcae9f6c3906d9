package policy

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Row is one effective value of a policy.
type Row struct {
	Key    string `json:"key"`    // dotted path: "rules.review-quorum.C.approvals"
	Value  string `json:"value"`  // as it would be written in the file
	Origin string `json:"origin"` // position, or "shipped default"
	Doc    string `json:"doc,omitempty"`
}

// Explain lists the effective values under a key, by its dotted path, each with
// where it came from: "people.risk", "rules.review-quorum", "class". The empty
// key lists the whole policy. An unknown key is an error that names the nearest.
func Explain(p *Policy, key string) ([]Row, error) {
	all := (&explainer{p: p, table: fileShape(p.Ladder, p.Specs)}).rows()
	if key == "" {
		return all, nil
	}
	var under []Row
	var known []string
	for _, r := range all {
		if r.Key == key || strings.HasPrefix(r.Key, key+".") {
			under = append(under, r)
		}
		for i, c := range r.Key {
			if c == '.' {
				known = append(known, r.Key[:i])
			}
		}
		known = append(known, r.Key)
	}
	if under == nil {
		return nil, errors.New("no key " + quote(key) + "; " + didYouMean(key, known, `"primum policy explain" without a key lists them all`))
	}
	return under, nil
}

type explainer struct {
	p     *Policy
	table *shape
	out   []Row
}

func (e *explainer) add(key, value string) { e.addFrom(key, value, "") }

func (e *explainer) addFrom(key, value, origin string) {
	e.out = append(e.out, Row{Key: key, Value: value, Origin: cmp.Or(origin, e.p.Origins[key], ShippedDefault), Doc: e.table.docAt(key)})
}

func (e *explainer) rows() []Row {
	p := e.p
	e.add("version", strconv.Itoa(p.Version))
	if p.Extends != nil {
		e.add("extends", p.Extends.words())
	}
	e.add("mode", string(p.Mode))
	e.add("scheme", p.Ladder.Scheme)
	e.add("product", p.Product)
	for i, s := range p.Systems {
		key := "class"
		if p.Origins["product"] == "" || i > 0 {
			key = "products." + s.ID + ".class"
		}
		value := string(s.Own)
		if value == "" {
			value = string(p.Ladder.Highest()) + " (none is declared)"
		}
		e.add(key, value)
	}
	e.items()
	e.add("not-device-software", flowList(p.Outside))
	e.add("no-runtime-effect", flowList(p.Standing))
	branches := flowList(p.TargetBranches)
	if len(p.TargetBranches) == 0 {
		branches = "all"
	}
	e.add("branches", branches)
	e.people()
	for _, k := range []struct {
		key  string
		kind IssueKind
	}{{"issues.anomaly", p.Anomaly}, {"issues.change-request", p.ChangeRequest}} {
		e.add(k.key+".labels", flowList(k.kind.Labels))
		e.add(k.key+".types", flowList(k.kind.Types))
		e.add(k.key+".form", k.kind.Form)
	}
	e.rules()
	e.checks()
	for i, x := range p.Protected {
		e.addFrom("protected."+strconv.Itoa(i+1), "{paths: "+flowList(x.Paths)+", role: "+string(x.Role)+"}", x.Origin)
	}
	e.add("verification.tests", flowList(p.Verification.Tests))
	e.add("verification.workflows", flowList(p.Verification.Workflows))
	e.add("verification.settings", flowList(p.Verification.Settings))
	e.sections()
	return e.out
}

func (e *explainer) items() {
	tree := e.p.assumedTree()
	for _, it := range e.p.Items {
		key := "items." + it.ID + "."
		if it.Own != "" {
			e.add(key+"class", string(it.Own))
		} else {
			r := tree.Items[it.ID]
			e.addFrom(key+"class", string(r.Effective), "from "+cmp.Or(r.From, e.p.Product))
		}
		if it.Parent != "" {
			e.addFrom(key+"parent", it.Parent, cmp.Or(e.p.Origins[key+"parent"], e.p.Origins[key+"id"]))
		}
		e.add(key+"paths", flowList(it.Paths))
		if len(it.Hazards) > 0 {
			e.add(key+"hazards", flowList(it.Hazards))
		}
		if len(it.Controls) > 0 {
			var c []string
			for _, one := range it.Controls {
				c = append(c, "{risk: "+flow(one.Risk)+", class: "+string(one.Class)+"}")
			}
			e.add(key+"controls", "["+strings.Join(c, ", ")+"]")
		}
		if it.Rationale.Path != "" {
			e.add(key+"rationale", flow(it.Rationale.Path))
		}
		if len(it.Systems) > 0 {
			e.addFrom(key+"products", flowList(it.Systems), cmp.Or(e.p.Origins[key+"products"], e.p.Origins[key+"parent"]))
		}
	}
}

func (e *explainer) people() {
	all := BuiltInRoles()
	for _, r := range slices.Sorted(maps.Keys(e.p.People)) {
		if !slices.Contains(all, r) {
			all = append(all, r)
		}
	}
	for _, r := range all {
		e.add("people."+string(r), flowList(e.p.People[r]))
	}
}

func (e *explainer) rules() {
	for _, spec := range e.p.Specs {
		for _, step := range e.p.Ladder.Levels {
			s := e.p.Setting(spec.ID, step.Level)
			key := "rules." + spec.ID + "." + string(step.Level) + "."
			e.add(key+keyEnforcement, string(s.Enforcement))
			for _, p := range spec.Params {
				e.add(key+p.Name, p.flow(s.Params[p.Name]))
			}
		}
	}
}

// flow is a parameter's value as it would be written.
func (p Param) flow(v any) string {
	switch p.Kind {
	case KindList, KindRoles:
		return flowList(listOf(v))
	case KindText:
		return flow(textOf(v))
	case KindInt, KindBool:
	}
	return p.words(v, false)
}

func (e *explainer) checks() {
	for _, step := range e.p.Ladder.Levels {
		var refs []string
		for _, c := range e.p.Checks[step.Level] {
			one := flow(c.Name)
			if c.Source != "" {
				one = "{name: " + one + ", source: " + flow(c.Source) + "}"
			}
			refs = append(refs, one)
		}
		e.add("checks."+string(step.Level), "["+strings.Join(refs, ", ")+"]")
	}
}

func (e *explainer) sections() {
	p := e.p
	sub := func(section, key, value string) {
		if value != "" {
			e.addFrom(section+"."+key, value, p.Origins[section])
		}
	}
	if r := p.Requirements; r != nil {
		sub("requirements", "pattern", flow(r.Pattern))
		sub("requirements", "files", flowList(r.Files))
	}
	if r := p.RiskFile; r != nil {
		sub("risk", "file", flow(r.File))
		sub("risk", "matrix", r.Matrix)
	}
	if s := p.SOUP; s != nil {
		sub("soup", "register", flow(s.Register))
		manifests := "auto"
		if len(s.Manifests) > 0 {
			manifests = flowList(s.Manifests)
		}
		sub("soup", "manifests", manifests)
	}
	if l := p.Levels; l != nil {
		sub("levels", "fda-documentation", l.FDADocumentation)
		sub("levels", "level-of-concern", l.LevelOfConcern)
		sub("levels", "answers", l.Answers)
	}
}

func flowList(v []string) string {
	out := make([]string, len(v))
	for i, s := range v {
		out[i] = flow(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// docAt is the description of the key at a dotted path. Entries of lists are
// named by their id or number there.
func (s *shape) docAt(key string) string {
	at := s
	for part := range strings.SplitSeq(key, ".") {
		next := at.step(part)
		if next == nil {
			break // the rest of an id that holds dots
		}
		at = next
	}
	return at.doc
}

// step is the shape one key further down.
func (s *shape) step(part string) *shape {
	switch s.kind {
	case kindMap, kindDict:
		for _, f := range s.fields {
			if f.key == part {
				return f.shape
			}
		}
		return s.elem
	case kindList:
		return s.elem
	case kindEither:
		if s.mapping != nil {
			return s.mapping.step(part)
		}
	case kindText, kindInt, kindBool, kindAny:
	}
	return nil
}
