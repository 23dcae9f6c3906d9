package policy

import (
	"slices"
	"strings"

	"primum/rules/class"
)

// text, enum, list and the like build shapes of the key table.

func text(doc, example string, c check, pattern string) *shape {
	return &shape{kind: kindText, doc: doc, example: example, check: c, pattern: pattern}
}

func enum(doc string, words ...string) *shape {
	return &shape{kind: kindText, doc: doc, enum: words}
}

func list(doc, example string, elem *shape) *shape {
	return &shape{kind: kindList, doc: doc, example: example, elem: elem}
}

func object(doc, example string, fields ...field) *shape {
	return &shape{kind: kindMap, doc: doc, example: example, fields: fields}
}

func globs(doc, example string) *shape {
	elem := &shape{kind: kindText, doc: "A glob from the root of the repository; ** crosses directories.", example: "fw/**", check: checkGlob, glob: true}
	return list(doc, example, elem)
}

func file(doc, example string) *shape {
	return text(doc, example, checkPath, `^[^/*?\[\]{}\\][^*?\[\]{}\\]*$`)
}

func must(key string, s *shape) field { return field{key: key, shape: s, required: true} }
func may(key string, s *shape) field  { return field{key: key, shape: s} }

// fileShape is the whole key table of the file, for one ladder of classes and a
// set of rules.
func fileShape(l class.Ladder, specs []Spec) *shape {
	level := levelShape(l)
	var schemes []string
	for _, known := range class.Ladders() {
		schemes = append(schemes, known.Scheme)
	}
	return object("The policy of one repository.", "a map that begins with version: 1",
		must("version", &shape{kind: kindInt, min: 1, max: 1, example: "version: 1", doc: "The version of this file's form: 1."}),
		may("extends", text("An organisation's base policy, by repository and tag or commit. The file's own keys count before the base's; keys the base locks cannot be loosened.", "acme/primum-policy@v3", checkExtends, extendsPattern)),
		may("locked", list("In a base policy: the keys that a file extending it may tighten but not loosen.", "[mode, rules.review-quorum]", text("A key, by its path.", "rules.review-quorum", checkLocked, keyPattern))),
		may("mode", enum("What a verdict does: observe judges and records only, advise posts a check that never blocks, enforce blocks. Default: enforce.", string(Observe), string(Advise), string(Enforce))),
		may("product", text("The product, the root of the tree of items.", "product: infusion-pump", checkID, idPattern)),
		may("scheme", enum("The ladder of safety classes. Default: "+class.Current().Scheme+".", schemes...)),
		may("class", withDoc(level, "The safety class of the software system (4.3 a, c). Without one, the highest counts (4.3 g).")),
		may("products", atMost(maxProducts, list("Further products that ship this repository, each with its class; the highest counts for what they share.", "[{id: pump-lite, class: B}]",
			object("A product.", "{id: pump-lite, class: B}", must("id", text("The product's id.", "id: pump-lite", checkID, idPattern)), may("class", level))))),
		may("items", itemsShape(l)),
		may("not-device-software", globs("Files that are no part of the device software (5.1.10 controls them with it).", `[docs/**, "*.md"]`)),
		may("no-runtime-effect", globs("Files whose change cannot affect the running software; the risk questions have a standing answer for them.", "[tests/**]")),
		may("branches", list("The branches the policy governs, as globs. Default: all.", `[main, "release/*"]`, &shape{kind: kindText, doc: "A branch name or glob.", example: "main", check: checkBranch, glob: true})),
		may("people", peopleShape()),
		may("issues", object("How issues of a kind are recognised.", "a map with anomaly and change-request",
			may("anomaly", issueShape("Problem reports (9.1).", "{labels: [bug], form: anomaly}")),
			may("change-request", issueShape("Change requests (6.2.3, 8.2.1).", "{labels: [change-request], form: change-request}")))),
		may("rules", rulesShape(l, specs)),
		may("checks", checksShape(l)),
		may("protected", list("Files whose change needs the approval of a role (5.1.10, 8.1.1), first match first; the shipped ones come after.", "[{paths: [deploy/**], role: quality}]",
			object("Protected files.", "{paths: [deploy/**], role: quality}", must("paths", globs("The files.", "paths: [deploy/**]")), must("role", roleShape("role: quality")), may("what", text("What they are, for people.", "a deployment", nil, ""))))),
		may("verification", object("Which files verify the software; a change that weakens them needs a reason.", "{tests: [tests/**]}",
			may("tests", globs("Tests.", "[tests/**]")),
			may("workflows", globs("What runs them.", "[.github/workflows/**]")),
			may("settings", globs("Settings of linters and coverage.", "[.golangci.yml]")))),
		may("requirements", object("Where requirements are (5.2).", `{pattern: 'SRS-\d+', files: [docs/srs/**/*.md]}`,
			must("pattern", text("What a requirement's id looks like, as a regular expression (RE2).", `pattern: 'SRS-\d+'`, checkRegexp, "")),
			must("files", globs("The files that hold them.", "files: [docs/srs/**/*.md]")))),
		may("risk", object("The risk management file (ISO 14971).", "{file: docs/risk/risks.yml, matrix: 5x5}",
			must("file", file("Its path.", "file: docs/risk/risks.yml")),
			may("matrix", text("The size of its matrix.", "5x5", checkMatrix, matrixPattern)))),
		may("soup", object("Software of unknown provenance (8.1.2).", "{register: docs/soup.yml, manifests: auto}",
			must("register", file("The path of the register.", "register: docs/soup.yml")),
			may("manifests", &shape{kind: kindEither, doc: "The package manifests to hold it against, or auto.", scalar: enum("Found automatically.", "auto"), sequence: globs("The manifests.", "[go.mod]")}))),
		may("levels", object("Levels that are not the safety class and never follow from it.", "{fda-documentation: basic}",
			may("fda-documentation", enum("The documentation level of the FDA's guidance of 2023.", "basic", "enhanced")),
			may("level-of-concern", enum("The level of concern of the FDA's guidance of 2005.", "minor", "moderate", "major")),
			may("answers", file("The file that argues for them.", "docs/fda-level.yml")))),
	)
}

func atMost(n int, s *shape) *shape { s.max = n; return s }

func withDoc(s *shape, doc string) *shape {
	c := *s
	c.doc, c.def = doc, ""
	return &c
}

func levelNames(l class.Ladder) []string {
	var names []string
	for _, s := range l.Levels {
		names = append(names, string(s.Level))
	}
	return names
}

func levelShape(l class.Ladder) *shape {
	var meanings []string
	for _, s := range l.Levels {
		meanings = append(meanings, string(s.Level)+": "+s.Meaning)
	}
	return enum("A safety class. "+strings.Join(meanings, "; ")+".", levelNames(l)...)
}

func itemsShape(l class.Ladder) *shape {
	paths := list("The item's files, as globs; one that begins with ! takes files out again.", "[fw/dosing/**]",
		&shape{kind: kindText, doc: "A glob from the root of the repository; ** crosses directories.", example: "fw/dosing/**", check: checkItemGlob, glob: true})
	item := object("A software item.", "{id: dosing, class: C, paths: [fw/dosing/**]}")
	item.def = "item"
	items := list("The software items, each with its files; nested ones are parts.", "[{id: dosing, class: C, paths: [fw/dosing/**]}]", item)
	item.fields = []field{
		must("id", text("The item's id.", "id: dosing", checkID, idPattern)),
		may("class", withDoc(levelShape(l), "The item's own class. Without one it inherits (4.3 d).")),
		may("parent", text("The item this one is a part of.", "firmware", checkID, idPattern)),
		may("paths", paths),
		may("hazards", list("Hazards the item can contribute to (7.1.1).", "[HZ-3]", text("A hazard's id.", "HZ-3", nil, ""))),
		may("controls", list("Risks whose control the item implements (7.2.2 b).", "[{risk: HZ-3, class: C}]",
			object("A risk.", "{risk: HZ-3, class: C}", must("risk", text("The risk's id.", "risk: HZ-3", nil, "")), must("class", withDoc(levelShape(l), "The class the risk gives to what controls it."))))),
		may("rationale", file("The documented argument that holds the item below what it is a part of (4.3 d, e; 5.3.5).", "docs/risk/ui-segregation.md")),
		may("products", list("The products the item ships in. Default: its parent's, or all.", "[pump-lite]", text("A product's id.", "pump-lite", checkID, idPattern))),
		may("items", items),
	}
	return items
}

func principals() *shape {
	return list("Who holds the role.", "[team:firmware, user:mara]", text("team:slug, team:owner/slug, user:login or id:123.", "user:mara", checkPrincipal, principalPattern))
}

func peopleShape() *shape {
	docs := map[Role]string{
		Developer: "Who writes and reviews code.", Verification: "Who answers for tests.", Risk: "Who answers for the risk file.",
		Quality: "Who answers for the policy and approves waivers.", Regulatory: "Who answers to authorities.",
	}
	s := &shape{
		kind: kindDict, doc: "Roles and who holds them; further roles may be added.", example: "{developer: [team:firmware]}",
		elem: principals(), keyRE: rolePattern,
		key: func(k string) (what, fix string) { _, what, fix = checkRole(k); return what, fix },
	}
	for _, r := range BuiltInRoles() {
		s.fields = append(s.fields, may(string(r), withDoc(principals(), docs[r])))
	}
	return s
}

func roleShape(example string) *shape {
	return text("A role of people.", example, checkRole, rolePattern)
}

func issueShape(doc, example string) *shape {
	label := text("A label.", "bug", nil, "")
	return object(doc, example,
		may("labels", list("Any of these labels.", "[bug]", label)),
		may("types", list("Any of these issue types.", "[Bug]", text("An issue type.", "Bug", nil, ""))),
		may("form", enum("The issue form that Primum writes.", "anomaly", "change-request")))
}

func checksShape(l class.Ladder) *shape {
	names := list("Checks that must be green.", "[build, test]", &shape{
		kind: kindEither, doc: "A check, by name or by name and who must report it.",
		scalar: text("The check's name.", "build", nil, ""),
		mapping: object("A check with its source.", "{name: build, source: github-actions}",
			must("name", text("The check's name.", "name: build", nil, "")),
			may("source", text("Who must report it: an app's slug or a login.", "github-actions", nil, ""))),
	})
	byClass := object("Checks per class; a class has what is listed for it only.", "{B: [build, test], C: [build, test, misra]}")
	for _, s := range l.Levels {
		byClass.fields = append(byClass.fields, may(string(s.Level), names))
	}
	return &shape{kind: kindEither, doc: "The checks a change needs (8.2.3, 5.1.6): one list for all classes, or a list per class.", sequence: names, mapping: byClass}
}

// keyEnforcement is the key of a rule's enforcement beside its parameters.
const keyEnforcement = "enforcement"

func rulesShape(l class.Ladder, specs []Spec) *shape {
	s := object("Rules that differ from the shipped defaults.", "{review-quorum: {C: {approvals: 2}}}")
	s.rules = true
	for _, spec := range specs {
		s.fields = append(s.fields, may(spec.ID, ruleShape(l, spec)))
	}
	for _, id := range catalogue() {
		if !slices.ContainsFunc(specs, func(s Spec) bool { return s.ID == id }) {
			s.fields = append(s.fields, field{key: id, planned: true, shape: &shape{kind: kindAny, doc: "Planned; not in this version."}})
		}
	}
	return s
}

func enforcementShape() *shape {
	s := enum("What a failing rule does: off is not judged, warn reports only, block keeps the change from merging.", string(Off), string(Warn), string(Block))
	s.enforcement, s.def = true, keyEnforcement
	return s
}

// ruleShape allows a rule to be set by one word, by parameters for all classes,
// by a word or parameters per class, or by both: what a class says counts before
// what is said for all.
func ruleShape(l class.Ladder, spec Spec) *shape {
	params := []field{may(keyEnforcement, enforcementShape())}
	for _, p := range spec.Params {
		params = append(params, may(p.Name, paramShape(p)))
	}
	perClass := &shape{kind: kindEither, doc: "At this class.", scalar: enforcementShape(), mapping: object("At this class.", "{enforcement: warn}", params...)}
	perClass.def = spec.ID
	all := object(spec.Title+".", "{enforcement: warn}")
	for _, step := range l.Levels {
		all.fields = append(all.fields, may(string(step.Level), perClass))
	}
	all.fields = append(all.fields, params...)
	return &shape{kind: kindEither, doc: spec.Title + ".", scalar: enforcementShape(), mapping: all}
}

func paramShape(p Param) *shape {
	s := &shape{doc: p.Doc, min: p.Min, max: p.Max}
	switch p.Kind {
	case KindInt:
		s.kind = kindInt
	case KindBool:
		s.kind = kindBool
	case KindList:
		s.kind = kindList
		s.elem = &shape{kind: kindText, enum: p.Enum}
	case KindRoles:
		s.kind, s.example, s.elem = kindList, "[developer]", roleShape("developer")
	case KindText:
		s.kind, s.enum = kindText, p.Enum
	}
	return s
}

// checkLocked accepts the dotted path of a key.
func checkLocked(v string) (id, what, fix string) {
	if !isKey(v) {
		return idValue, quote(v) + " is not the path of a key", "write it with dots: rules.review-quorum"
	}
	return "", "", ""
}
