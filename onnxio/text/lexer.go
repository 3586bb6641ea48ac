package text

import (
	"fmt"
	"strconv"
	"strings"
)

type kind uint8

const (
	end kind = iota
	ident
	quoted
	number
	punct // one of < > ( ) [ ] { } , : = . @ ? and =>
)

// token is one word of the source with its place.
type token struct {
	kind   kind
	text   string // of a quoted token: its contents
	at     int    // byte offset
	note   string // the comment before it on the line of the token before, without #
	noteAt int
}

func (t token) String() string {
	switch t.kind {
	case end:
		return "the end"
	case quoted:
		return "the string " + strconv.Quote(t.text)
	}
	return strconv.Quote(t.text)
}

// Error is a fault in the source, with its place counted from 1; columns count
// bytes.
type Error struct {
	Line, Column int
	Problem      string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d:%d: %s", e.Line, e.Column, e.Problem) }

// lexer cuts the source into tokens.
type lexer struct {
	src string
	at  int
}

func (l *lexer) place(at int) (line, column int) {
	before := l.src[:min(at, len(l.src))]
	return strings.Count(before, "\n") + 1, at - strings.LastIndexByte(before, '\n')
}

func (l *lexer) fail(at int, format string, args ...any) {
	line, column := l.place(at)
	panic(&Error{line, column, fmt.Sprintf(format, args...)})
}

func isLetter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (l *lexer) next() token {
	t := token{}
	t.note, t.noteAt = l.blank()
	t.at = l.at
	if l.at >= len(l.src) {
		return t
	}
	switch c := l.src[l.at]; {
	case isLetter(c):
		t.kind = ident
		t.text = l.word()
		if t.text == "nan" && l.bits() {
			t.kind, t.text = number, l.src[t.at:l.at]
		}
	case isDigit(c), c == '-':
		t.kind = number
		l.number()
		t.text = l.src[t.at:l.at]
	case c == '"', strings.HasPrefix(l.src[l.at:], `$"`):
		t.kind, t.text = quoted, l.quoted()
	case strings.HasPrefix(l.src[l.at:], "=>"):
		t.kind, t.text = punct, "=>"
		l.at += 2
	case strings.IndexByte("<>()[]{},:=.@?", c) >= 0:
		t.kind, t.text = punct, l.src[l.at:l.at+1]
		l.at++
	default:
		l.fail(l.at, "found %q, which begins nothing", c)
	}
	return t
}

// blank skips white space and comments; it gives the comment that begins on the
// line where it starts, if there is one.
func (l *lexer) blank() (note string, at int) {
	fresh := l.at == 0
	for l.at < len(l.src) {
		switch c := l.src[l.at]; c {
		case '\n':
			fresh = true
			l.at++
		case ' ', '\t', '\r', '\f', '\v':
			l.at++
		case '#':
			line, _, _ := strings.Cut(l.src[l.at+1:], "\n")
			if !fresh {
				note, at = line, l.at+1
			}
			l.at += 1 + len(line)
		default:
			return note, at
		}
	}
	return note, at
}

func (l *lexer) word() string {
	start := l.at
	for l.at < len(l.src) && (isLetter(l.src[l.at]) || isDigit(l.src[l.at])) {
		l.at++
	}
	return l.src[start:l.at]
}

// bits skips the (0x7f800001) of a NaN.
func (l *lexer) bits() bool {
	digits, ok := strings.CutPrefix(l.src[l.at:], "(0x")
	if !ok {
		return false
	}
	stop := strings.IndexByte(digits, ')')
	if stop < 0 {
		return false
	}
	l.at += len("(0x") + stop + 1
	return true
}

// number skips a decimal number, or the word behind a minus sign.
func (l *lexer) number() {
	start := l.at
	if l.src[l.at] == '-' {
		l.at++
	}
	if l.word(); l.at == len(l.src) {
		return
	}
	for l.src[l.at] == '.' || l.afterExponent(start) && (l.src[l.at] == '-' || l.src[l.at] == '+') {
		l.at++
		if l.word(); l.at == len(l.src) {
			return
		}
	}
}

// afterExponent reports whether the number that begins at start has come to its
// exponent's sign.
func (l *lexer) afterExponent(start int) bool {
	c := l.src[l.at-1]
	return (c == 'e' || c == 'E') && (isDigit(l.src[start]) || isDigit(l.src[start+1]))
}

// quoted reads "..." with the standard's escapes or $"..." with Go's.
func (l *lexer) quoted() string {
	start := l.at
	goes := l.src[l.at] == '$'
	if goes {
		l.at++
	}
	var b strings.Builder
	for l.at++; l.at < len(l.src); l.at++ {
		c := l.src[l.at]
		if c == '"' {
			l.at++
			if !goes {
				return b.String()
			}
			s, err := strconv.Unquote(l.src[start+1 : l.at])
			if err != nil {
				l.fail(start, "found a string with a bad escape")
			}
			return s
		}
		if c == '\\' && l.at+1 < len(l.src) {
			l.at++
			c = l.src[l.at]
		}
		b.WriteByte(c)
	}
	l.fail(start, "found a string without its closing quote")
	return ""
}
