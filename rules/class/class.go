// Package class works out software safety classes: which class an item has,
// which classes a change touches, and why.
//
// The ladder of classes is data with a version, because edition 2 of the
// standard will bring another one; no code outside a ladder's value knows the
// letters. The derivation follows IEC 62304:2006+A1:2015, 4.3 and 7.2.2 b:
// the worst part raises the whole, parts inherit downwards, a documented and
// valid rationale holds a single part down, and whatever is not mapped counts
// as the highest class. The package is pure and imports the standard library
// and the glob matcher only.
package class

// Level is one class of a ladder, e.g. "A". The empty Level means none declared.
type Level string

// Ladder is a versioned sequence of classes.
type Ladder struct {
	Scheme  string // e.g. "iec62304-1.1"; what the policy file writes as scheme
	Edition string // e.g. "IEC 62304:2006+A1:2015"
	Levels  []Step // least strict first
}

// Step is one class of a ladder.
type Step struct {
	Level Level
	// Defaults names the column of shipped rule defaults this class uses. In
	// the current edition every class is its own column; a later ladder maps
	// its levels onto the columns A, B and C.
	Defaults Level
	Meaning  string // a few words for people
}

// Ladders lists the ladders this build knows, current one first.
func Ladders() []Ladder {
	return []Ladder{{
		Scheme:  "iec62304-1.1",
		Edition: "IEC 62304:2006+A1:2015",
		Levels: []Step{
			{Level: "A", Defaults: "A", Meaning: "no unacceptable risk can follow"},
			{Level: "B", Defaults: "B", Meaning: "injury that is not serious is possible"},
			{Level: "C", Defaults: "C", Meaning: "death or serious injury is possible"},
		},
	}}
}

// Current is the ladder used when a policy names none.
func Current() Ladder { return Ladders()[0] }

// ByScheme finds a ladder by its scheme.
func ByScheme(scheme string) (Ladder, bool) {
	for _, l := range Ladders() {
		if l.Scheme == scheme {
			return l, true
		}
	}
	return Ladder{}, false
}

// Rank is the position of a class, 1 for the least strict; 0 for none or unknown.
func (l Ladder) Rank(v Level) int {
	for i, s := range l.Levels {
		if s.Level == v {
			return i + 1
		}
	}
	return 0
}

// Highest is the strictest class: what counts until something is classified (4.3 g).
func (l Ladder) Highest() Level { return l.Levels[len(l.Levels)-1].Level }

// Lowest is the least strict class.
func (l Ladder) Lowest() Level { return l.Levels[0].Level }

// Max is the stricter of two; none is below every class.
func (l Ladder) Max(a, b Level) Level {
	if l.Rank(b) > l.Rank(a) {
		return b
	}
	return a
}

// Column is the column of shipped defaults for a class; for an unknown class
// that of the highest.
func (l Ladder) Column(v Level) Level {
	for _, s := range l.Levels {
		if s.Level == v {
			return s.Defaults
		}
	}
	return l.Levels[len(l.Levels)-1].Defaults
}
