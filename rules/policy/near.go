package policy

import "strings"

// nearest is the word among those known that a misspelt one most likely meant;
// "" if none is near. Near means: at most one edit in three letters of the known
// word, and no more than three; of shorter ones only the case may differ.
func nearest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	word = strings.ToLower(word)
	best, bestAt := "", 0
	for _, k := range known {
		limit := min(3, len(k)/3)
		if d := distance(word, strings.ToLower(k)); d <= limit && (best == "" || d < bestAt) {
			best, bestAt = k, d
		}
	}
	return best
}

// didYouMean is the fix for a misspelt word, or otherwise if none is near.
func didYouMean(word string, known []string, otherwise string) string {
	if n := nearest(word, known); n != "" {
		return `did you mean "` + n + `"?`
	}
	return otherwise
}

// distance counts the insertions, deletions, replacements and swaps of
// neighbours that turn a into b (optimal string alignment).
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	before, last := make([]int, len(y)+1), make([]int, len(y)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(y)]
}
