package infer

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Expr is an integer that depends on parameters: a sum of products of
// atoms with whole coefficients, where an atom is a parameter or
// floor(Expr / number). The zero Expr is unknown, and so is whatever is
// computed from it, or whatever would overflow or grow beyond maxTerms.
//
// Invariant: terms are in canonical order, have distinct atoms and coefficients
// other than 0, so that equal expressions have equal terms.
type Expr struct {
	known bool
	terms []term
}

// term is coef times the product of atoms; atoms are sorted by text, and key is
// their texts joined by "*".
type term struct {
	coef  int64
	key   string
	atoms []*atom
}

// atom is a parameter (num nil) or floor(num/den).
type atom struct {
	text string
	name string
	num  *Expr
	den  int64
}

// Limits on the size of an expression; what exceeds them is unknown.
const (
	maxTerms = 64
	maxText  = 2048
)

// Number is the expression n.
func Number(n int64) Expr {
	if n == 0 {
		return Expr{known: true}
	}
	return Expr{known: true, terms: []term{{coef: n}}}
}

// Parameter is the symbol called name.
func Parameter(name string) Expr {
	if name == "" || len(name) > maxText {
		return Expr{}
	}
	a := &atom{text: quote(name), name: name}
	return Expr{known: true, terms: []term{{coef: 1, key: a.text, atoms: []*atom{a}}}}
}

// Known reports whether e stands for anything at all.
func (e Expr) Known() bool { return e.known }

// Int gives the number that e is, if it depends on no parameter.
func (e Expr) Int() (n int64, ok bool) {
	switch {
	case !e.known:
		return 0, false
	case len(e.terms) == 0:
		return 0, true
	case len(e.terms) == 1 && len(e.terms[0].atoms) == 0:
		return e.terms[0].coef, true
	}
	return 0, false
}

func (e Expr) is(n int64) bool {
	m, ok := e.Int()
	return ok && m == n
}

// Equal reports whether both are known and certainly equal.
func (e Expr) Equal(f Expr) bool {
	return e.known && f.known && slices.EqualFunc(e.terms, f.terms, func(s, t term) bool {
		return s.coef == t.coef && s.key == t.key
	})
}

// String is the canonical text; "?" when unknown.
func (e Expr) String() string {
	if !e.known {
		return "?"
	}
	if len(e.terms) == 0 {
		return "0"
	}
	var b strings.Builder
	for i, t := range e.terms {
		c := t.coef
		switch {
		case c < 0:
			b.WriteByte('-')
		case i > 0:
			b.WriteByte('+')
		}
		magnitude := strings.TrimPrefix(strconv.FormatInt(c, 10), "-")
		switch {
		case t.key == "":
			b.WriteString(magnitude)
		case magnitude == "1":
			b.WriteString(t.key)
		default:
			b.WriteString(magnitude + "*" + t.key)
		}
	}
	return b.String()
}

func normal(terms []term) Expr {
	slices.SortStableFunc(terms, func(a, b term) int {
		return cmp.Or(cmp.Compare(len(b.atoms), len(a.atoms)), cmp.Compare(a.key, b.key))
	})
	out := terms[:0]
	for _, t := range terms {
		last := len(out) - 1
		if last < 0 || out[last].key != t.key {
			out = append(out, t)
			continue
		}
		sum, ok := addInt(out[last].coef, t.coef)
		if !ok {
			return Expr{}
		}
		out[last].coef = sum
	}
	out = slices.DeleteFunc(out, func(t term) bool { return t.coef == 0 })
	if len(out) > maxTerms {
		return Expr{}
	}
	size := 0
	for _, t := range out {
		size += len(t.key)
	}
	if size > maxText {
		return Expr{}
	}
	return Expr{known: true, terms: slices.Clip(out)}
}

// Add is e + f.
func (e Expr) Add(f Expr) Expr {
	if !e.known || !f.known {
		return Expr{}
	}
	return normal(slices.Concat(e.terms, f.terms))
}

// Sub is e - f.
func (e Expr) Sub(f Expr) Expr { return e.Add(f.Times(-1)) }

// Plus is e + n.
func (e Expr) Plus(n int64) Expr { return e.Add(Number(n)) }

// Times is e * n.
func (e Expr) Times(n int64) Expr { return e.Mul(Number(n)) }

// Mul is e * f.
func (e Expr) Mul(f Expr) Expr {
	if !e.known || !f.known || len(e.terms)*len(f.terms) > maxTerms*maxTerms {
		return Expr{}
	}
	terms := make([]term, 0, len(e.terms)*len(f.terms))
	for _, s := range e.terms {
		for _, t := range f.terms {
			coef, ok := mulInt(s.coef, t.coef)
			if !ok {
				return Expr{}
			}
			terms = append(terms, product(coef, slices.Concat(s.atoms, t.atoms)))
		}
	}
	return normal(terms)
}

// product is the term coef times the atoms, which it sorts.
func product(coef int64, atoms []*atom) term {
	slices.SortStableFunc(atoms, func(a, b *atom) int { return cmp.Compare(a.text, b.text) })
	texts := make([]string, len(atoms))
	for i, a := range atoms {
		texts[i] = a.text
	}
	return term{coef: coef, key: strings.Join(texts, "*"), atoms: atoms}
}

// Eval computes e for the given sizes; an error names a parameter that is not
// among them, an unknown dimension, or an overflow.
func (e Expr) Eval(sizes map[string]int64) (int64, error) {
	if !e.known {
		return 0, fmt.Errorf("the size is unknown")
	}
	sum := int64(0)
	for _, t := range e.terms {
		p := t.coef
		for _, a := range t.atoms {
			x, err := a.eval(sizes)
			if err != nil {
				return 0, err
			}
			var ok bool
			if p, ok = mulInt(p, x); !ok {
				return 0, fmt.Errorf("the size %v overflows", e)
			}
		}
		var ok bool
		if sum, ok = addInt(sum, p); !ok {
			return 0, fmt.Errorf("the size %v overflows", e)
		}
	}
	return sum, nil
}

func (a *atom) eval(sizes map[string]int64) (int64, error) {
	if a.num == nil {
		x, ok := sizes[a.name]
		if !ok {
			return 0, fmt.Errorf("the size of %q is not given", a.name)
		}
		return x, nil
	}
	x, err := a.num.Eval(sizes)
	return floorDiv(x, a.den), err
}

// Parameters lists the names that e depends on, sorted.
func (e Expr) Parameters() []string {
	set := map[string]bool{}
	e.collect(set)
	names := make([]string, 0, len(set))
	for name := range set {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func (e Expr) collect(set map[string]bool) {
	for _, t := range e.terms {
		for _, a := range t.atoms {
			if a.num == nil {
				set[a.name] = true
			} else {
				a.num.collect(set)
			}
		}
	}
}

func addInt(a, b int64) (int64, bool) {
	sum := a + b
	return sum, (sum > a) == (b > 0) && sum != math.MinInt64
}

// mulInt is a * b; ok is false on overflow.
func mulInt(a, b int64) (int64, bool) {
	if a == 0 || b == 0 {
		return 0, true
	}
	p := a * b
	return p, p/b == a && a != math.MinInt64 && b != math.MinInt64 && p != math.MinInt64
}

// floorDiv is floor(a / d) for d >= 1, where Go rounds towards zero.
func floorDiv(a, d int64) int64 {
	q := a / d
	if a%d < 0 {
		q--
	}
	return q
}
