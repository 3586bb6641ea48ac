package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// What a terminal could take for a command, and a reader for another line, comes from
// models, whose names may be any bytes: it is never printed as it is.

// maxShown is the most bytes of a name that are shown, and maxMessage of an error.
const (
	maxShown   = 1000
	maxMessage = 16 << 10
)

// Shown is text of a model as it is printed: quoted where it has more than printable
// characters, and its beginning where it is very long.
func Shown(s string) string {
	more := ""
	if len(s) > maxShown {
		cut := maxShown
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		more = fmt.Sprintf("... (%d bytes more)", len(s)-cut)
		s = s[:cut]
	}
	if !plain(s) {
		s = strconv.Quote(s)
	}
	return s + more
}

// Line is text on one line of printable characters: what else it has is escaped.
func Line(s string) string {
	if n := len(s); n > maxMessage {
		const end = maxMessage / 4
		s = strings.ToValidUTF8(s[:maxMessage-end], "") + fmt.Sprintf(" ... (%d bytes left out) ... ", n-maxMessage) +
			strings.ToValidUTF8(s[n-end:], "")
	}
	if plain(s) {
		return s
	}
	return string(escape(nil, []byte(s), false, textEscape))
}

func plain(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// escape appends text to b, what is not printable as esc gives it; lines keeps its tabs and
// the ends of its lines.
func escape(b, text []byte, lines bool, esc func([]byte, rune, byte) []byte) []byte {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && n == 1:
			b = esc(b, -1, text[0])
		case unicode.IsPrint(r), lines && (r == '\n' || r == '\t'):
			b = append(b, text[:n]...)
		default:
			b = esc(b, r, 0)
		}
		text = text[n:]
	}
	return b
}

// textEscape writes a rune, or a byte that is none, as Go's quoted strings do.
func textEscape(b []byte, r rune, x byte) []byte {
	if r < 0 {
		return fmt.Appendf(b, `\x%02x`, x)
	}
	q := strconv.QuoteRune(r)
	return append(b, q[1:len(q)-1]...)
}

// jsonEscape is the same within a JSON string.
func jsonEscape(b []byte, r rune, _ byte) []byte {
	switch {
	case r < 0:
		return fmt.Appendf(b, `\u%04x`, utf8.RuneError)
	case r > 0xffff:
		hi, lo := utf16.EncodeRune(r)
		return fmt.Appendf(b, `\u%04x\u%04x`, hi, lo)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}

// JSON is a JSON document with nothing but printable characters, tabs and lines in it: what
// else its strings have is escaped.
func JSON(b []byte) []byte { return escape(nil, b, true, jsonEscape) }

// plainWriter writes nothing but printable text.
type plainWriter struct {
	w    io.Writer
	rest []byte // the beginning of a character
}

func (p *plainWriter) Write(b []byte) (int, error) {
	text := append(p.rest, b...)
	end := len(text)
	for i := 1; i < utf8.UTFMax && i <= len(text); i++ {
		if k := len(text) - i; utf8.RuneStart(text[k]) {
			if !utf8.FullRune(text[k:]) {
				end = k
			}
			break
		}
	}
	p.rest = append([]byte(nil), text[end:]...)
	if _, err := p.w.Write(escape(nil, text[:end], true, textEscape)); err != nil {
		return 0, err
	}
	return len(b), nil
}

// end writes what is left of a character that was not complete.
func (p *plainWriter) end() {
	if len(p.rest) > 0 {
		_, _ = p.w.Write(escape(nil, p.rest, true, textEscape)) // the output remembers an error
		p.rest = nil
	}
}
