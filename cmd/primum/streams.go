package main

import (
	"fmt"
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

	inTTY  bool // in is a terminal
	outTTY bool // out is a terminal
	errTTY bool // err is a terminal
	color  bool // out is a terminal that shows colours
	width  int  // columns of out; 0 if it is no terminal

	broken error // the first result that could not be written
}

// printf writes results. What cannot be written ends the command with a failure,
// see run.
func (s *streams) printf(format string, args ...any) {
	if _, err := fmt.Fprintf(s.out, format, args...); err != nil && s.broken == nil {
		s.broken = err
	}
}

// complain writes to people. Where they cannot be reached nothing can be done.
func (s *streams) complain(format string, args ...any) { _, _ = fmt.Fprintf(s.err, format, args...) }

// osStreams are those of the process.
func osStreams() *streams {
	s := &streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	s.inTTY = isTerminal(os.Stdin)
	s.outTTY = isTerminal(os.Stdout)
	s.errTTY = isTerminal(os.Stderr)
	s.color = s.outTTY && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
	if s.outTTY {
		if width, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil {
			s.width = width
		}
	}
	return s
}

func isTerminal(f *os.File) bool {
	return term.IsTerminal(int(f.Fd()))
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
