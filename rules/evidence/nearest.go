package evidence

// Nearest is the candidate a mistyped word most likely means: at most two edits
// away, and less than half of the word. "" if there is none.
func Nearest(word string, candidates []string) string { return nearest(word, candidates) }

// nearest is the candidate a mistyped word most likely means: at most two edits
// away, and less than half of the word. "" if there is none.
func nearest(word string, candidates []string) string {
	best, least := "", 3
	for _, c := range candidates {
		if d := edits(word, c); d < least && 2*d < max(len(word), 2) {
			best, least = c, d
		}
	}
	return best
}

// edits counts insertions, deletions, replacements and swaps of neighbours
// between two short words.
func edits(a, b string) int {
	if len(a) > 32 || len(b) > 32 {
		return 33
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
