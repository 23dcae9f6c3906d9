package rules

// MatchGlob lets the tests hold the quick matcher against the library's.
func MatchGlob(pattern, path string) bool { return compile([]string{pattern}).match(path) }
