package optim

import (
	"fmt"
	"math"
)

// A Loss names a distance between output and target, for each value d apart.
type Loss string

// The losses.
const (
	MSE         Loss = "mse"         // d^2
	L1          Loss = "l1"          // |d|
	Charbonnier Loss = "charbonnier" // sqrt(d^2 + eps^2), eps = 1e-3
)

const charbonnierEps = 1e-3

// Check reports an unknown loss.
func (l Loss) Check() error {
	switch l {
	case MSE, L1, Charbonnier:
		return nil
	}
	return fmt.Errorf("unknown loss %q, want %s, %s or %s", l, MSE, L1, Charbonnier)
}

// An Area is an image [C][H][W] of which Shave pixels of every side do not
// count.
type Area struct{ C, H, W, Shave int }

// Check reports an area that leaves nothing to count.
func (a Area) Check() error {
	if a.C < 1 || a.Shave < 0 || a.H <= 2*a.Shave || a.W <= 2*a.Shave {
		return fmt.Errorf("loss over %dx%d pixels of %d channels without a border of %d leaves nothing to count",
			a.W, a.H, a.C, a.Shave)
	}
	return nil
}

// Count is the number of values that count.
func (a Area) Count() int { return a.C * (a.H - 2*a.Shave) * (a.W - 2*a.Shave) }

// Mean returns the mean loss over the values of an area that count. Where grad
// is not nil it is set to weight times the gradient by out: 0 in the border and,
// for L1, where out and target are equal. out, target and grad hold C*H*W
// values; grad may be out or target itself. It panics on other lengths, an
// unknown loss or an area that its Check refuses.
//
// The sum is taken in float64 row by row.
func (l Loss) Mean(out, target, grad []float32, a Area, weight float64) float64 {
	n := a.C * a.H * a.W
	if err := a.Check(); err != nil || len(out) != n || len(target) != n || grad != nil && len(grad) != n {
		panic(fmt.Sprintf("optim: loss of %d outputs, %d targets and %d gradients over %+v",
			len(out), len(target), len(grad), a))
	}
	row := l.row()
	each := weight / float64(a.Count())
	sum := 0.0
	for y := range a.C * a.H {
		at := y * a.W
		begin, end := at+a.Shave, at+a.W-a.Shave
		if k := y % a.H; k < a.Shave || k >= a.H-a.Shave {
			begin, end = at, at
		}
		var g []float32
		if grad != nil {
			g = grad[begin:end]
		}
		sum += row(out[begin:end], target[begin:end], g, each)
		if grad != nil {
			clear(grad[at:begin])
			clear(grad[end : at+a.W])
		}
	}
	return sum / float64(a.Count())
}

// row returns the function that adds up the loss of one row and writes its
// gradient times each, unless grad is nil.
func (l Loss) row() func(out, target, grad []float32, each float64) float64 {
	switch l {
	case MSE:
		return mseRow
	case L1:
		return l1Row
	case Charbonnier:
		return charbonnierRow
	}
	panic("optim: " + l.Check().Error())
}

func mseRow(out, target, grad []float32, each float64) float64 {
	sum := 0.0
	for i, v := range out {
		d := float64(v) - float64(target[i])
		sum += float64(d * d)
		if grad != nil {
			grad[i] = float32(2 * each * d)
		}
	}
	return sum
}

func l1Row(out, target, grad []float32, each float64) float64 {
	sum := 0.0
	for i, v := range out {
		d := float64(v) - float64(target[i])
		sum += math.Abs(d)
		if grad == nil {
			continue
		}
		switch {
		case d > 0:
			grad[i] = float32(each)
		case d < 0:
			grad[i] = float32(-each)
		default:
			grad[i] = float32(each * d) // 0, or NaN where d is
		}
	}
	return sum
}

func charbonnierRow(out, target, grad []float32, each float64) float64 {
	sum := 0.0
	for i, v := range out {
		d := float64(v) - float64(target[i])
		far := math.Sqrt(float64(d*d) + charbonnierEps*charbonnierEps)
		sum += far
		if grad != nil {
			grad[i] = float32(each * d / far)
		}
	}
	return sum
}
