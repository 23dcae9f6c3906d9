package sim

import (
	"crypto/sha1" //nolint:gosec // git's object ids are SHA-1
	"encoding/hex"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"
)

// File modes git knows.
const (
	ModeFile       = "100644"
	ModeExecutable = "100755"
	ModeSymlink    = "120000"
	ModeTree       = "40000"
)

// Ident is who a commit names, and when.
type Ident struct {
	Name  string
	Email string
	At    time.Time // written to the second
}

// Signature is what the forge says of a commit's signature. It is a flag: no
// key is involved.
type Signature struct {
	Present bool
	Valid   bool
	Reason  string // the forge's word: "valid", "bad_email", "unknown_key" …
	ByForge bool   // made by the forge itself: web edits, the merge button
}

// Commit is one commit as stored. SHA is what git computes for it.
type Commit struct {
	SHA       string
	Tree      string
	Parents   []string
	Author    Ident
	Committer Ident
	Message   string
	Signature Signature
}

// TreeEntry is one line of a tree.
type TreeEntry struct {
	Mode string
	Name string
	OID  string
}

// objects is a content-addressed store shared by all repositories, as forks
// share theirs.
type objects struct {
	blobs   map[string][]byte
	trees   map[string][]TreeEntry
	commits map[string]*Commit
}

func newObjects() *objects {
	return &objects{blobs: map[string][]byte{}, trees: map[string][]TreeEntry{}, commits: map[string]*Commit{}}
}

// ObjectID is the id git gives an object of this kind ("blob", "tree", "commit").
func ObjectID(kind string, content []byte) string {
	h := sha1.New() //nolint:gosec // git's object ids are SHA-1
	h.Write([]byte(kind + " " + strconv.Itoa(len(content)) + "\x00"))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

func (o *objects) putBlob(content []byte) string {
	id := ObjectID("blob", content)
	if _, ok := o.blobs[id]; !ok {
		o.blobs[id] = content
	}
	return id
}

func (o *objects) putTree(entries []TreeEntry) string {
	sort.Slice(entries, func(i, j int) bool { return treeKey(entries[i]) < treeKey(entries[j]) })
	var b strings.Builder
	for _, e := range entries {
		raw, err := hex.DecodeString(e.OID)
		if err != nil {
			panic("sim: tree entry without an object id: " + e.Name)
		}
		b.WriteString(e.Mode + " " + e.Name + "\x00")
		b.Write(raw)
	}
	id := ObjectID("tree", []byte(b.String()))
	o.trees[id] = entries
	return id
}

// treeKey sorts as git does: a folder as if its name ended in a slash.
func treeKey(e TreeEntry) string {
	if e.Mode == ModeTree {
		return e.Name + "/"
	}
	return e.Name
}

func (o *objects) putCommit(c Commit) *Commit {
	var b strings.Builder
	fmt.Fprintf(&b, "tree %s\n", c.Tree)
	for _, p := range c.Parents {
		fmt.Fprintf(&b, "parent %s\n", p)
	}
	fmt.Fprintf(&b, "author %s <%s> %d +0000\n", c.Author.Name, c.Author.Email, c.Author.At.Unix())
	fmt.Fprintf(&b, "committer %s <%s> %d +0000\n\n", c.Committer.Name, c.Committer.Email, c.Committer.At.Unix())
	b.WriteString(c.Message)
	c.SHA = ObjectID("commit", []byte(b.String()))
	if have, ok := o.commits[c.SHA]; ok {
		return have
	}
	o.commits[c.SHA] = &c
	return &c
}

// file is one entry of a flattened tree.
type file struct{ mode, oid string }

// edit says what becomes of a path; remove if oid is "".
type edit struct{ mode, oid string }

// apply writes edits into a tree and gives the new tree; folders left empty go.
func (o *objects) apply(tree string, edits map[string]edit) string {
	here := map[string]edit{}
	below := map[string]map[string]edit{}
	for path, e := range edits {
		head, rest, deep := strings.Cut(path, "/")
		if !deep {
			here[head] = e
			continue
		}
		if below[head] == nil {
			below[head] = map[string]edit{}
		}
		below[head][rest] = e
	}
	var out []TreeEntry
	for _, e := range o.trees[tree] {
		if _, touched := here[e.Name]; touched {
			continue
		}
		if sub, ok := below[e.Name]; ok {
			delete(below, e.Name)
			base := ""
			if e.Mode == ModeTree {
				base = e.OID
			}
			if id := o.apply(base, sub); len(o.trees[id]) > 0 {
				out = append(out, TreeEntry{Mode: ModeTree, Name: e.Name, OID: id})
			}
			continue
		}
		out = append(out, e)
	}
	for name, e := range here {
		if e.oid != "" {
			out = append(out, TreeEntry{Mode: e.mode, Name: name, OID: e.oid})
		}
	}
	for name, sub := range below {
		if id := o.apply("", sub); len(o.trees[id]) > 0 {
			out = append(out, TreeEntry{Mode: ModeTree, Name: name, OID: id})
		}
	}
	return o.putTree(out)
}

// lookup finds a path in a tree.
func (o *objects) lookup(tree, path string) (TreeEntry, bool) {
	head, rest, deep := strings.Cut(path, "/")
	for _, e := range o.trees[tree] {
		if e.Name != head {
			continue
		}
		if !deep {
			return e, true
		}
		if e.Mode != ModeTree {
			return TreeEntry{}, false
		}
		return o.lookup(e.OID, rest)
	}
	return TreeEntry{}, false
}

// treeDelta lists the files that differ between two trees, not entering equal
// folders. A missing side has oid "".
func (o *objects) treeDelta(a, b, prefix string, into map[string][2]file) {
	if a == b {
		return
	}
	left := map[string]TreeEntry{}
	for _, e := range o.trees[a] {
		left[e.Name] = e
	}
	add := func(name string, was, is TreeEntry) {
		path := prefix + name
		dirWas, dirIs := was.Mode == ModeTree, is.Mode == ModeTree
		if dirWas || dirIs {
			var subA, subB string
			if dirWas {
				subA = was.OID
			}
			if dirIs {
				subB = is.OID
			}
			o.treeDelta(subA, subB, path+"/", into)
		}
		var l, r file
		if !dirWas && was.OID != "" {
			l = file{was.Mode, was.OID}
		}
		if !dirIs && is.OID != "" {
			r = file{is.Mode, is.OID}
		}
		if l != r {
			into[path] = [2]file{l, r}
		}
	}
	for _, e := range o.trees[b] {
		was := left[e.Name]
		delete(left, e.Name)
		if was.OID != e.OID || was.Mode != e.Mode {
			add(e.Name, was, e)
		}
	}
	for name, was := range left {
		add(name, was, TreeEntry{})
	}
}

// ancestors is every commit reachable from sha, itself included.
func (o *objects) ancestors(sha string) map[string]bool {
	seen := map[string]bool{}
	queue := []string{sha}
	for len(queue) > 0 {
		s := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		c := o.commits[s]
		if c == nil || seen[s] {
			continue
		}
		seen[s] = true
		queue = append(queue, c.Parents...)
	}
	return seen
}

// mergeBase is the nearest common ancestor: of the common ancestors one that is
// no ancestor of another; "" if the histories are unrelated.
func (o *objects) mergeBase(a, b string) string {
	ofA := o.ancestors(a)
	seen := map[string]bool{}
	queue := []string{b}
	var common []string
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		c := o.commits[s]
		if c == nil || seen[s] {
			continue
		}
		seen[s] = true
		if ofA[s] {
			common = append(common, s)
			continue
		}
		queue = append(queue, c.Parents...)
	}
	for i, s := range common {
		best := true
		for j, other := range common {
			if i != j && o.ancestors(other)[s] {
				best = false
				break
			}
		}
		if best {
			return s
		}
	}
	return ""
}

// between lists the commits reachable from head and not from base, oldest first.
func (o *objects) between(base, head string) []*Commit {
	hide := o.ancestors(base)
	var out []*Commit
	seen := map[string]bool{}
	var walk func(s string)
	walk = func(s string) {
		c := o.commits[s]
		if c == nil || hide[s] || seen[s] {
			return
		}
		seen[s] = true
		for _, p := range c.Parents {
			walk(p)
		}
		out = append(out, c)
	}
	walk(head)
	return out
}
