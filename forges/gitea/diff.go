package gitea

import (
	"strconv"
	"strings"
)

// fileDiff is the diff of one file without its header.
type fileDiff struct {
	text           string
	header         string // status, former path and mode; the names of contents of a binary file alone
	index          string // the line that names the contents
	added, removed int
	binary         bool
}

// parseDiff cuts git's diff of many files into those of each, by the path it
// has afterwards. Hunks are read by the lines they announce, so that nothing in
// a file can pass for the beginning of another.
func parseDiff(raw string) map[string]fileDiff {
	files := map[string]fileDiff{}
	var path string
	var d fileDiff
	var text, header strings.Builder
	flush := func() {
		if path != "" {
			d.text, d.header = strings.TrimSuffix(text.String(), "\n"), header.String()
			files[path] = d
		}
		path, d = "", fileDiff{}
		text.Reset()
		header.Reset()
	}
	before, after := 0, 0 // lines still to come of the hunk at hand
	for line := range strings.Lines(raw) {
		inside := before > 0 || after > 0
		switch {
		case inside && line[0] == '+':
			after--
			d.added++
		case inside && line[0] == '-':
			before--
			d.removed++
		case inside && line[0] != '\\': // context; git may leave an empty line wholly empty
			before--
			after--
		case strings.HasPrefix(line, "diff --git "):
			flush()
			path = gitPath(strings.TrimRight(line[len("diff --git "):], "\n"))
			continue
		case strings.HasPrefix(line, "@@ "):
			before, after = hunk(line)
		case line[0] == '\\': // "\ No newline at end of file"
		default:
			path = headerLine(strings.TrimRight(line, "\n"), path, &d, &header)
			continue
		}
		text.WriteString(line)
	}
	flush()
	return files
}

// headerLine reads a line between "diff --git" and the first hunk.
func headerLine(line, path string, d *fileDiff, header *strings.Builder) string {
	switch {
	case strings.HasPrefix(line, "--- "):
		if p, ok := strings.CutPrefix(unquote(line[4:]), "a/"); ok && path == "" {
			return p
		}
		return path
	case strings.HasPrefix(line, "+++ "):
		if p, ok := strings.CutPrefix(unquote(line[4:]), "b/"); ok {
			return p
		}
		return path
	case strings.HasPrefix(line, "rename to "), strings.HasPrefix(line, "copy to "):
		_, to, _ := strings.Cut(line, " to ")
		path = unquote(to)
	case strings.HasPrefix(line, "Binary files "), line == "GIT binary patch":
		d.binary = true
		header.WriteString(d.index + "\n") // nothing else tells one content from another
	case strings.HasPrefix(line, "index "):
		d.index = line
		return path
	}
	header.WriteString(line + "\n")
	return path
}

// gitPath reads the path off "a/path b/path". Where the two differ, a further
// header line tells; both quoted is as git writes odd names.
func gitPath(s string) string {
	if strings.HasPrefix(s, `"`) {
		if q, err := strconv.QuotedPrefix(s); err == nil {
			return strings.TrimPrefix(unquote(q), "a/")
		}
		return ""
	}
	// Without quotes both halves are alike: "a/" + path + " b/" + path.
	if n := len(s) - len("a/ b/"); n > 0 && n%2 == 0 {
		half := n / 2
		if p := s[2 : 2+half]; s == "a/"+p+" b/"+p {
			return p
		}
	}
	return ""
}

// unquote takes git's quotes off a path, and the tab git writes behind one with
// a blank in it.
func unquote(s string) string {
	if strings.HasPrefix(s, `"`) {
		if u, err := strconv.Unquote(s); err == nil {
			return u
		}
	}
	return strings.TrimSuffix(s, "\t")
}

// hunk reads how many lines "@@ -1,2 +3,4 @@" announces before and after; one
// that cannot be read announces none.
func hunk(line string) (before, after int) {
	parts := strings.Fields(line)
	if len(parts) < 4 {
		return 0, 0
	}
	count := func(s string, sign byte) int {
		if s == "" || s[0] != sign {
			return 0
		}
		_, n, ok := strings.Cut(s[1:], ",")
		if !ok {
			return 1
		}
		v, err := strconv.Atoi(n)
		if err != nil || v < 0 {
			return 0
		}
		return v
	}
	return count(parts[1], '-'), count(parts[2], '+')
}
