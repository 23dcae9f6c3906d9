package main

import (
	"io"
	"os"

	"golang.org/x/term"
)

// streams are where a command reads and writes, and what is known of the
// terminal there. Tests hand in buffers.
type streams struct {
	in  io.Reader
	out io.Writer // results
	err io.Writer // everything said to people besides

	outTTY bool // out is a terminal
	errTTY bool // err is a terminal
	color  bool // out is a terminal that shows colours
	width  int  // columns of out; 0 if it is no terminal
}

// osStreams are those of the process.
func osStreams() *streams {
	s := &streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	s.outTTY = isTerminal(os.Stdout)
	s.errTTY = isTerminal(os.Stderr)
	s.color = s.outTTY && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if s.outTTY {
		if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil { //nolint:gosec // a file descriptor fits an int
			s.width = width
		}
	}
	return s
}

func isTerminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd())) //nolint:gosec // a file descriptor fits an int
}

// paint sets s in a colour on terminals that show colours.
func (s *streams) paint(c colour, text string) string {
	if !s.color || text == "" {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

// colour is an ANSI sequence's number.
type colour string

const (
	bold   colour = "1"
	dim    colour = "2"
	red    colour = "31"
	yellow colour = "33"
	green  colour = "32"
)
