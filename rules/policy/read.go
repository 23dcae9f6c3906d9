package policy

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// The bounds of a policy file. It may come from a fork, so they are checked
// before and while it is read.
const (
	maxBytes = 256 << 10 // of the source
	maxNodes = 50_000    // after aliases are followed
	maxDepth = 40        // of nested lists and maps, aliases followed
)

// readYAML turns the bytes of a file into its one document, or says why not.
func readYAML(file string, src []byte) (*yaml.Node, Errors) {
	one := func(line, column int, id, what, fix string) (*yaml.Node, Errors) {
		return nil, Errors{{File: file, Line: line, Column: column, ID: id, What: what, Fix: fix}}
	}
	if len(src) > maxBytes {
		return one(0, 0, idTooLarge, "the file is larger than "+strconv.Itoa(maxBytes>>10)+" KiB", "a policy holds settings, not data")
	}
	if bytes.HasPrefix(src, []byte("\xff\xfe")) || bytes.HasPrefix(src, []byte("\xfe\xff")) {
		return one(1, 1, idEncoding, "the file is UTF-16", "save it as UTF-8")
	}
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		return one(1, 1, idEncoding, "the file begins with a byte order mark", "save it as UTF-8 without one")
	}
	if line, column, what := badSign(src); what != "" {
		return one(line, column, idEncoding, what, "save the file as UTF-8 text")
	}
	loader, err := yaml.NewLoader(bytes.NewReader(src))
	if err != nil {
		return one(0, 0, idSyntax, err.Error(), "")
	}
	doc := &yaml.Node{}
	err = loader.Load(doc)
	var none *yaml.LoadErrors
	switch {
	case errors.Is(err, io.EOF), err == nil && doc.Kind == 0, errors.As(err, &none):
		return one(0, 0, idEmpty, "the file is empty", `three lines are enough: "version: 1", "product: my-product", "class: C"`)
	case err != nil:
		e := syntaxError(file, src, err)
		return nil, Errors{e}
	}
	if doc.Kind == yaml.DocumentNode && (len(doc.Content) == 0 || isNull(doc.Content[0])) {
		return one(0, 0, idEmpty, "the file is empty", `three lines are enough: "version: 1", "product: my-product", "class: C"`)
	}
	next := &yaml.Node{}
	switch err := loader.Load(next); {
	case errors.Is(err, io.EOF):
	case err != nil:
		return nil, Errors{syntaxError(file, src, err)}
	default:
		return one(max(next.Line, 1), max(next.Column, 1), idDocuments, "a second document begins here", `remove the line "---" and merge the two`)
	}
	root := doc
	if doc.Kind == yaml.DocumentNode {
		root = doc.Content[0]
	}
	b := bounds{}
	if at, what := b.check(root, 0); what != "" {
		return one(at.Line, at.Column, idTooDeep, what, "write the values out, without anchors and aliases")
	}
	return root, nil
}

// badSign finds the first byte or sign that no policy holds.
func badSign(src []byte) (line, column int, what string) {
	line, column = 1, 1
	for i := 0; i < len(src); {
		r, n := utf8.DecodeRune(src[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			return line, column, "the byte 0x" + strconv.FormatUint(uint64(src[i]), 16) + " is not UTF-8"
		case r < ' ' && r != '\n' && r != '\r' && r != '\t', r == 0x7f:
			return line, column, "the control character 0x" + strconv.FormatInt(int64(r), 16) + " is not allowed"
		case r == '\u2028', r == '\u2029', r >= '\u202a' && r <= '\u202e', r >= '\u2066' && r <= '\u2069', r == '\ufeff':
			return line, column, "the invisible sign U+" + strings.ToUpper(strconv.FormatInt(int64(r), 16)) + " is not allowed"
		}
		i += n
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
	}
	return 0, 0, ""
}

// syntaxError puts the YAML library's words into ours, and adds what people
// most often meant.
func syntaxError(file string, src []byte, err error) Error {
	e := Error{File: file, ID: idSyntax, What: "this is not YAML: " + err.Error()}
	var le *yaml.LoadError
	if !errors.As(err, &le) {
		return e
	}
	e.Line, e.Column = le.Mark.Line, max(le.Mark.Column, 1)
	e.What = "this is not YAML: " + le.Message
	if le.ContextMsg != "" {
		e.What += " (" + le.ContextMsg + ")"
	}
	text := ""
	if lines := bytes.Split(src, []byte("\n")); e.Line >= 1 && e.Line <= len(lines) {
		text = string(lines[e.Line-1])
	}
	switch {
	case (strings.Contains(le.ContextMsg, "flow sequence") || strings.Contains(le.ContextMsg, "flow mapping")) && le.ContextMark.Line > 0:
		e.What = "a list or map in brackets begins here and is not closed"
		e.Line, e.Column, e.Fix = le.ContextMark.Line, max(le.ContextMark.Column, 1), "close it with ] or }, or put a comma before the next entry"
	case le.ContextMsg == "while parsing a flow node" && text == "":
		e.What, e.Fix = "the file ends within a list or map in brackets", "close it with ] or }"
	case strings.Contains(le.Message, "unknown anchor"):
		e.What, e.Fix = "a value that begins with * is an alias in YAML", `put globs in quotes: "*.md"`
	case strings.HasPrefix(strings.TrimLeft(text, " "), "\t"):
		e.What, e.Fix = "a tab indents this line", "YAML is indented with spaces"
	case strings.Contains(le.Message, "exceeded max depth"):
		e.ID = idTooDeep
	}
	return e
}

// bounds counts what a document comes to when its aliases are followed.
type bounds struct{ nodes int }

func (b *bounds) check(n *yaml.Node, depth int) (at *yaml.Node, what string) {
	if b.nodes++; b.nodes > maxNodes {
		return n, "the file comes to more than " + strconv.Itoa(maxNodes) + " values"
	}
	if depth > maxDepth {
		return n, "values are nested deeper than " + strconv.Itoa(maxDepth) + " levels"
	}
	if n.Kind == yaml.AliasNode {
		if at, what := b.check(n.Alias, depth+1); what != "" {
			// The alias is where a reader can mend it.
			_ = at
			return n, what
		}
		return nil, ""
	}
	for _, c := range n.Content {
		if at, what := b.check(c, depth+1); what != "" {
			return at, what
		}
	}
	return nil, ""
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// follow is the node an alias stands for, or the node itself.
func follow(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
