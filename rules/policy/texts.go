package policy

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"primum/rules/class"
)

// Bounds of texts. Globs are held against every path of a change, so how long
// one may take is bounded with them.
const (
	maxText       = 300
	maxGlobs      = 2000
	maxProducts   = 50
	maxGlobBraces = 3
	maxGlobStars  = 12
)

// check is a test of a text: what is "" if it is good.
type check func(v string) (id, what, fix string)

// Patterns shared with the JSON schema, which reads them as ECMA 262.
const (
	idPattern        = `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`
	rolePattern      = `^[a-z][a-z0-9-]{0,31}$`
	principalPattern = `^(team:[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9_.-]+)*|user:[A-Za-z0-9][A-Za-z0-9_.-]*|id:[0-9]{1,20})$`
	extendsPattern   = `^[A-Za-z0-9][A-Za-z0-9_.-]*(/[A-Za-z0-9][A-Za-z0-9_.-]*)+@[A-Za-z0-9][A-Za-z0-9_./-]*$`
	keyPattern       = `^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$`
	matrixPattern    = `^[1-9][0-9]?x[1-9][0-9]?$`
)

// The signs of names, and what may begin one.
const (
	small   = "abcdefghijklmnopqrstuvwxyz"
	letters = small + "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	digits  = "0123456789"
	alnum   = letters + digits
	ofName  = alnum + "._-"
)

// isName reports whether v begins with a sign of first and goes on with signs
// of rest, up to most bytes. A file may hold thousands of names, so this and
// its like are written out; a test holds them to the patterns above.
func isName(v, first, rest string, most int) bool {
	if v == "" || len(v) > most || strings.IndexByte(first, v[0]) < 0 {
		return false
	}
	for i := 1; i < len(v); i++ {
		if strings.IndexByte(rest, v[i]) < 0 {
			return false
		}
	}
	return true
}

func isID(v string) bool   { return isName(v, alnum, ofName, 64) }
func isRole(v string) bool { return isName(v, small, small+digits+"-", 32) }

func isPrincipal(v string) bool {
	kind, rest, _ := strings.Cut(v, ":")
	switch kind {
	case "team":
		first, more, nested := strings.Cut(rest, "/")
		if !isName(first, alnum, ofName, maxText) {
			return false
		}
		for nested {
			first, more, nested = strings.Cut(more, "/")
			if !isName(first, ofName, ofName, maxText) {
				return false
			}
		}
		return true
	case "user":
		return isName(rest, alnum, ofName, maxText)
	case "id":
		return isName(rest, digits, digits, 20)
	}
	return false
}

// isKey reports whether v is a dotted path of keys.
func isKey(v string) bool {
	for part := range strings.SplitSeq(v, ".") {
		if !isName(part, alnum+"_-", alnum+"_-", maxText) {
			return false
		}
	}
	return true
}

func checkID(v string) (id, what, fix string) {
	if !isID(v) {
		return idValue, quote(v) + " is not an id", "an id is up to 64 letters, digits, dots, dashes and underscores, and begins with a letter or digit"
	}
	return "", "", ""
}

func checkRole(v string) (id, what, fix string) {
	if !isRole(v) {
		return idValue, quote(v) + " is not a role's name", "a role is up to 32 small letters, digits and dashes, and begins with a letter"
	}
	return "", "", ""
}

func checkPrincipal(v string) (id, what, fix string) {
	if isPrincipal(v) {
		return "", "", ""
	}
	what = quote(v) + " names nobody"
	name := strings.TrimPrefix(v, "@")
	guess := ""
	switch {
	case strings.Contains(name, "/") && isPrincipal("team:"+name):
		guess = "team:" + name
	case isPrincipal("id:" + name):
		guess = "id:" + name
	case isPrincipal("user:" + name):
		guess = "user:" + name
	}
	if kind, rest, ok := strings.Cut(v, ":"); ok {
		if n := nearest(kind, []string{"team", "user", "id", "group"}); n != "" {
			if n == "group" {
				n = "team"
			}
			rest = strings.TrimPrefix(strings.TrimSpace(rest), "@")
			if n == "user" && strings.Contains(rest, "/") {
				n = "team"
			}
			if isPrincipal(n + ":" + rest) {
				guess = n + ":" + rest
			}
		}
	}
	if guess != "" {
		return idValue, what, "did you mean " + quote(guess) + "?"
	}
	return idValue, what, "write team:slug, team:owner/slug, user:login or id:123"
}

func checkExtends(v string) (id, what, fix string) {
	if regexp.MustCompile(extendsPattern).MatchString(v) && !strings.Contains(v, "..") {
		return "", "", ""
	}
	if !strings.Contains(v, "@") {
		return idValue, quote(v) + " names no version", "add the tag or commit: " + quote(v+"@v1")
	}
	return idValue, quote(v) + " is not a policy to extend", `write owner/repository@tag, e.g. "acme/primum-policy@v3"`
}

func checkMatrix(v string) (id, what, fix string) {
	if !regexp.MustCompile(matrixPattern).MatchString(v) {
		return idValue, quote(v) + " is not the size of a matrix", "write it as rows x columns, e.g. 5x5"
	}
	return "", "", ""
}

func checkRegexp(v string) (id, what, fix string) {
	re, err := regexp.Compile(v)
	switch {
	case err != nil:
		return idValue, "the pattern does not compile: " + strings.TrimPrefix(err.Error(), "error parsing regexp: "), `a pattern in RE2 syntax, e.g. 'SRS-\d+'`
	case re.MatchString(""):
		return idValue, "the pattern " + quote(v) + " matches the empty text", `name what an id must hold, e.g. 'SRS-\d+'`
	}
	return "", "", ""
}

// checkItemGlob allows a glob to begin with class.Exclude.
func checkItemGlob(v string) (id, what, fix string) {
	return checkGlob(strings.TrimPrefix(v, class.Exclude))
}

func checkGlob(v string) (id, what, fix string) {
	bad := func(why, fix string) (string, string, string) {
		return idGlob, "the glob " + quote(v) + " " + why, fix
	}
	switch {
	case strings.HasPrefix(v, class.Exclude):
		return bad("begins with "+class.Exclude, "only the paths of an item can take files out again")
	case strings.Contains(v, `\`):
		return bad(`holds \`, "directories are parted by /")
	case !doublestar.ValidatePattern(v):
		return bad("is not well formed", "close every [ and {")
	case strings.Count(v, "{") > maxGlobBraces, strings.Count(v, "*") > maxGlobStars:
		return bad("is too involved", "write several plainer ones")
	case strings.HasPrefix(v, "/"):
		return bad("begins with /", "paths begin at the root of the repository: "+quote(strings.TrimLeft(v, "/")))
	case strings.HasPrefix(v, "./"):
		return bad("begins with ./", "write "+quote(strings.TrimPrefix(v, "./")))
	case strings.HasSuffix(v, "/"):
		return bad("names a directory", "write "+quote(v+"**")+" for all files below it")
	case hasPart(v, "..") || hasPart(v, ".") || strings.Contains(v, "//"):
		return bad("leaves its directory", "write the path from the root of the repository")
	}
	return "", "", ""
}

// checkBranch is checkGlob for names of branches.
func checkBranch(v string) (id, what, fix string) {
	if rest, ok := strings.CutPrefix(v, "refs/heads/"); ok {
		return idGlob, "the branch " + quote(v) + " is written in full", "write " + quote(rest)
	}
	return checkGlob(v)
}

// checkPath accepts the path of one file in the repository.
func checkPath(v string) (id, what, fix string) {
	switch {
	case strings.ContainsAny(v, `*?[]{}\`):
		return idPath, quote(v) + " is not the path of one file", "name the file, without wildcards"
	case path.IsAbs(v), path.Clean(v) != v, v == ".", hasPart(v, ".."):
		fix := "write the path from the root of the repository"
		if c := strings.TrimLeft(path.Clean("/"+v), "/"); c != "" {
			fix += ": " + quote(c)
		}
		return idPath, quote(v) + " is not a path in the repository", fix
	}
	return "", "", ""
}

func hasPart(v, part string) bool {
	for p := range strings.SplitSeq(v, "/") {
		if p == part {
			return true
		}
	}
	return false
}

// plural is "1 approval", "2 approvals".
func plural(n int, unit string) string {
	if n == 1 {
		unit = strings.TrimSuffix(unit, "s")
	}
	if unit == "" {
		return strconv.Itoa(n)
	}
	return strconv.Itoa(n) + " " + unit
}
