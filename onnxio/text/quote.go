package text

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// name quotes what is no identifier, or a word of the grammar.
func name(s string) string {
	if isIdentifier(s) && !typeWord(s) && !specialFloat(s) {
		return s
	}
	return quote(s)
}

func isIdentifier(s string) bool {
	for i := range len(s) {
		if !isLetter(s[i]) && (i == 0 || !isDigit(s[i])) {
			return false
		}
	}
	return s != ""
}

// path writes names joined by dots; it quotes the whole where one is no name.
func path(s string) string {
	for part := range strings.SplitSeq(s, ".") {
		if !isIdentifier(part) {
			return quote(s)
		}
	}
	return s
}

// quote writes a string: with the standard's escapes where that can be read,
// else with Go's.
func quote(s string) string {
	if !readable(s) {
		return "$" + strconv.Quote(s)
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// readable reports whether a terminal can show s, on one line.
func readable(s string) bool {
	if !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !strconv.IsPrint(r) {
			return false
		}
	}
	return true
}

func join[T any](xs []T, f func(T) string) string {
	parts := make([]string, len(xs))
	for i, x := range xs {
		parts[i] = f(x)
	}
	return strings.Join(parts, ", ")
}
