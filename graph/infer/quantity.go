package infer

import "math"

// numeric computes in float32 when both are numbers of a float tensor.
func numeric(a, b quantity, float bool, f func(x, y float32) float32) (quantity, bool) {
	x, okA := a.float()
	y, okB := b.float()
	if !float || !okA || !okB {
		return quantity{}, false
	}
	return fromFloat(f(x, y)), true
}

func add(a, b quantity, float bool) quantity {
	if q, ok := numeric(a, b, float, func(x, y float32) float32 { return x + y }); ok {
		return q
	}
	den, ok := mulInt(a.den, b.den)
	if !ok {
		return quantity{den: 1}
	}
	return quantity{a.num.Times(b.den).Add(b.num.Times(a.den)), den}.reduced()
}

func sub(a, b quantity, float bool) quantity {
	if q, ok := numeric(a, b, float, func(x, y float32) float32 { return x - y }); ok {
		return q
	}
	return add(a, quantity{b.num.Times(-1), b.den}, float)
}

func mul(a, b quantity, float bool) quantity {
	if q, ok := numeric(a, b, float, func(x, y float32) float32 { return x * y }); ok {
		return q
	}
	den, ok := mulInt(a.den, b.den)
	if !ok {
		return quantity{den: 1}
	}
	return quantity{a.num.Mul(b.num), den}.reduced()
}

// div divides floats by a number, and integers towards zero.
func div(a, b quantity, float bool) quantity {
	if q, ok := numeric(a, b, float, func(x, y float32) float32 { return x / y }); ok {
		return q
	}
	n, isNumber := b.num.Int()
	if !isNumber || n <= 0 {
		if exact := a.num.Div(b.num); !float && exact.known {
			return whole(exact)
		}
		return quantity{den: 1}
	}
	den, ok := mulInt(a.den, n)
	if !ok {
		return quantity{den: 1}
	}
	q := quantity{a.num.Times(b.den), den}.reduced()
	if float {
		return q
	}
	return truncated(q)
}

// mod is the remainder by an integer, with the divisor's sign, or the
// dividend's for fmod.
func mod(fmod bool) func(a, b quantity, float bool) quantity {
	return func(a, b quantity, _ bool) quantity {
		n, isNumber := b.num.Int()
		if !isNumber || n <= 0 || a.den != 1 || b.den != 1 || fmod && !a.num.atLeast(0) {
			return quantity{den: 1}
		}
		return whole(a.num.Sub(a.num.FloorDiv(n).Times(n)))
	}
}

// lesser is the smaller of a and b where it is certain which that is.
func lesser(a, b quantity, _ bool) quantity {
	d := sub(b, a, false).num
	switch {
	case d.atLeast(0):
		return a
	case d.Times(-1).atLeast(0):
		return b
	}
	return quantity{den: 1}
}

// greater is the larger of a and b, as lesser.
func greater(a, b quantity, _ bool) quantity {
	minus := func(q quantity) quantity { return quantity{q.num.Times(-1), q.den} }
	return minus(lesser(minus(a), minus(b), false))
}

func equal(a, b quantity) quantity {
	d := sub(a, b, false).num
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
	d := sub(b, a, false).num
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
