package infer

import (
	"slices"
	"strconv"
)

// FloorDiv is floor(e / d) for d >= 1. It takes whole multiples of d out of the
// floor, so that floor((4*H+2)/4) is H and floor((H-1)/2) is floor((H+1)/2)-1,
// and joins nested floors: floor(floor(H/2)/2) is floor(H/4). One identity it
// does not use, since both forms are common: floor(H/2)+floor((H+1)/2) = H.
func (e Expr) FloorDiv(d int64) Expr {
	if !e.known || d < 1 {
		return Expr{}
	}
	var whole, rest []term
	gcd := d
	for _, t := range e.terms {
		q := floorDiv(t.coef, d)
		if q != 0 {
			whole = append(whole, term{q, t.key, t.atoms})
		}
		if r := t.coef - q*d; r != 0 {
			rest = append(rest, term{r, t.key, t.atoms})
			if t.key != "" {
				gcd = gcdInt(gcd, r)
			}
		}
	}
	if len(rest) == 0 || len(rest) == 1 && rest[0].key == "" {
		return normal(whole)
	}
	for i := range rest {
		rest[i].coef = floorDiv(rest[i].coef, gcd)
	}
	rest = slices.DeleteFunc(rest, func(t term) bool { return t.coef == 0 })
	return normal(whole).Add(floorAtom(normal(rest), d/gcd))
}

// floorAtom is floor(num/den) where no multiple of den can be taken out.
func floorAtom(num Expr, den int64) Expr {
	if den == 1 || !num.known {
		return num
	}
	if joined, ok := joinFloors(num, den); ok {
		return joined
	}
	if c := num.terms[0].coef; c > den-c {
		// floor(n/d) = -floor((d-1-n)/d): of both forms the one that leads with
		// the smaller coefficient is canonical.
		return num.Times(-1).Plus(den - 1).FloorDiv(den).Times(-1)
	}
	text := num.String()
	if len(num.terms) > 1 {
		text = "(" + text + ")"
	}
	a := &atom{text: "floor(" + text + "/" + strconv.FormatInt(den, 10) + ")", num: &num, den: den}
	if len(a.text) > maxText {
		return Expr{}
	}
	return Expr{known: true, terms: []term{{1, a.text, []*atom{a}}}}
}

// joinFloors uses floor((floor(n/a) + y)/den) = floor((n + a*y)/(a*den)), for
// whole y, where num holds just one floor.
func joinFloors(num Expr, den int64) (Expr, bool) {
	at := -1
	for i, t := range num.terms {
		for _, a := range t.atoms {
			if a.num == nil {
				continue
			}
			if at >= 0 || len(t.atoms) != 1 || t.coef != 1 {
				return Expr{}, false
			}
			at = i
		}
	}
	if at < 0 {
		return Expr{}, false
	}
	inner := num.terms[at].atoms[0]
	scale, ok := mulInt(inner.den, den)
	if !ok {
		return Expr{}, false
	}
	y := normal(slices.Delete(slices.Clone(num.terms), at, at+1))
	return inner.num.Add(y.Times(inner.den)).FloorDiv(scale), true
}

// CeilDiv is ceil(e / d) for d >= 1.
func (e Expr) CeilDiv(d int64) Expr { return e.Plus(d - 1).FloorDiv(d) }

// Div is e / f where that is certainly a whole expression, else unknown.
func (e Expr) Div(f Expr) Expr {
	if !e.known || !f.known || len(f.terms) == 0 {
		return Expr{}
	}
	quotient := Number(0)
	for range maxTerms {
		if len(e.terms) == 0 {
			return quotient
		}
		t, ok := divideTerm(e.terms[0], f.terms[0])
		if !ok {
			return Expr{}
		}
		q := Expr{known: true, terms: []term{t}}
		quotient = quotient.Add(q)
		e = e.Sub(q.Mul(f))
		if !e.known || !quotient.known {
			return Expr{}
		}
	}
	return Expr{}
}

// divMultiples is e / f where all sizes of which f takes a floor are multiples that the floor
// takes nothing from: H*W / (2*floor(H/2)) is W. It is unknown where the quotient depends on one of those sizes.
func (e Expr) divMultiples(f Expr) Expr {
	if !e.known || !f.known {
		return Expr{}
	}
	scale, floored := int64(1), map[string]bool{}
	for _, t := range f.terms {
		for _, a := range t.atoms {
			if a.num == nil {
				continue
			}
			var ok bool
			if scale, ok = mulInt(scale/gcdInt(scale, a.den), a.den); !ok {
				return Expr{}
			}
			a.num.collect(floored)
		}
	}
	for name := range floored {
		by := Parameter(name).Times(scale)
		e, f = e.With(name, by), f.With(name, by)
	}
	q := e.Div(f)
	for _, name := range q.Parameters() {
		if floored[name] {
			return Expr{}
		}
	}
	return q
}

func divideTerm(s, t term) (term, bool) {
	if s.coef%t.coef != 0 {
		return term{}, false
	}
	atoms := slices.Clone(s.atoms)
	for _, a := range t.atoms {
		i := slices.IndexFunc(atoms, func(b *atom) bool { return b.text == a.text })
		if i < 0 {
			return term{}, false
		}
		atoms = slices.Delete(atoms, i, i+1)
	}
	return product(s.coef/t.coef, atoms), true
}

// AtLeast reports whether e >= n for all parameters of 1 or more, as far as that can be
// shown.
func (e Expr) AtLeast(n int64) bool { return e.atLeast(n) }

// atLeast reports whether e >= n for all parameters of 1 or more, as far as
// that can be shown.
func (e Expr) atLeast(n int64) bool {
	if !e.known {
		return false
	}
	if lo, ok := e.lower(); ok && lo >= n {
		return true
	}
	// With all floors taken times their divisors: e >= n if and only if
	// scale*e >= scale*(n-1)+1.
	scale := e.divisor()
	limit, ok := mulInt(scale, n-1)
	if !ok {
		return false
	}
	lo, ok := e.Times(scale).withoutFloors().lower()
	return ok && lo >= limit+1
}

// divisor is a multiple of the divisors of all floors that stand alone in
// their term, 1 when it would be large.
func (e Expr) divisor() int64 {
	const large = 1 << 20
	d := int64(1)
	for _, t := range e.terms {
		if len(t.atoms) == 1 && t.atoms[0].num != nil {
			den := t.atoms[0].den
			if d = d / gcdInt(d, den) * den; d > large {
				return 1
			}
		}
	}
	return d
}

// lower is a bound from below, term by term: parameters are 1 or more.
func (e Expr) lower() (int64, bool) {
	if !e.known {
		return 0, false
	}
	sum := int64(0)
	for _, t := range e.terms {
		p := t.coef
		if p < 0 && len(t.atoms) > 0 {
			return 0, false
		}
		for _, a := range t.atoms {
			lo, ok := a.lower()
			if p, ok = mulIf(p, lo, ok); !ok {
				return 0, false
			}
		}
		var ok bool
		if sum, ok = addInt(sum, p); !ok {
			return 0, false
		}
	}
	return sum, true
}

// mulIf is a * b; ok tells that b holds and that the product fits.
func mulIf(a, b int64, ok bool) (int64, bool) {
	p, fits := mulInt(a, b)
	return p, ok && fits
}

// lower is a bound of 0 or more.
func (a *atom) lower() (int64, bool) {
	if a.num == nil {
		return 1, true
	}
	lo, ok := a.num.lower()
	return floorDiv(lo, a.den), ok && lo >= 0
}

// withoutFloors is a lower bound of e: c*floor(n/d) becomes c*(n-d+1)/d for
// c > 0 and c*n/d for c < 0, where d divides c.
func (e Expr) withoutFloors() Expr {
	sum := Number(0)
	for _, t := range e.terms {
		add := Expr{known: true, terms: []term{t}}
		if len(t.atoms) == 1 && t.atoms[0].num != nil && t.coef%t.atoms[0].den == 0 {
			a := t.atoms[0]
			n := *a.num
			if t.coef > 0 {
				n = n.Plus(1 - a.den)
			}
			add = n.Times(t.coef / a.den)
		}
		sum = sum.Add(add)
	}
	return sum
}

func gcdInt(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return max(a, -a)
}
