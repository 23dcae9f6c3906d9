package policy

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v4"
)

// written is a value of a policy file as it stands there: its form is checked
// against the key table, its position kept, nothing filled in.
type written struct {
	file         string
	line, column int
	text         string
	number       int
	truth        bool
	list         []*written
	entries      []entry // of maps, in order of the file
	isMap        bool
	isList       bool
}

type entry struct {
	key   string
	at    *written // position of the key
	value *written
}

// get is the value of a key, or nil.
func (w *written) get(key string) *written {
	if w == nil {
		return nil
	}
	for _, e := range w.entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

// dig follows keys downwards; nil if one is absent.
func (w *written) dig(keys ...string) *written {
	for _, k := range keys {
		w = w.get(k)
	}
	return w
}

// texts are the strings of a list.
func (w *written) texts() []string {
	if w == nil {
		return nil
	}
	out := make([]string, 0, len(w.list))
	for _, e := range w.list {
		out = append(out, e.text)
	}
	return out
}

// str is the text of a scalar, "" if absent.
func (w *written) str() string {
	if w == nil {
		return ""
	}
	return w.text
}

// origin is "file:line:column".
func (w *written) origin() string {
	return w.file + ":" + strconv.Itoa(w.line) + ":" + strconv.Itoa(w.column)
}

// err makes an error at the position of w.
func (w *written) err(id, what, fix string) Error {
	return Error{File: w.file, Line: w.line, Column: w.column, ID: id, What: what, Fix: fix}
}

// walker holds nodes against the key table.
type walker struct {
	file     string
	errs     Errors
	warnings Errors
	globs    int
	root     *shape
	section  string          // top-level key being walked
	dirty    map[string]bool // sections with an error; "" if a top-level key is unknown
}

func (k *walker) at(n *yaml.Node) *written {
	return &written{file: k.file, line: n.Line, column: n.Column}
}

func (k *walker) fail(n *yaml.Node, id, what, fix string) *written {
	if len(k.errs) > maxErrors {
		return nil
	}
	if k.dirty == nil {
		k.dirty = map[string]bool{}
	}
	k.dirty[k.section] = true
	k.errs = append(k.errs, k.at(n).err(id, what, fix))
	return nil
}

// walk checks one value against its shape. It returns nil, with an error noted,
// where the value does not have it. name is the key, for messages.
func (k *walker) walk(n *yaml.Node, s *shape, name string) *written {
	pos := n
	n = follow(n)
	if isNull(n) && s.kind != kindAny {
		return k.fail(pos, idType, label(name)+" has no value", "give it "+s.words()+", or remove the key")
	}
	var w *written
	switch s.kind {
	case kindAny:
		return k.at(pos)
	case kindEither:
		alt := s.alternative(n.Kind)
		if alt == nil {
			return k.fail(pos, idType, label(name)+" is "+formOf(n), "write "+s.words())
		}
		return k.walk(pos, alt, name)
	case kindMap, kindDict:
		if n.Kind != yaml.MappingNode {
			return k.fail(pos, idType, label(name)+" is "+formOf(n), "write "+s.words())
		}
		w = k.walkMap(n, s)
	case kindList:
		if n.Kind != yaml.SequenceNode {
			fix := "write " + s.words()
			if n.Kind == yaml.ScalarNode && s.elem.kind == kindText {
				fix = "write [" + flow(n.Value) + "]"
			}
			return k.fail(pos, idType, label(name)+" is "+formOf(n)+", not a list", fix)
		}
		if s.max > 0 && len(n.Content) > s.max {
			return k.fail(pos, idTooLarge, label(name)+" holds more than "+strconv.Itoa(s.max)+" entries", "keep to the bound")
		}
		w = &written{isList: true}
		for _, c := range n.Content {
			if e := k.walk(c, s.elem, name); e != nil {
				w.list = append(w.list, e)
			}
		}
	default:
		w = k.walkScalar(pos, n, s, name)
	}
	if w != nil {
		w.file, w.line, w.column = k.file, pos.Line, pos.Column
	}
	return w
}

func (k *walker) walkMap(n *yaml.Node, s *shape) *written {
	w := &written{isMap: true}
	first := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		kn, vn := n.Content[i], n.Content[i+1]
		key := follow(kn)
		if key.Kind != yaml.ScalarNode {
			k.fail(kn, idUnknownKey, "a key is "+formOf(key), "keys are single words")
			continue
		}
		if line, twice := first[key.Value]; twice {
			k.fail(kn, idDuplicate, "the key "+quote(key.Value)+" is here a second time", "it first stands in line "+strconv.Itoa(line))
			continue
		}
		first[key.Value] = kn.Line
		if s == k.root {
			k.section = ""
		}
		vs := k.shapeOf(kn, key.Value, s)
		if vs == nil {
			continue
		}
		if s == k.root {
			k.section = key.Value
		}
		if v := k.walk(vn, vs, key.Value); v != nil {
			w.entries = append(w.entries, entry{key: key.Value, at: k.at(kn), value: v})
		}
	}
	if s == k.root {
		k.section = ""
	}
	for _, f := range s.fields {
		if _, there := first[f.key]; f.required && !there {
			k.fail(n, idMissing, quote(f.key)+" is missing", "add "+f.shape.words())
		}
	}
	return w
}

// shapeOf finds the shape of a key's value; nil, with an error noted, if there is
// no such key.
func (k *walker) shapeOf(kn *yaml.Node, key string, s *shape) *shape {
	if key == "<<" {
		k.fail(kn, idUnknownKey, `the merge key "<<" is not used here`, "write the keys out")
		return nil
	}
	for _, f := range s.fields {
		if f.key == key {
			if f.planned {
				k.warnings = append(k.warnings, k.at(kn).err(idPlanned,
					"rule "+quote(key)+" is planned and not in this version", "its settings are kept and not used"))
			}
			return f.shape
		}
	}
	if s.kind == kindDict {
		if what, fix := s.key(key); what != "" {
			k.fail(kn, idValue, what, fix)
			return nil
		}
		return s.elem
	}
	if len(k.errs) > maxErrors {
		return nil // looking for the nearest word is the dearest part
	}
	var known []string
	for _, f := range s.fields {
		known = append(known, f.key)
	}
	id, what := idUnknownKey, "unknown key "
	if s.rules {
		id, what = idUnknownRule, "unknown rule "
	}
	otherwise := "known here: " + strings.Join(known, ", ")
	if s.rules {
		otherwise = `"primum rules list" names them all`
	}
	k.fail(kn, id, what+quote(key), didYouMean(key, known, otherwise))
	return nil
}

func (k *walker) walkScalar(pos, n *yaml.Node, s *shape, name string) *written {
	if n.Kind != yaml.ScalarNode {
		return k.fail(pos, idType, label(name)+" is "+formOf(n), "write "+s.words())
	}
	switch s.kind {
	case kindInt:
		return k.walkInt(pos, n, s, name)
	case kindBool:
		return k.walkBool(pos, n, name)
	default:
		return k.walkText(pos, n, s, name)
	}
}

func (k *walker) walkInt(pos, n *yaml.Node, s *shape, name string) *written {
	if n.Tag != "!!int" {
		fix := "write " + s.words()
		if _, err := strconv.Atoi(n.Value); err == nil && n.Tag == "!!str" {
			fix = "write " + n.Value + " without quotes"
		}
		return k.fail(pos, idType, label(name)+" is "+formOf(n)+", not a whole number", fix)
	}
	v, err := strconv.Atoi(n.Value)
	if err != nil || strconv.Itoa(v) != n.Value {
		// 010 is eight to some readers and ten to others.
		return k.fail(pos, idValue, n.Value+" is not a plain whole number", "write it in decimal digits, without leading zeros")
	}
	if v < s.min || s.max > 0 && v > s.max {
		return k.fail(pos, idValue, quote(name)+" is "+n.Value, "write "+s.words())
	}
	return &written{number: v}
}

func (k *walker) walkBool(pos, n *yaml.Node, name string) *written {
	switch n.Value {
	case "true", "false":
		if n.Tag == "!!bool" {
			return &written{truth: n.Value == "true"}
		}
		return k.fail(pos, idType, quote(name)+" is text", "write "+n.Value+" without quotes")
	}
	fix := "write true or false"
	if v, known := oldTruth(n.Value); known {
		// YAML 1.1 read these as truth values, YAML 1.2 reads text.
		fix = "write " + strconv.FormatBool(v) + `; "yes", "no", "on" and "off" are text in YAML 1.2`
	}
	return k.fail(pos, idType, quote(name)+" is "+quote(n.Value)+", not true or false", fix)
}

func oldTruth(v string) (truth, known bool) {
	switch strings.ToLower(v) {
	case "yes", "y", "on", "true":
		return true, true
	case "no", "n", "off", "false":
		return false, true
	}
	return false, false
}

func (k *walker) walkText(pos, n *yaml.Node, s *shape, name string) *written {
	if s.enforcement {
		if v, known := oldTruth(n.Value); known && n.Value != "off" {
			word := "off"
			if v {
				word = "block"
			}
			return k.fail(pos, idValue, quote(name)+" is "+quote(n.Value), "a rule is off, warn or block; did you mean "+quote(word)+"?")
		}
	}
	if n.Tag != "!!str" {
		return k.fail(pos, idType, label(name)+" is "+formOf(n)+", not text", "put it in quotes: "+quote(n.Value))
	}
	v := n.Value
	if what := unprintable(v); what != "" {
		return k.fail(pos, idValue, quote(name)+" "+what, "write "+s.words())
	}
	if len(s.enum) > 0 && !slices.Contains(s.enum, v) {
		return k.fail(pos, idValue, quote(name)+" is "+quote(v), didYouMean(v, s.enum, "write one of "+strings.Join(s.enum, ", ")))
	}
	if s.check != nil {
		if id, what, fix := s.check(v); what != "" {
			return k.fail(pos, id, what, fix)
		}
	}
	if s.glob {
		if k.globs++; k.globs == maxGlobs+1 {
			return k.fail(pos, idTooLarge, "the file holds more than "+strconv.Itoa(maxGlobs)+" globs", "name directories instead of files")
		}
	}
	return &written{text: v}
}

// unprintable says why a text cannot be shown to people as it is.
func unprintable(v string) string {
	if strings.TrimSpace(v) == "" {
		return "is empty"
	}
	if len(v) > maxText {
		return "is longer than " + strconv.Itoa(maxText) + " bytes"
	}
	for _, r := range v {
		if !unicode.IsPrint(r) {
			return "holds a line break or an invisible sign"
		}
	}
	return ""
}

// formOf says in plain words what a node is.
func formOf(n *yaml.Node) string {
	if n.Kind == yaml.MappingNode {
		return "a map"
	}
	if n.Kind == yaml.SequenceNode {
		return "a list"
	}
	switch n.Tag {
	case "!!int", "!!float":
		return "the number " + n.Value
	case "!!bool":
		return "the truth value " + n.Value
	case "!!null":
		return "nothing"
	case "!!timestamp":
		return "the date " + n.Value
	case "!!str":
		return "the text " + quote(n.Value)
	}
	return "a value tagged " + n.Tag
}

// label names a key in a message; the top of the file has none.
func label(name string) string {
	if name == "" {
		return "the file"
	}
	return quote(name)
}

// maxShown bounds what of a file is repeated in a message, in runes.
const maxShown = 60

// quote shows a piece of the file in a message.
func quote(s string) string {
	if r := []rune(s); len(r) > maxShown {
		s = string(r[:maxShown-1]) + "…"
	}
	return strconv.Quote(s)
}

// flow is a text as it can stand in a list in brackets.
func flow(s string) string {
	if strings.ContainsAny(s, `,[]{}*&!|>'"%@#?`+"`") || s == "" {
		return quote(s)
	}
	return s
}
