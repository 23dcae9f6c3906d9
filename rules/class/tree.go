package class

// System is a software system, the root of a tree: a product. A repository
// shipped in several products has several systems over the same items.
type System struct {
	ID  string `json:"id"`
	Own Level  `json:"own,omitempty"` // declared class; none means the highest counts
}

// Item is a software item as declared. Its parent is another item or, when
// Parent is empty, every system it ships in.
type Item struct {
	ID        string    `json:"id"`
	Parent    string    `json:"parent,omitempty"`
	Own       Level     `json:"own,omitempty"`
	Paths     []string  `json:"paths,omitempty"` // globs, doublestar syntax, repository-relative
	Systems   []string  `json:"systems,omitempty"`
	Controls  []Control `json:"controls,omitempty"` // risks whose control this item implements (7.2.2 b)
	Hazards   []string  `json:"hazards,omitempty"`
	Rationale Rationale `json:"rationale,omitzero"`
}

// Control is a risk an item controls, with the class that risk would give.
type Control struct {
	Risk  string `json:"risk"`
	Class Level  `json:"class"`
}

// Rationale is the documented argument that holds an item below its parent
// (4.3 d, e; 5.3.5): a file that exists at the target branch.
type Rationale struct {
	Path string `json:"path,omitempty"`
	// Valid is true when the file exists and the change that brought it in was
	// under Primum's or the branch's own review rules; Problem says why not.
	Valid   bool   `json:"valid,omitempty"`
	Problem string `json:"problem,omitempty"`
}

// Tree is every item's class, worked out.
type Tree struct {
	Ladder  Ladder            `json:"-"`
	Systems []SystemClass     `json:"systems"`
	Items   map[string]Result `json:"items"`
	// Violations are what is wrong with the declarations; meanwhile the
	// stricter class counts.
	Violations []Violation `json:"violations,omitempty"`
}

// SystemClass is a system's class after raising.
type SystemClass struct {
	ID        string `json:"id"`
	Own       Level  `json:"own,omitempty"`
	Effective Level  `json:"effective"`
	RaisedBy  string `json:"raised_by,omitempty"` // the item that raised it above Own
}

// Result is one item's class and where it came from.
type Result struct {
	Item      Item   `json:"item"`
	Raised    Level  `json:"raised"`    // pass 1: own, risks controlled, children
	Effective Level  `json:"effective"` // pass 2: inherited or held down
	Origin    Origin `json:"origin"`
	From      string `json:"from,omitempty"` // the ancestor, child, system or risk the class came from
}

// Origin says where an item's effective class came from.
type Origin string

// Origins.
const (
	FromOwn       Origin = "own"       // declared on the item
	FromParent    Origin = "parent"    // inherited
	FromChild     Origin = "child"     // raised by a part
	FromRisk      Origin = "risk"      // raised by a risk it controls
	FromRationale Origin = "rationale" // held below its parent by a valid rationale
	FromNothing   Origin = "nothing"   // nothing in the tree has a class: the highest counts
)

// ViolationKind names what is wrong with a declaration.
type ViolationKind string

// Violation kinds.
const (
	NeedsRationale ViolationKind = "needs-rationale" // own below parent without a valid rationale
	ParentTooLow   ViolationKind = "parent-too-low"  // own above parent: the ancestors' declared classes are wrong
	BelowRisk      ViolationKind = "below-risk"      // own below the class of a risk it controls
	NoClass        ViolationKind = "no-class"        // nothing declares a class for the system
)

// Violation is one finding about the tree.
type Violation struct {
	Kind     ViolationKind `json:"kind"`
	Item     string        `json:"item,omitempty"`
	Declared Level         `json:"declared,omitempty"`
	Needed   Level         `json:"needed,omitempty"`
	Raise    []string      `json:"raise,omitempty"` // ancestors or systems whose declared class must rise
	Detail   string        `json:"detail,omitempty"`
}

// Derivation is the class of one change with its reasons.
type Derivation struct {
	Scheme string `json:"scheme"`
	Class  Level  `json:"class"`
	// Deciding are the touched paths of the highest class, at most 20, each
	// with the item it belongs to.
	Deciding []PathClass `json:"deciding,omitempty"`
	// Groups counts touched paths per item, highest class first.
	Groups []Group `json:"groups,omitempty"`
	// Unmapped paths belong to no item and count as the highest class (4.3 g).
	Unmapped []string `json:"unmapped,omitempty"`
	// Doubly mapped paths belong to several unrelated items; the highest counts.
	Double []PathClass `json:"double,omitempty"`
	// Outside counts touched paths declared not to be device software.
	Outside int `json:"outside,omitempty"`
	// Mixed is true when items of different classes are touched (advice: split).
	Mixed bool `json:"mixed,omitempty"`
	// OnlyOutside is true when every touched path is outside device software.
	OnlyOutside bool `json:"only_outside,omitempty"`
	// Reason is one sentence: "Class C: `fw/dosing/rate.c` belongs to dosing (C)".
	Reason string `json:"reason"`
}

// PathClass is one path with its item and class.
type PathClass struct {
	Path  string   `json:"path"`
	Item  string   `json:"item,omitempty"` // "" when unmapped
	Also  []string `json:"also,omitempty"` // further items, when doubly mapped
	Class Level    `json:"class"`
}

// Group is one item with the number of touched paths in it.
type Group struct {
	Item  string `json:"item"` // "" for unmapped paths
	Class Level  `json:"class"`
	Paths int    `json:"paths"`
	Why   string `json:"why"` // "declared C", "inherits C from infusion-pump", "held at A by docs/…"
}
