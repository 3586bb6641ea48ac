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
	// PSNR is d^2 whose mean over a patch is taken in dB (see [Decibels]): the PSNR of a
	// set is the mean of those of its images, where smooth ones count as much as others.
	PSNR Loss = "psnr"
)

const charbonnierEps = 1e-3

// Check reports an unknown loss.
func (l Loss) Check() error {
	switch l {
	case MSE, L1, Charbonnier, PSNR:
		return nil
	}
	return fmt.Errorf("unknown loss %q, want %s, %s, %s or %s", l, MSE, L1, Charbonnier, PSNR)
}

// leastSquare is added to a mean square error before its logarithm: 80 dB.
const leastSquare = 1e-8

// Decibels is 10*log10 of a mean square error, the negative PSNR of values in 0..1, and turns
// the gradient of the error into its own.
func Decibels(square float64, grad []float32) float64 {
	square += leastSquare
	factor := float32(10 / (math.Ln10 * square))
	for i := range grad {
		grad[i] *= factor
	}
	return 10 * math.Log10(square)
}

// Mean returns the mean loss over the values of an image, whose rows are of that width.
// Where grad is not nil it is set to weight times the gradient by out: for L1, 0 where
// out and target are equal; grad may be out or target itself. It panics on lengths that
// differ and on an unknown loss.
//
// The sum is taken in float64 row by row.
func (l Loss) Mean(out, target, grad []float32, width int, weight float64) float64 {
	n := len(out)
	if width < 1 || n%width != 0 || len(target) != n || grad != nil && len(grad) != n {
		panic(fmt.Sprintf("optim: loss of %d outputs, %d targets and %d gradients in rows of %d",
			n, len(target), len(grad), width))
	}
	row := l.row()
	each := weight / float64(n)
	sum := 0.0
	for at := 0; at < n; at += width {
		var g []float32
		if grad != nil {
			g = grad[at : at+width]
		}
		sum += row(out[at:at+width], target[at:at+width], g, each)
	}
	return sum / float64(n)
}

// row returns the function that adds up the loss of one row and writes its
// gradient times each, unless grad is nil.
func (l Loss) row() func(out, target, grad []float32, each float64) float64 {
	switch l {
	case MSE, PSNR:
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
