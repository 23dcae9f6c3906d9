package policy

import (
	"slices"

	"primum/rules/class"
)

// builder makes a policy from what was written, filling in defaults.
type builder struct {
	p     *Policy
	w     *written
	file  string // the file itself, not its base
	specs []Spec
	errs  Errors
	dirty map[string]bool // sections whose form is broken
	quiet bool
}

// build makes a policy of what was written. Where the form of a section is
// broken, what depends on it is not judged: one slip should be one error.
func build(w *written, file string, l class.Ladder, specs []Spec, dirty map[string]bool) (*Policy, Errors) {
	b := &builder{w: w, file: file, specs: specs, dirty: dirty, p: &Policy{Ladder: l, Origins: map[string]string{}, Specs: specs}}
	b.head()
	b.needs("", "product", "class", "products")
	b.systems()
	b.needs("", "product", "products", "items")
	b.items()
	b.paths()
	b.people()
	b.needs("issues")
	b.issues()
	b.needs("checks")
	b.checks()
	b.sections()
	b.protected()
	b.rules()
	b.needs("", "people", "rules", "protected")
	b.roles()
	return b.p, b.errs
}

// needs silences errors until the next call if one of these sections is broken;
// "" stands for an unknown key at the top.
func (b *builder) needs(sections ...string) {
	b.quiet = slices.ContainsFunc(sections, func(s string) bool { return b.dirty[s] })
}

// fail notes an error at a written value, or at the whole file.
func (b *builder) fail(at *written, id, what, fix string) {
	if b.quiet || len(b.errs) > maxErrors {
		return
	}
	if at == nil {
		at = &written{file: b.file}
	}
	b.errs = append(b.errs, at.err(id, what, fix))
}

func (b *builder) warn(at *written, id, what, fix string) {
	if len(b.p.Warnings) > maxErrors {
		return
	}
	if at == nil {
		at = &written{file: b.file}
	}
	b.p.Warnings = append(b.p.Warnings, at.err(id, what, fix))
}

// note remembers where a key was written and returns its value, or nil.
func (b *builder) note(w *written, key string) *written {
	if w != nil {
		b.p.Origins[key] = w.origin()
	}
	return w
}

func (b *builder) head() {
	b.p.Version = 1
	b.note(b.w.get("version"), "version")
	b.p.Mode = Enforce
	if m := b.note(b.w.get("mode"), "mode"); m != nil {
		b.p.Mode = Mode(m.text)
	}
	b.note(b.w.get("scheme"), "scheme")
	if e := b.note(b.w.get("extends"), "extends"); e != nil {
		b.p.Extends = splitExtends(e.text)
	}
	b.p.TargetBranches = b.note(b.w.get("branches"), "branches").texts()
}

func (b *builder) systems() {
	product, own := b.note(b.w.get("product"), "product"), b.note(b.w.get("class"), "class")
	more := b.note(b.w.get("products"), "products")
	if product == nil && (more == nil || len(more.list) == 0) {
		b.fail(nil, idMissing, `"product" is missing`, `name it: "product: infusion-pump"`)
	}
	seen := map[string]bool{}
	add := func(at *written, id string, own *written) {
		if seen[id] {
			b.fail(at, idSameID, "the product "+quote(id)+" is named twice", "give each product one entry")
			return
		}
		seen[id] = true
		b.p.Systems = append(b.p.Systems, class.System{ID: id, Own: class.Level(own.str())})
		if own == nil {
			b.warn(at, idNoClass, "the product "+quote(id)+" has no class", "until it has one, "+string(b.p.Ladder.Highest())+" counts")
		}
	}
	if product != nil || own != nil && (more == nil || len(more.list) == 0) {
		add(product, product.str(), own)
	} else if own != nil {
		b.fail(own, idValue, `"class" stands beside "products" without "product"`, "give each product its class")
	}
	if more != nil {
		for _, m := range more.list {
			add(m, m.get("id").str(), b.note(m.get("class"), "products."+m.get("id").str()+".class"))
		}
	}
	if len(b.p.Systems) == 0 { // an error was noted, or this is a base
		b.p.Systems = []class.System{{ID: product.str(), Own: class.Level(own.str())}}
	}
	b.p.Product = b.p.Systems[0].ID
}

func (b *builder) paths() {
	b.p.Outside = b.note(b.w.get("not-device-software"), "not-device-software").texts()
	b.p.Standing = b.note(b.w.get("no-runtime-effect"), "no-runtime-effect").texts()
	v := b.w.get("verification")
	b.p.Verification = defaultVerification()
	for key, into := range map[string]*[]string{
		"tests": &b.p.Verification.Tests, "workflows": &b.p.Verification.Workflows, "settings": &b.p.Verification.Settings,
	} {
		if w := b.note(v.get(key), "verification."+key); w != nil {
			*into = w.texts()
		}
	}
}

func (b *builder) people() {
	people := b.w.get("people")
	if people == nil {
		return
	}
	b.p.People = map[Role][]string{}
	for _, e := range people.entries {
		b.note(e.value, "people."+e.key)
		var who []string
		seen := map[string]bool{}
		for _, one := range e.value.list {
			if seen[one.text] {
				b.warn(one, idNoEffect, quote(one.text)+" holds the role "+e.key+" twice", "once is enough")
				continue
			}
			seen[one.text] = true
			who = append(who, one.text)
		}
		b.p.People[Role(e.key)] = who
	}
	for _, e := range people.entries {
		if slices.Contains(BuiltInRoles(), Role(e.key)) {
			continue
		}
		if n := nearest(e.key, roleNames(BuiltInRoles())); n != "" && b.p.People[Role(n)] == nil {
			b.warn(e.at, idUnusualRole, "the role "+quote(e.key)+" is none that Primum knows", "did you mean "+quote(n)+"?")
		}
	}
}

func (b *builder) issues() {
	read := func(key string, kind IssueKind) IssueKind {
		w := b.w.dig("issues", key)
		if l := b.note(w.get("labels"), "issues."+key+".labels"); l != nil {
			kind.Labels = l.texts()
		}
		if t := b.note(w.get("types"), "issues."+key+".types"); t != nil {
			kind.Types = t.texts()
		}
		if f := b.note(w.get("form"), "issues."+key+".form"); f != nil {
			kind.Form = f.text
		}
		return kind
	}
	b.p.Anomaly = read("anomaly", defaultAnomaly())
	b.p.ChangeRequest = read("change-request", defaultChangeRequest())
	both := func(a, c []string, key, word string) {
		at := b.w.dig("issues", "change-request", key)
		if at == nil {
			at = b.w.dig("issues", "anomaly", key)
		}
		for _, v := range less(c, less(c, a)) { // what both hold
			b.fail(at, idValue, "the "+word+" "+quote(v)+" stands for anomalies and for change requests", "give each kind its own")
		}
	}
	both(b.p.Anomaly.Labels, b.p.ChangeRequest.Labels, "labels", "label")
	both(b.p.Anomaly.Types, b.p.ChangeRequest.Types, "types", "issue type")
	if b.p.Anomaly.Form == b.p.ChangeRequest.Form {
		at := b.w.dig("issues", "change-request", "form")
		if at == nil {
			at = b.w.dig("issues", "anomaly", "form")
		}
		b.fail(at, idValue, "the form "+quote(b.p.Anomaly.Form)+" stands for anomalies and for change requests", "give each kind its own")
	}
}

func (b *builder) checks() {
	checks := b.w.get("checks")
	if checks == nil {
		return
	}
	b.p.Checks = map[class.Level][]CheckRef{}
	for _, e := range checks.entries {
		b.note(e.value, "checks."+e.key)
		refs, seen := []CheckRef{}, map[string]bool{}
		for _, c := range e.value.list {
			ref := CheckRef{Name: c.text}
			if c.isMap {
				ref = CheckRef{Name: c.get("name").str(), Source: c.get("source").str()}
			}
			if seen[ref.Name] {
				b.fail(c, idSameID, "the check "+quote(ref.Name)+" is listed twice", "list it once")
				continue
			}
			seen[ref.Name] = true
			refs = append(refs, ref)
		}
		b.p.Checks[class.Level(e.key)] = refs
	}
}

// sections reads what rules to come will use.
func (b *builder) sections() {
	if w := b.note(b.w.get("requirements"), "requirements"); w != nil {
		b.p.Requirements = &Requirements{Pattern: w.get("pattern").str(), Files: w.get("files").texts()}
	}
	if w := b.note(b.w.get("risk"), "risk"); w != nil {
		b.p.RiskFile = &RiskFile{File: w.get("file").str(), Matrix: w.get("matrix").str()}
	}
	if w := b.note(b.w.get("soup"), "soup"); w != nil {
		b.p.SOUP = &SOUP{Register: w.get("register").str(), Manifests: w.get("manifests").texts()}
	}
	if w := b.note(b.w.get("levels"), "levels"); w != nil {
		b.p.Levels = &Levels{
			FDADocumentation: w.get("fda-documentation").str(), LevelOfConcern: w.get("level-of-concern").str(), Answers: w.get("answers").str(),
		}
	}
}

func (b *builder) protected() {
	if w := b.note(b.w.get("protected"), "protected"); w != nil {
		for _, e := range w.list {
			b.p.Protected = append(b.p.Protected, Protected{
				Paths: e.get("paths").texts(), Role: Role(e.get("role").str()), What: e.get("what").str(), Origin: e.origin(),
			})
		}
	}
	b.p.Protected = append(b.p.Protected, defaultProtected(b.p)...)
}

func roleNames(roles []Role) []string {
	out := make([]string, len(roles))
	for i, r := range roles {
		out[i] = string(r)
	}
	return out
}
