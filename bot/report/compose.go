package report

import "strings"

// block is a part of a text: what stands always (head, tail) and rows that may
// be dropped from the end when the text is too long.
type block struct {
	head string
	rows []string
	tail string
	// last says how late rows of this block are dropped: the lowest first.
	last int
	// more says how many rows are left out; nil for a sentence of the usual kind.
	more func(left int) string
}

func (b *block) size(kept int) int {
	n := len(b.head) + len(b.tail)
	for _, r := range b.rows[:kept] {
		n += len(r)
	}
	if left := len(b.rows) - kept; left > 0 {
		n += len(b.rest(left))
	}
	return n
}

func (b *block) rest(left int) string {
	if b.more != nil {
		return b.more(left)
	}
	return "- " + plural(left, "more is", "more are") + " on the page.\n"
}

// compose joins the blocks to at most limit bytes by dropping rows, of the least
// important block first. What is no row stays even if the limit is below that.
func compose(blocks []block, limit int) string {
	kept := make([]int, len(blocks))
	total := 0
	for i := range blocks {
		kept[i] = len(blocks[i].rows)
		total += blocks[i].size(kept[i])
	}
	for total > limit {
		i := droppable(blocks, kept)
		if i < 0 {
			break
		}
		total -= blocks[i].size(kept[i])
		kept[i] = fits(&blocks[i], kept[i], limit-total)
		total += blocks[i].size(kept[i])
	}
	var b strings.Builder
	b.Grow(total)
	for i := range blocks {
		b.WriteString(blocks[i].head)
		for _, r := range blocks[i].rows[:kept[i]] {
			b.WriteString(r)
		}
		if left := len(blocks[i].rows) - kept[i]; left > 0 {
			b.WriteString(blocks[i].rest(left))
		}
		b.WriteString(blocks[i].tail)
	}
	return b.String()
}

// droppable finds the least important block that still has rows; the later one
// of equals.
func droppable(blocks []block, kept []int) int {
	found := -1
	for i := range blocks {
		if kept[i] > 0 && (found < 0 || blocks[i].last <= blocks[found].last) {
			found = i
		}
	}
	return found
}

// fits is the largest number of rows below from whose block takes at most room
// bytes; 0 if none does.
func fits(b *block, from, room int) int {
	size := b.size(0) - len(b.rest(len(b.rows)))
	best := 0
	for n := range from {
		if n > 0 {
			size += len(b.rows[n-1])
		}
		if size+len(b.rest(len(b.rows)-n)) <= room {
			best = n
		}
	}
	return best
}
