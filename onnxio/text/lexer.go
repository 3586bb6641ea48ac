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
	punct // one of < > ( ) [ ] { } , : = . @ and =>
)

// token is one word of the source with its place.
type token struct {
	kind kind
	text string // of a quoted token: its contents
	at   int    // byte offset
}

func (t token) String() string {
	switch t.kind {
	case end:
		return "the end"
	case quoted:
		return strconv.Quote(t.text)
	}
	return fmt.Sprintf("%q", t.text)
}

// Error is a fault in the source, with its place counted from 1.
type Error struct {
	Line, Column int
	Problem      string
}

func (e *Error) Error() string { return fmt.Sprintf("line %d:%d: %s", e.Line, e.Column, e.Problem) }

// lexer cuts the source into tokens.
type lexer struct {
	src string
	at  int
	// note is the first comment since it was last emptied.
	note string
}

func (l *lexer) place(at int) (line, column int) {
	before := l.src[:min(at, len(l.src))]
	line = strings.Count(before, "\n") + 1
	return line, at - strings.LastIndexByte(before, '\n')
}

func (l *lexer) fail(at int, format string, args ...any) {
	line, column := l.place(at)
	panic(&Error{line, column, fmt.Sprintf(format, args...)})
}

func isLetter(c byte) bool {
	return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// next reads one token.
func (l *lexer) next() token {
	l.blank()
	if l.at >= len(l.src) {
		return token{end, "", l.at}
	}
	start, c := l.at, l.src[l.at]
	switch {
	case isLetter(c):
		for l.at < len(l.src) && (isLetter(l.src[l.at]) || isDigit(l.src[l.at])) {
			l.at++
		}
		return token{ident, l.src[start:l.at], start}
	case isDigit(c), c == '-', c == '+':
		return l.number()
	case c == '"':
		return token{quoted, l.quoted(), start}
	case strings.HasPrefix(l.src[start:], "=>"):
		l.at += 2
		return token{punct, "=>", start}
	case strings.IndexByte("<>()[]{},:=.@?*", c) >= 0:
		l.at++
		return token{punct, string(c), start}
	}
	l.fail(start, "found %q, which begins nothing", c)
	return token{}
}

// blank skips white space and comments; it keeps the first comment.
func (l *lexer) blank() {
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n':
			l.at++
		case c == '#':
			stop := strings.IndexByte(l.src[l.at:], '\n')
			if stop < 0 {
				stop = len(l.src) - l.at
			}
			if l.note == "" {
				l.note = l.src[l.at+1 : l.at+stop]
			}
			l.at += stop
		default:
			return
		}
	}
}

func (l *lexer) number() token {
	start := l.at
	l.at++
	rest := l.src[l.at:]
	if !isDigit(l.src[start]) && (strings.HasPrefix(rest, "inf") || strings.HasPrefix(rest, "nan")) {
		l.at += 3
		return token{number, l.src[start:l.at], start}
	}
	for l.at < len(l.src) {
		c := l.src[l.at]
		sign := (c == '-' || c == '+') && (l.src[l.at-1] == 'e' || l.src[l.at-1] == 'E')
		if !isDigit(c) && c != '.' && c != 'e' && c != 'E' && !sign {
			break
		}
		l.at++
	}
	return token{number, l.src[start:l.at], start}
}

// quoted reads a string with Go's escapes, of which the standard's are a part.
func (l *lexer) quoted() string {
	start := l.at
	for l.at++; l.at < len(l.src); l.at++ {
		switch l.src[l.at] {
		case '\\':
			l.at++
		case '"':
			l.at++
			s, err := strconv.Unquote(strings.ReplaceAll(l.src[start:l.at], "\n", `\n`))
			if err != nil {
				l.fail(start, "found a string with a bad escape")
			}
			return s
		}
	}
	l.fail(start, "found a string without its closing quote")
	return ""
}
