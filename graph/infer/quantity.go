package infer

import "math"

func add(a, b quantity) quantity {
	den, ok := mulInt(a.den, b.den)
	if !ok {
		return quantity{den: 1}
	}
	return quantity{a.num.Times(b.den).Add(b.num.Times(a.den)), den}.reduced()
}

func minus(a quantity) quantity { return quantity{a.num.Times(-1), a.den} }

func sub(a, b quantity) quantity { return add(a, minus(b)) }

func mul(a, b quantity) quantity {
	den, ok := mulInt(a.den, b.den)
	if !ok {
		return quantity{den: 1}
	}
	return quantity{a.num.Mul(b.num), den}.reduced()
}

// divFloats divides by a number.
func divFloats(a, b quantity) quantity {
	n, isNumber := b.num.Int()
	den, ok := mulInt(a.den, n)
	if !isNumber || n <= 0 || !ok {
		return quantity{den: 1}
	}
	return quantity{a.num.Times(b.den), den}.reduced()
}

// divInts divides towards zero.
func divInts(a, b quantity) quantity {
	if n, isNumber := b.num.Int(); isNumber && n > 0 {
		return truncated(divFloats(a, b))
	}
	if exact := a.num.Div(b.num); exact.known {
		return whole(exact)
	}
	return quantity{den: 1}
}

// mod is the remainder by an integer, with the divisor's sign, or the
// dividend's for fmod.
func mod(fmod bool) func(a, b quantity) quantity {
	return func(a, b quantity) quantity {
		n, isNumber := b.num.Int()
		if !isNumber || n <= 0 || a.den != 1 || b.den != 1 || fmod && !a.num.atLeast(0) {
			return quantity{den: 1}
		}
		return whole(a.num.Sub(a.num.FloorDiv(n).Times(n)))
	}
}

// lesser is the smaller of a and b where it is certain which that is.
func lesser(a, b quantity) quantity {
	d := sub(b, a).num
	switch {
	case d.atLeast(0):
		return a
	case d.Times(-1).atLeast(0):
		return b
	}
	return quantity{den: 1}
}

// greater is the larger of a and b, as lesser.
func greater(a, b quantity) quantity { return minus(lesser(minus(a), minus(b))) }

func equal(a, b quantity) quantity {
	d := sub(a, b).num
	switch {
	case d.is(0):
		return whole(Number(1))
	case d.atLeast(1), d.Times(-1).atLeast(1):
		return whole(Number(0))
	}
	return quantity{den: 1}
}

// less is 1 or 0 where it is certain whether a < b.
func less(a, b quantity) quantity {
	d := sub(b, a).num
	switch {
	case d.atLeast(1):
		return whole(Number(1))
	case d.Times(-1).atLeast(0):
		return whole(Number(0))
	}
	return quantity{den: 1}
}

func btoi(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// rangeCount is how many numbers from start by delta come before limit.
func rangeCount(start, limit, delta int64) int64 {
	if delta == 0 {
		return 0
	}
	n := math.Ceil((float64(limit) - float64(start)) / float64(delta))
	return int64(max(min(n, math.MaxInt32), 0))
}
