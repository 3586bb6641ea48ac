package train

import (
	"errors"
	"fmt"
	"math"

	"spikingir/runtime/cluster"
	"spikingir/runtime/train/kernel"
)

// A regression is the sums of a least-squares fit of a convolution's weights and
// bias: inputs by inputs, and inputs by results, over all pixels.
type regression struct {
	conv        *kernel.Conv // same geometry, for sums of products
	grams       *kernel.Conv // that with the input's own channels as results
	ones        *kernel.Conv
	in, out     int
	gram, cross []float64 // [in][in], [in][out], in being inC*kH*kW and then 1 for the bias
}

func newRegression(l *convLayer) *regression {
	s := l.plain.Shape()
	of := func(out int) *kernel.Conv {
		g := s
		g.OutC = out
		c, err := kernel.NewConv(g)
		if err != nil {
			panic("train: " + err.Error()) // the shape is that of a good one
		}
		return c
	}
	r := &regression{conv: of(s.OutC), grams: of(s.InC), ones: of(1), in: s.InC*s.KernelH*s.KernelW + 1, out: s.OutC}
	r.gram, r.cross = make([]float64, r.in*r.in), make([]float64, r.in*r.out)
	return r
}

// addUp adds the regressions of all processes, of which there are so many and this one has
// some. It changes the first one, and gives it.
func addUp(c cluster.Comm, parts []*regression, total int) (*regression, error) {
	var s cluster.Summer[float64]
	sum := parts[0]
	for _, of := range []func(*regression) *[]float64{
		func(r *regression) *[]float64 { return &r.gram },
		func(r *regression) *[]float64 { return &r.cross },
	} {
		var list [][]float64
		for _, p := range parts {
			list = append(list, *of(p))
		}
		all := make([]float64, len(list[0]))
		if err := s.Sum(c, all, list, total); err != nil {
			return nil, err
		}
		*of(sum) = all
	}
	return sum, nil
}

// observe adds a patch: x is the input of the convolution and y what it should
// give. Products are summed by the kernels for gradients of weights, to which the
// results y, or the input moved by a tap, are a gradient.
func (r *regression) observe(w *Worker, x, y []float32) {
	s := r.conv.Shape()
	taps, n := s.KernelH*s.KernelW, r.in-1
	plane := s.OutH * s.OutW
	g := make([]float32, r.out*n)
	r.conv.BackwardWeights(&w.scratch, g, x, y, 1) // [out][in*taps]
	for o := range r.out {
		for i := range n {
			r.cross[i*r.out+o] += float64(g[o*n+i])
		}
		for p := range plane {
			r.cross[n*r.out+o] += float64(y[p*r.out+o])
		}
	}
	moved, part := make([]float32, plane*s.InC), make([]float32, s.InC*n)
	for t := range taps {
		move(moved, x, s, t)
		clear(part)
		r.grams.BackwardWeights(&w.scratch, part, x, moved, 1) // [inC of tap t][in*taps]
		for c := range s.InC {
			row := r.gram[(c*taps+t)*r.in:]
			for i := range n {
				row[i] += float64(part[c*n+i])
			}
		}
	}
	one := make([]float32, plane)
	for i := range one {
		one[i] = 1
	}
	sum := make([]float32, n)
	r.ones.BackwardWeights(&w.scratch, sum, x, one, 1)
	for i, v := range sum {
		r.gram[i*r.in+n] += float64(v)
		r.gram[n*r.in+i] += float64(v)
	}
	r.gram[n*r.in+n] += float64(plane)
}

// move sets dst, [OutH][OutW][InC], to what tap t of a convolution reads.
func move(dst, x []float32, s kernel.Shape, tap int) {
	clear(dst)
	dy, dx := tap/s.KernelW*s.DilationH-s.PadT, tap%s.KernelW*s.DilationW-s.PadL
	for oy := range s.OutH {
		y := oy*s.StrideH + dy
		if y < 0 || y >= s.InH {
			continue
		}
		for ox := range s.OutW {
			if at := ox*s.StrideW + dx; at >= 0 && at < s.InW {
				copy(dst[(oy*s.OutW+ox)*s.InC:][:s.InC], x[(y*s.InW+at)*s.InC:][:s.InC])
			}
		}
	}
}

// solve gives the weights, [out][in*taps], and with a bias that of each result: the
// solution of the normal equations, with the old weights as the prior of a ridge
// regression. Where no spike arrives the weights stay.
func (r *regression) solve(old []float32, withBias bool, ridge float64) (weights, bias []float32, err error) {
	n := r.in - 1
	diag := 0.0
	for i := range n {
		diag += r.gram[i*r.in+i]
	}
	prior := max(ridge*diag/float64(n), math.SmallestNonzeroFloat32)
	size := r.in
	if !withBias {
		size = n
	}
	a, b := make([]float64, size*size), make([]float64, size*r.out)
	for i := range size {
		copy(a[i*size:(i+1)*size], r.gram[i*r.in:])
		copy(b[i*r.out:(i+1)*r.out], r.cross[i*r.out:])
		if i < n {
			a[i*size+i] += prior
			for o := range r.out {
				b[i*r.out+o] += prior * float64(old[o*n+i])
			}
		}
	}
	if err := cholesky(a, size); err != nil {
		return nil, nil, err
	}
	substitute(a, b, size, r.out)
	for _, x := range b {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return nil, nil, errors.New("the regression gives what is not a number")
		}
	}
	weights = make([]float32, r.out*n)
	for o := range r.out {
		for i := range n {
			weights[o*n+i] = float32(b[i*r.out+o])
		}
	}
	for o := 0; withBias && o < r.out; o++ {
		bias = append(bias, float32(b[n*r.out+o]))
	}
	return weights, bias, nil
}

// cholesky turns the lower half of the symmetric positive matrix a, [n][n], into its
// factor.
func cholesky(a []float64, n int) error {
	for j := range n {
		row := a[j*n:]
		d := row[j]
		for k := range j {
			d -= row[k] * row[k]
		}
		if !(d > 0) {
			return fmt.Errorf("the inputs of the regression depend on each other (pivot %g): raise the ridge", d)
		}
		d = math.Sqrt(d)
		row[j] = d
		for i := j + 1; i < n; i++ {
			other := a[i*n:]
			s := other[j]
			for k := range j {
				s -= other[k] * row[k]
			}
			other[j] = s / d
		}
	}
	return nil
}

// substitute solves L L^T x = b in place for m right sides, b being [n][m].
func substitute(l, b []float64, n, m int) {
	for i := range n {
		for k := range i {
			f := l[i*n+k]
			for o := range m {
				b[i*m+o] -= f * b[k*m+o]
			}
		}
		for o := range m {
			b[i*m+o] /= l[i*n+i]
		}
	}
	for i := n - 1; i >= 0; i-- {
		for k := i + 1; k < n; k++ {
			f := l[k*n+i]
			for o := range m {
				b[i*m+o] -= f * b[k*m+o]
			}
		}
		for o := range m {
			b[i*m+o] /= l[i*n+i]
		}
	}
}
