package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"primum/rules/class"
)

// Option changes how Parse reads a file.
type Option func(*options)

type options struct {
	baseName string
	base     []byte
	hasBase  bool
}

// WithBase gives the organisation's base policy that the file extends: its name
// as in extends ("acme/primum-policy@v3") and its bytes.
func WithBase(name string, src []byte) Option {
	return func(o *options) { o.baseName, o.base, o.hasBase = name, src, true }
}

// Parse reads a policy file. It returns either a policy or every error of the
// file, in its order; warnings are in Policy.Warnings. file is the name that
// positions carry, e.g. Path; specs are the rules this build knows.
//
// A file that extends a base needs WithBase, or the error base-unread comes
// back. The file's keys count before the base's: maps are joined key by key,
// lists replaced. What the base locks may be tightened and not loosened.
func Parse(file string, src []byte, specs []Spec, opts ...Option) (*Policy, Errors) {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	root, errs := readYAML(file, src)
	if errs != nil {
		return nil, errs
	}
	var baseRoot *yaml.Node
	baseFile := o.baseName + ":" + Path
	ext, extends := scalarAt(root, "extends")
	if extends && o.hasBase {
		if baseRoot, errs = readYAML(baseFile, o.base); errs != nil {
			return nil, errs
		}
	}
	ladder := ladderOf(root, baseRoot)
	table := fileShape(ladder, specs)
	k := &walker{file: file, root: table}
	own := k.walk(root, table, "")
	if extends && !o.hasBase && own.get("extends") != nil {
		k.section = "extends"

		k.fail(ext, idBaseUnread, "the base "+quote(ext.Value)+" was not read", "check that it exists and that Primum may read it")
	}
	var base *written
	if baseRoot != nil {
		base = k.walkBase(baseFile, baseRoot, table)
	}
	if own == nil {
		return nil, k.errs.sorted()
	}
	own, base = expand(own, ladder), expand(base, ladder)
	p, errs := build(merge(base, own), own.file, ladder, specs, k.dirty)
	errs = append(k.errs, errs...)
	if base != nil && len(errs) == 0 {
		errs = append(errs, loosened(base, own, p, ladder, specs)...)
	}
	if len(errs) > 0 {
		return nil, errs.sorted()
	}
	p.Warnings = append(p.Warnings, k.warnings...).sorted()
	p.Derived = new(Derived)
	p.Source = Source{Path: file, Digest: digest(src, o.base, baseRoot != nil)}
	return p, nil
}

// walkBase checks the base policy; it may not extend another one.
func (k *walker) walkBase(file string, root *yaml.Node, table *shape) *written {
	b := &walker{file: file, root: table, dirty: k.dirty}
	w := b.walk(root, table, "")
	if n, ok := scalarAt(root, "extends"); ok {
		b.fail(n, idBaseExtends, "a base policy cannot extend another one", "write the keys out here")
	}
	k.errs = append(k.errs, b.errs...)
	k.dirty = b.dirty
	k.warnings = append(k.warnings, b.warnings...)
	return w
}

// ladderOf reads the scheme ahead of everything else, because it says which
// classes there are: the file's, else its base's, else the current one. The key
// table refuses an unknown scheme.
func ladderOf(root, base *yaml.Node) class.Ladder {
	for _, at := range []*yaml.Node{root, base} {
		if at == nil {
			continue
		}
		if n, ok := scalarAt(at, "scheme"); ok {
			if l, known := class.ByScheme(n.Value); known {
				return l
			}
			break
		}
	}
	return class.Current()
}

// scalarAt is the scalar under a key of the top map.
func scalarAt(root *yaml.Node, key string) (*yaml.Node, bool) {
	if root = follow(root); root.Kind != yaml.MappingNode {
		return nil, false
	}
	for i := 0; i+1 < len(root.Content); i += 2 {
		if root.Content[i].Value != key {
			continue
		}
		v := follow(root.Content[i+1])
		return v, v.Kind == yaml.ScalarNode && !isNull(v)
	}
	return nil, false
}

// ExtendsOf says which base policy a file names, without parsing the rest. It is
// false when the file names none or is broken; Parse then says what is wrong.
func ExtendsOf(src []byte) (*Extends, bool) {
	root, errs := readYAML(Path, src)
	if errs != nil {
		return nil, false
	}
	n, ok := scalarAt(root, "extends")
	if !ok {
		return nil, false
	}
	if _, what, _ := checkExtends(n.Value); what != "" {
		return nil, false
	}
	return splitExtends(n.Value), true
}

func splitExtends(v string) *Extends {
	repo, ref, _ := strings.Cut(v, "@")
	return &Extends{Repo: repo, Ref: ref}
}

func digest(src, base []byte, extends bool) string {
	h := sha256.New()
	if extends {
		h.Write(base)
		h.Write([]byte{0})
	}
	h.Write(src)
	return hex.EncodeToString(h.Sum(nil))
}

// expand brings rules and checks into one form, by class, so that a file and its
// base can be joined key by key.
func expand(w *written, l class.Ladder) *written {
	if w == nil {
		return nil
	}
	levels := levelNames(l)
	c := *w
	c.entries = slices.Clone(w.entries)
	for i, e := range c.entries {
		switch e.key {
		case "rules":
			c.entries[i].value = expandRules(e.value, levels)
		case "checks":
			if e.value.isList {
				c.entries[i].value = sameForAll(e.value, levels)
			}
		}
	}
	return &c
}

func sameForAll(v *written, levels []string) *written {
	m := &written{file: v.file, line: v.line, column: v.column, isMap: true}
	for _, l := range levels {
		m.entries = append(m.entries, entry{key: l, at: v, value: v})
	}
	return m
}

func expandRules(rules *written, levels []string) *written {
	out := *rules
	out.entries = nil
	for _, e := range rules.entries {
		general := asSettings(e.value)
		if general == nil {
			continue // a planned rule
		}
		byClass := &written{file: e.value.file, line: e.value.line, column: e.value.column, isMap: true}
		forAll := *general
		forAll.entries = slices.DeleteFunc(slices.Clone(general.entries), func(e entry) bool { return slices.Contains(levels, e.key) })
		for _, l := range levels {
			s := merge(&forAll, asSettings(general.get(l)))
			byClass.entries = append(byClass.entries, entry{key: l, at: e.at, value: s})
		}
		out.entries = append(out.entries, entry{key: e.key, at: e.at, value: byClass})
	}
	return &out
}

// asSettings turns the one word "warn" into {enforcement: warn}.
func asSettings(v *written) *written {
	switch {
	case v == nil || v.isMap:
		return v
	case v.text == "":
		return nil
	default:
		return &written{file: v.file, line: v.line, column: v.column, isMap: true, entries: []entry{{key: keyEnforcement, at: v, value: v}}}
	}
}

// merge lays over on top of base: maps key by key, everything else replaced.
func merge(base, over *written) *written {
	switch {
	case base == nil:
		return over
	case over == nil:
		return base
	case !base.isMap || !over.isMap:
		return over
	}
	out := *over
	out.entries = slices.Clone(over.entries)
	at := make(map[string]int, len(out.entries))
	for i, e := range out.entries {
		at[e.key] = i
	}
	for _, e := range base.entries {
		if i, both := at[e.key]; both {
			out.entries[i].value = merge(e.value, out.entries[i].value)
		} else {
			out.entries = append(out.entries, e)
		}
	}
	return &out
}
