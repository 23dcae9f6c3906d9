package gitlab

import (
	"net/url"
	"strconv"
	"strings"

	"primum/forges"
	"primum/rules/fact"
)

func decimal[N int | int64](n N) string { return strconv.FormatInt(int64(n), 10) }

// cut splits a full path at its last slash: all before it is the group.
func cut(path string) (owner, name string) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return "", path
	}
	return path[:i], path[i+1:]
}

// root is the top-level group of a path.
func root(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}

// validPath reports whether s can be the full path of a project or group below a
// group.
func validPath(s string) bool {
	owner, name := cut(s)
	return validGroup(owner) && validWord(name)
}

// validGroup reports whether s can be the full path of a group.
func validGroup(s string) bool {
	if s == "" || len(s) > 1000 {
		return false
	}
	for part := range strings.SplitSeq(s, "/") {
		if !validWord(part) {
			return false
		}
	}
	return true
}

// validWord reports whether s can be one part of a path or a login: GitLab
// allows letters, digits, dot, dash and underscore.
func validWord(s string) bool {
	if s == "" || len(s) > 255 || s == "." || s == ".." {
		return false
	}
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// nullSHA reports whether s stands for no commit.
func nullSHA(s string) bool { return strings.Trim(s, "0") == "" }

// restPath is the part of a REST path that names a project: by number where
// it is known, which survives renames, else by its path.
func restPath(r forges.RepoRef) string {
	if _, err := strconv.ParseInt(r.ID, 10, 64); err == nil {
		return "projects/" + r.ID
	}
	return "projects/" + url.PathEscape(r.FullName())
}

// number is the last part of a global id: "gid://gitlab/User/12" gives "12".
func number(gid string) string {
	if i := strings.LastIndexByte(gid, '/'); i >= 0 {
		return gid[i+1:]
	}
	return gid
}

// kindOf is what a global id is of: "gid://gitlab/Ci::Build/5" gives "Ci::Build".
func kindOf(gid string) string {
	rest, ok := strings.CutPrefix(gid, "gid://gitlab/")
	if !ok {
		return ""
	}
	kind, _, _ := strings.Cut(rest, "/")
	return kind
}

// What a note stands on, as the first letter of our id of it.
const (
	onChange = 'm'
	onIssue  = 'i'
)

// noteID is our id of a note: "m12:345" is note 345 on merge request 12, since
// GitLab finds a note only by what it stands on.
func noteID(on rune, iid int, note string) string { return string(on) + decimal(iid) + ":" + note }

// readNoteID is noteID backwards.
func readNoteID(id string) (on rune, iid int, note int64, ok bool) {
	if len(id) < 4 || id[0] != onChange && id[0] != onIssue {
		return 0, 0, 0, false
	}
	a, b, found := strings.Cut(id[1:], ":")
	iid, errA := strconv.Atoi(a)
	note, errB := strconv.ParseInt(b, 10, 64)
	return rune(id[0]), iid, note, found && errA == nil && errB == nil && iid > 0 && note > 0
}

// issueRef reads "group/project#12" or "#12".
func issueRef(s, home string) (repo string, iid int, ok bool) {
	repo, word, found := strings.Cut(s, "#")
	iid, err := strconv.Atoi(word)
	if !found || err != nil || iid <= 0 {
		return "", 0, false
	}
	if repo == "" {
		repo = home
	}
	return repo, iid, validPath(repo)
}

// ghost is the account GitLab gives the deeds of deleted accounts to: nobody.
const ghost = "ghost"

// person is an account as GitLab writes it in an answer.
func person(id, login, name string, bot bool) fact.Person {
	if id == "" || id == "0" || login == ghost {
		return fact.Person{}
	}
	return fact.Person{ID: id, Login: login, Name: name, Bot: bot || botLogin(login)}
}

// botLogin recognises the accounts GitLab makes for the access tokens of
// projects and groups, where an answer does not say that they are bots:
// project_12_bot_0a1b, group_3_bot.
func botLogin(login string) bool {
	rest, ok := strings.CutPrefix(login, "project_")
	if !ok {
		if rest, ok = strings.CutPrefix(login, "group_"); !ok {
			return false
		}
	}
	digits, rest, ok := strings.Cut(rest, "_bot")
	if !ok || rest != "" && rest[0] != '_' {
		return false
	}
	_, err := strconv.Atoi(digits)
	return err == nil
}
