package infer

import (
	"fmt"
	"strconv"
	"strings"

	"spikingir/graph"
)

// Parse reads an expression:
//
//	expr   = [ "-" ] term { ( "+" | "-" ) term }
//	term   = factor { "*" factor }
//	factor = number | name | "(" expr ")" | "floor" "(" term "/" number ")"
//	name   = letter or "_" followed by letters, digits and any of _ . : $ @ #
//	       | "'" any text, a quote in it doubled "'"
//
// Blanks are ignored. The result is canonical, whatever the spelling.
func Parse(text string) (Expr, error) {
	if len(text) > 2*maxText {
		return Expr{}, fmt.Errorf("an expression of %d characters, want at most %d", len(text), 2*maxText)
	}
	p := &parser{text: text}
	var e Expr
	if err := protected(func() error { e = p.expr(0); return nil }); err != nil {
		return Expr{}, fmt.Errorf("dimension %q, character %d: %w", text, p.at+1, err)
	}
	if p.skip(); p.at < len(text) {
		return Expr{}, fmt.Errorf("dimension %q, character %d: found %q, want an operator",
			text, p.at+1, text[p.at:])
	}
	if !e.known {
		return Expr{}, fmt.Errorf("dimension %q is too large", text)
	}
	return e, nil
}

// maxSize bounds sizes so that arithmetic with two of them cannot overflow.
const maxSize = 1 << 53

// FromDim is the expression that a dimension states; a negative number, as some
// exporters write for an open size, is unknown. A parameter that does not
// read as an expression is a symbol of that name.
func FromDim(d graph.Dim) Expr {
	if n, ok := d.Size(); ok {
		if n < 0 || n > maxSize {
			return Expr{}
		}
		return Number(n)
	}
	if unnamed(d.Param()) {
		return Expr{}
	}
	if isName(d.Param()) {
		return Parameter(d.Param())
	}
	if e, err := Parse(d.Param()); err == nil {
		return e
	}
	return Parameter(d.Param())
}

// unnamed reports whether a parameter is no name but a word that exporters write for
// sizes that they leave open: several of one word need not be equal.
func unnamed(param string) bool {
	n, err := strconv.ParseInt(param, 10, 64)
	return param == "" || param == "?" || param == "None" || err == nil && n < 0
}

// Dim is the dimension that e states; unknown when e is.
func (e Expr) Dim() graph.Dim {
	if n, ok := e.Int(); ok {
		return graph.Known(n)
	}
	if !e.known {
		return graph.Dim{}
	}
	if name := e.symbol(); name != "" {
		if _, err := Parse(name); err != nil {
			return graph.Symbol(name)
		}
	}
	return graph.Symbol(e.String())
}

// symbol is the name of the parameter that e is, "" when it is anything else.
func (e Expr) symbol() string {
	if len(e.terms) != 1 || e.terms[0].coef != 1 || len(e.terms[0].atoms) != 1 {
		return ""
	}
	return e.terms[0].atoms[0].name
}

// maxDepth bounds the nesting of parentheses.
const maxDepth = 100

type parser struct {
	text string
	at   int
}

func (p *parser) skip() {
	for p.at < len(p.text) && p.text[p.at] == ' ' {
		p.at++
	}
}

func (p *parser) accept(c byte) bool {
	p.skip()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

// want takes c, which must come next.
func (p *parser) want(c byte) {
	if !p.accept(c) {
		p.failf("found %s, want %q", p.rest(), string(c))
	}
}

func (p *parser) failf(format string, args ...any) { check(fmt.Errorf(format, args...)) }

func (p *parser) rest() string {
	if p.at >= len(p.text) {
		return "the end"
	}
	return strconv.Quote(p.text[p.at:])
}

func (p *parser) expr(depth int) Expr {
	if depth > maxDepth {
		p.failf("parentheses nested deeper than %d", maxDepth)
	}
	sign := int64(1)
	if p.accept('-') {
		sign = -1
	}
	sum := Number(0)
	for {
		sum = sum.Add(p.term(depth).Times(sign))
		switch {
		case p.accept('+'):
			sign = 1
		case p.accept('-'):
			sign = -1
		default:
			return sum
		}
	}
}

func (p *parser) term(depth int) Expr {
	prod := p.factor(depth)
	for p.accept('*') {
		prod = prod.Mul(p.factor(depth))
	}
	return prod
}

// factor reads a number, a name, a floor or a sum in parentheses.
func (p *parser) factor(depth int) Expr {
	if p.accept('(') {
		e := p.expr(depth + 1)
		p.want(')')
		return e
	}
	if p.accept('\'') {
		return p.quoted()
	}
	begin := p.at
	for p.at < len(p.text) && isNameByte(p.text[p.at]) {
		p.at++
	}
	word := p.text[begin:p.at]
	switch {
	case word == "":
		p.failf("found %s, want a number or a name", p.rest())
	case word == "floor":
		return p.floor(depth)
	case isName(word):
		return Parameter(word)
	}
	p.at = begin
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil || word[0] < '0' || word[0] > '9' {
		p.failf("found %q, want a number or a name", word)
	}
	p.at += len(word)
	return Number(n)
}

// floor reads what follows the word floor.
func (p *parser) floor(depth int) Expr {
	p.want('(')
	num := p.term(depth + 1)
	p.want('/')
	den := p.factor(depth + 1)
	d, ok := den.Int()
	if !ok || d < 1 {
		p.failf("found divisor %v, want a number of 1 or more", den)
	}
	p.want(')')
	return num.FloorDiv(d)
}

// quoted reads a name up to its closing quote; the opening one is taken.
func (p *parser) quoted() Expr {
	var name strings.Builder
	for p.at < len(p.text) {
		c := p.text[p.at]
		p.at++
		if c != '\'' {
			name.WriteByte(c)
			continue
		}
		if p.at < len(p.text) && p.text[p.at] == '\'' {
			name.WriteByte(c)
			p.at++
			continue
		}
		if name.Len() == 0 {
			p.failf("found an empty name, want a name")
		}
		return Parameter(name.String())
	}
	p.failf("found no closing quote")
	return Expr{}
}

// quote is a parameter's name as expressions write it.
func quote(name string) string {
	if isName(name) {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", "''") + "'"
}

func isName(s string) bool {
	if s == "" || s == "floor" || s[0] != '_' && !isLetter(s[0]) {
		return false
	}
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return true
}

// isNameByte reports whether c may stand in a name, or number, without quotes.
func isNameByte(c byte) bool {
	return isLetter(c) || c >= '0' && c <= '9' || strings.IndexByte("_.:$@#", c) >= 0
}

func isLetter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
