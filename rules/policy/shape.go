package policy

import (
	"strconv"
	"strings"

	"go.yaml.in/yaml/v4"
)

// shape is what a value of the file may be. One table of shapes, see keys.go, is
// read by the parser, the JSON schema and explain, so that they cannot disagree.
type shape struct {
	kind    kind
	doc     string
	example string // as a person would write the value

	fields []field // of kindMap; of kindDict, keys with a shape of their own
	elem   *shape  // of kindList and kindDict
	key    func(key string) (what, fix string)
	keyRE  string // key as the schema knows it

	enum        []string
	enforcement bool
	check       check
	pattern     string // check as far as the schema can say it
	glob        bool   // counts towards the bound of globs
	min, max    int    // of kindInt; of kindList, max entries; max 0 for none

	scalar, sequence, mapping *shape // of kindEither
	rules                     bool   // the keys are ids of rules
	def                       string // name in the schema's $defs
}

type kind int

const (
	kindText kind = iota
	kindInt
	kindBool
	kindList
	kindMap    // fixed keys
	kindDict   // keys chosen by the file
	kindEither // by the form of what is written
	kindAny    // not looked at
)

type field struct {
	key      string
	shape    *shape
	required bool
	planned  bool // a rule of the catalogue that this version does not have
}

// alternative picks the shape of kindEither for a node.
func (s *shape) alternative(k yaml.Kind) *shape {
	switch k {
	case yaml.ScalarNode:
		return s.scalar
	case yaml.SequenceNode:
		return s.sequence
	case yaml.MappingNode:
		return s.mapping
	default:
		return nil
	}
}

// words says what to write.
func (s *shape) words() string {
	switch {
	case s.example != "":
		return s.example
	case len(s.enum) > 0:
		return "one of " + strings.Join(s.enum, ", ")
	}
	switch s.kind {
	case kindInt:
		if s.max > 0 {
			return "a whole number from " + strconv.Itoa(s.min) + " to " + strconv.Itoa(s.max)
		}
		return "a whole number, " + strconv.Itoa(s.min) + " or more"
	case kindBool:
		return "true or false"
	case kindList:
		return "a list, e.g. [" + s.elem.words() + "]"
	case kindMap, kindDict:
		return "a map"
	case kindEither:
		var forms []string
		for _, alt := range []*shape{s.scalar, s.sequence, s.mapping} {
			if alt != nil {
				forms = append(forms, alt.words())
			}
		}
		return strings.Join(forms, " or ")
	case kindText, kindAny:
	}
	return "a text"
}
