package sim

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
)

// FileStatus says what a comparison found about a file.
type FileStatus string

// File statuses, in GitHub's words.
const (
	FileAdded    FileStatus = "added"
	FileModified FileStatus = "modified"
	FileRemoved  FileStatus = "removed"
	FileRenamed  FileStatus = "renamed"
)

// FileDiff is one file of a comparison.
type FileDiff struct {
	Path      string
	Previous  string // of a rename
	Status    FileStatus
	OID       string // blob after; before, if removed
	Mode      string
	Additions int
	Deletions int
	Patch     string // hunks without a header; "" for binary or unchanged content
	Binary    bool
}

const (
	contextLines  = 3
	maxEdits      = 4000 // beyond this a file is taken as rewritten
	renameLimit   = 400  // pairs looked at for similar content
	renamePercent = 50
)

// compareTrees lists what differs, sorted by path. detail asks for line counts
// and patches.
func (o *objects) compareTrees(a, b string, detail bool) []FileDiff {
	delta := map[string][2]file{}
	o.treeDelta(a, b, "", delta)
	var out []FileDiff
	var gone, come []string
	for path, d := range delta {
		switch {
		case d[0].oid == "":
			come = append(come, path)
		case d[1].oid == "":
			gone = append(gone, path)
		default:
			out = append(out, o.fileDiff(path, "", FileModified, d[0], d[1], detail))
		}
	}
	sort.Strings(gone)
	sort.Strings(come)
	taken := map[string]string{} // new path → old path
	used := map[string]bool{}
	pair := func(same func(was, is file) bool) {
		for _, to := range come {
			if taken[to] != "" {
				continue
			}
			for _, from := range gone {
				if !used[from] && same(delta[from][0], delta[to][1]) {
					taken[to], used[from] = from, true
					break
				}
			}
		}
	}
	pair(func(was, is file) bool { return was.oid == is.oid })
	if len(gone)*len(come) <= renameLimit*renameLimit && len(gone) > len(used) {
		pair(func(was, is file) bool { return o.similar(was.oid, is.oid) })
	}
	for _, to := range come {
		if from := taken[to]; from != "" {
			out = append(out, o.fileDiff(to, from, FileRenamed, delta[from][0], delta[to][1], detail))
			continue
		}
		out = append(out, o.fileDiff(to, "", FileAdded, file{}, delta[to][1], detail))
	}
	for _, from := range gone {
		if !used[from] {
			out = append(out, o.fileDiff(from, "", FileRemoved, delta[from][0], file{}, detail))
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Path < out[j].Path })
	return out
}

func (o *objects) fileDiff(path, previous string, status FileStatus, was, is file, detail bool) FileDiff {
	d := FileDiff{Path: path, Previous: previous, Status: status, OID: is.oid, Mode: is.mode}
	if is.oid == "" {
		d.OID, d.Mode = was.oid, was.mode
	}
	if !detail || was.oid == is.oid {
		return d
	}
	old, now := o.blobs[was.oid], o.blobs[is.oid]
	if isBinary(old) || isBinary(now) {
		d.Binary = true
		return d
	}
	d.Patch, d.Additions, d.Deletions = unified(string(old), string(now))
	return d
}

func isBinary(b []byte) bool { return bytes.IndexByte(b[:min(len(b), 8000)], 0) >= 0 }

// similar reports whether at least half of the lines of the longer file are in
// the other.
func (o *objects) similar(a, b string) bool {
	left, right := splitLines(string(o.blobs[a])), splitLines(string(o.blobs[b]))
	if len(left) == 0 || len(right) == 0 {
		return false
	}
	count := map[string]int{}
	for _, l := range left {
		count[l]++
	}
	same := 0
	for _, l := range right {
		if count[l] > 0 {
			count[l]--
			same++
		}
	}
	return same*100 >= renamePercent*max(len(left), len(right))
}

// splitLines keeps line ends, so that a missing last one is seen.
func splitLines(s string) []string {
	if s == "" {
		return nil
	}
	lines := strings.SplitAfter(s, "\n")
	if lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// op is one step of a line script: ' ' keep, '-' remove, '+' add.
type op struct {
	kind byte
	line string
}

// script is a shortest edit script by Myers' greedy algorithm.
func script(a, b []string) []op {
	pre := 0
	for pre < len(a) && pre < len(b) && a[pre] == b[pre] {
		pre++
	}
	post := 0
	for post < len(a)-pre && post < len(b)-pre && a[len(a)-1-post] == b[len(b)-1-post] {
		post++
	}
	var out []op
	for _, l := range a[:pre] {
		out = append(out, op{' ', l})
	}
	out = append(out, middle(a[pre:len(a)-post], b[pre:len(b)-post])...)
	for _, l := range a[len(a)-post:] {
		out = append(out, op{' ', l})
	}
	return out
}

func middle(a, b []string) []op {
	n, m := len(a), len(b)
	limit := min(n+m, maxEdits)
	v := map[int]int{1: 0}
	var trace []map[int]int
	for d := 0; d <= limit; d++ {
		trace = append(trace, maps.Clone(v))
		for k := -d; k <= d; k += 2 {
			var x int
			if k == -d || (k != d && v[k-1] < v[k+1]) {
				x = v[k+1]
			} else {
				x = v[k-1] + 1
			}
			y := x - k
			for x < n && y < m && a[x] == b[y] {
				x++
				y++
			}
			v[k] = x
			if x >= n && y >= m {
				return walkBack(a, b, trace)
			}
		}
		if d > 400 && d*d > 4*(n+m)*50 { // quadratic cost without hope of a small script
			break
		}
	}
	var out []op
	for _, l := range a {
		out = append(out, op{'-', l})
	}
	for _, l := range b {
		out = append(out, op{'+', l})
	}
	return out
}

func walkBack(a, b []string, trace []map[int]int) []op {
	x, y := len(a), len(b)
	var rev []op
	for d, v := range slices.Backward(trace) {
		k := x - y
		prev := k - 1
		if k == -d || (k != d && v[k-1] < v[k+1]) {
			prev = k + 1
		}
		px := v[prev]
		py := px - prev
		for x > px && y > py && x > 0 && y > 0 {
			rev = append(rev, op{' ', a[x-1]})
			x--
			y--
		}
		if d == 0 {
			break
		}
		if x == px {
			rev = append(rev, op{'+', b[y-1]})
			y--
		} else {
			rev = append(rev, op{'-', a[x-1]})
			x--
		}
	}
	for i, j := 0, len(rev)-1; i < j; i, j = i+1, j-1 {
		rev[i], rev[j] = rev[j], rev[i]
	}
	return rev
}

// unified gives the hunks of a unified diff with three lines of context, and
// how many lines were added and removed.
func unified(old, now string) (patch string, added, removed int) {
	ops := script(splitLines(old), splitLines(now))
	var out strings.Builder
	la, lb := 1, 1 // next line numbers
	for i := 0; i < len(ops); {
		if ops[i].kind == ' ' {
			la++
			lb++
			i++
			continue
		}
		// A hunk: from up to three lines before to three after the last change
		// that is not more than six kept lines away.
		start := i
		for start > 0 && i-start < contextLines && ops[start-1].kind == ' ' {
			start--
		}
		end, kept := i, 0
		for j := i; j < len(ops); j++ {
			if ops[j].kind == ' ' {
				kept++
				if kept > 2*contextLines {
					break
				}
				continue
			}
			kept = 0
			end = j + 1
		}
		stop := min(end+contextLines, len(ops))
		for k := end; k < stop; k++ {
			if ops[k].kind != ' ' {
				stop = k
				break
			}
		}
		fa, fb := la-(i-start), lb-(i-start)
		var na, nb int
		var body strings.Builder
		for _, p := range ops[start:stop] {
			body.WriteByte(p.kind)
			body.WriteString(strings.TrimSuffix(p.line, "\n"))
			body.WriteByte('\n')
			if !strings.HasSuffix(p.line, "\n") {
				body.WriteString("\\ No newline at end of file\n")
			}
			switch p.kind {
			case ' ':
				na++
				nb++
			case '-':
				na++
				removed++
			case '+':
				nb++
				added++
			}
		}
		la, lb = fa+na, fb+nb
		fmt.Fprintf(&out, "@@ -%s +%s @@\n%s", span(fa, na), span(fb, nb), body.String())
		i = stop
	}
	return strings.TrimSuffix(out.String(), "\n"), added, removed
}

func span(from, n int) string {
	switch n {
	case 0:
		return fmt.Sprintf("%d,0", from-1)
	case 1:
		return fmt.Sprint(from)
	}
	return fmt.Sprintf("%d,%d", from, n)
}

// merge3 merges two trees that came from base. conflicts lists the paths both
// sides changed in the same lines.
func (o *objects) merge3(base, ours, theirs string) (tree string, conflicts []string) {
	edits, texts, conflicts := o.mergeEdits(base, ours, theirs)
	if len(conflicts) > 0 {
		return "", conflicts
	}
	for path, text := range texts {
		edits[path] = edit{mode: edits[path].mode, oid: o.putBlob([]byte(text))}
	}
	return o.apply(ours, edits), nil
}

// mergeEdits works out what theirs brings to ours and stores nothing, so that
// readers may ask whether there are conflicts. texts are merged contents, whose
// edits lack the object yet.
func (o *objects) mergeEdits(base, ours, theirs string) (edits map[string]edit, texts map[string]string, conflicts []string) {
	left, right := map[string][2]file{}, map[string][2]file{}
	o.treeDelta(base, ours, "", left)
	o.treeDelta(base, theirs, "", right)
	edits, texts = map[string]edit{}, map[string]string{}
	for path, r := range right {
		l, both := left[path]
		if !both || l[1] == r[1] {
			edits[path] = edit(r[1])
			continue
		}
		if l[0].oid == "" || l[1].oid == "" || r[1].oid == "" {
			conflicts = append(conflicts, path)
			continue
		}
		text, ok := merge3Lines(string(o.blobs[r[0].oid]), string(o.blobs[l[1].oid]), string(o.blobs[r[1].oid]))
		if !ok {
			conflicts = append(conflicts, path)
			continue
		}
		edits[path], texts[path] = edit{mode: r[1].mode}, text
	}
	sort.Strings(conflicts)
	return edits, texts, conflicts
}

// merge3Lines merges two texts line by line; ok is false where both changed the
// same or touching lines differently.
func merge3Lines(base, ours, theirs string) (string, bool) {
	b := splitLines(base)
	l, r := chunks(b, splitLines(ours)), chunks(b, splitLines(theirs))
	var out strings.Builder
	at, i, j := 0, 0, 0
	for i < len(l) || j < len(r) {
		takeLeft := j >= len(r) || (i < len(l) && l[i].from < r[j].from)
		if i < len(l) && j < len(r) {
			if l[i].equal(r[j]) {
				j++ // both did the same
				takeLeft = true
			} else if l[i].from <= r[j].to && r[j].from <= l[i].to {
				return "", false
			}
		}
		var k chunk
		if takeLeft {
			k = l[i]
			i++
		} else {
			k = r[j]
			j++
		}
		for ; at < k.from; at++ {
			out.WriteString(b[at])
		}
		for _, line := range k.lines {
			out.WriteString(line)
		}
		at = k.to
	}
	for ; at < len(b); at++ {
		out.WriteString(b[at])
	}
	return out.String(), true
}

// chunk replaces lines [from, to) of the base.
type chunk struct {
	from, to int
	lines    []string
}

func (c chunk) equal(d chunk) bool {
	return c.from == d.from && c.to == d.to && strings.Join(c.lines, "") == strings.Join(d.lines, "")
}

func chunks(a, b []string) []chunk {
	var out []chunk
	at := 0
	open := false
	for _, p := range script(a, b) {
		if p.kind == ' ' {
			at++
			open = false
			continue
		}
		if !open {
			out = append(out, chunk{from: at, to: at})
			open = true
		}
		last := &out[len(out)-1]
		if p.kind == '-' {
			at++
			last.to = at
		} else {
			last.lines = append(last.lines, p.line)
		}
	}
	return out
}
