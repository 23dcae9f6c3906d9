package forges

import "strings"

// IsCommit reports whether s can name a commit: a full object name of git, in
// lower case, and not the zeros that stand for none. What passes needs no
// escaping in a path.
func IsCommit(s string) bool {
	if len(s) != 40 && len(s) != 64 {
		return false
	}
	for _, c := range s {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return strings.Trim(s, "0") != ""
}
