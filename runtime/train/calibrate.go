package train

import (
	"context"
	"fmt"
	"math"
	"sync"

	"spikingir/runtime/kernel"
)

// Correction is how Calibrate corrects a network without a gradient.
type Correction struct {
	// Patches are how many the statistics are taken from.
	Patches int `json:"patches"`
	// Ridge pulls the weights to those that they were, as if that share of the mean
	// square of the inputs had been seen with the old results; positive.
	Ridge float64 `json:"ridge"`
}

// DefaultCorrection is what measured best; see docs/finetuning.md.
var DefaultCorrection = Correction{Patches: 128, Ridge: 1e-3}

// Calibrate fits the layers to the teacher one after the other, from the image on,
// without a gradient: the weights and biases of a convolution become those of the
// linear regression from the mean spikes that it really receives to the teacher's
// currents, so that each layer makes good what can be made good of the errors of
// those before it. The last layer's errors are the output's.
func (t *Trainer) Calibrate(ctx context.Context, c Correction) error {
	if c.Patches < 1 || !(c.Ridge > 0) {
		return fmt.Errorf("calibration on %d patches with ridge %g, want positive numbers", c.Patches, c.Ridge)
	}
	for i, l := range t.net.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		conv, ok := l.(*convLayer)
		if !ok || !conv.x.timed || conv.w == nil {
			continue
		}
		if err := t.fit(i, conv, c); err != nil {
			return err
		}
	}
	return nil
}

// fit corrects the convolution that is layer i.
func (t *Trainer) fit(i int, l *convLayer, c Correction) error {
	s := l.plain.Shape()
	want := t.teacher.named(l.y.of.Name())
	if want == nil || want.elems != l.y.elems || s.Group != 1 {
		return nil
	}
	after := t.neuronOf(l)
	parts := make([]*regression, len(t.workers))
	errs := make([]error, len(t.workers))
	var group sync.WaitGroup
	for k, crew := range t.workers {
		parts[k] = newRegression(l)
		group.Go(func() {
			for j := k; j < c.Patches && errs[k] == nil; j += len(t.workers) {
				errs[k] = t.observe(crew, i, l, want, uint64(j), parts[k])
			}
		})
	}
	group.Wait()
	for k := range parts {
		if errs[k] != nil {
			return errs[k]
		}
		if k > 0 {
			parts[0].add(parts[k])
		}
	}
	if err := parts[0].solve(l, after, c.Ridge); err != nil {
		return err
	}
	t.net.Refresh()
	return nil
}

// neuronOf is the neuron layer that alone reads a convolution and has a bias to
// train; nil where there is none.
func (t *Trainer) neuronOf(l *convLayer) *neuronLayer {
	for _, n := range t.net.neurons {
		if n.x == l.y && l.y.reads == 1 && n.bias != nil {
			return n
		}
	}
	return nil
}

// observe adds one patch to the statistics of a layer.
func (t *Trainer) observe(c *crew, layer int, l *convLayer, want *value, patch uint64, r *regression) error {
	p, err := t.Source.Patch(patch)
	if err != nil {
		return err
	}
	if _, err := c.teacher.Forward(p.Input.Pix, Means, Hooks{}); err != nil {
		return err
	}
	if err := c.net.forwardTo(p.Input.Pix, Spikes, layer); err != nil {
		return err
	}
	mean := c.net.floats(l.x.elems)
	c.net.meanOf(mean, l.x)
	r.observe(c.net, mean, c.teacher.amplitudes(want))
	c.net.put(mean)
	return nil
}

// forwardTo runs the layers before a layer.
func (w *Worker) forwardTo(image []float32, mode Mode, layer int) error {
	w.reset()
	w.mode, w.hooks = mode, Hooks{}
	toLast(w.set(w.net.input), image, w.net.input)
	for _, l := range w.net.layers[:layer] {
		if err := l.forward(w); err != nil {
			return err
		}
	}
	return nil
}

// meanOf sets mean to the mean amplitude of v over the main steps.
func (w *Worker) meanOf(mean []float32, v *value) {
	s := &w.slots[v.id]
	if s.x != nil {
		w.average(mean, v)
		return
	}
	clear(mean)
	words, c := kernel.SpikeWords(v.elems), v.channels()
	for at := 0; at < len(s.bits); at += words {
		kernel.AccumulateSpikes(mean, s.bits[at:at+words], 1)
	}
	for i, n := range mean {
		if n != 0 {
			mean[i] = n * v.neuron.theta1[i%c] / float32(w.net.Timesteps)
		}
	}
}

// A regression is the sums of a least-squares fit of a convolution's weights and
// bias: inputs by inputs, and inputs by results, over all pixels.
type regression struct {
	conv         *kernel.TrainConv // same geometry, for sums of products
	grams        *kernel.TrainConv // that with the input's own channels as results
	ones         *kernel.TrainConv
	in, out      int
	gram, cross  []float64 // [in][in], [in][out], in being inC*kH*kW and then 1 for the bias
	pixels       float64
}

func newRegression(l *convLayer) *regression {
	s := l.plain.Shape()
	of := func(out int) *kernel.TrainConv {
		g := s
		g.OutC = out
		c, err := kernel.NewTrainConv(g)
		if err != nil {
			panic("train: " + err.Error()) // the shape is that of a good one
		}
		return c
	}
	r := &regression{conv: of(s.OutC), grams: of(s.InC), ones: of(1), in: s.InC*s.KernelH*s.KernelW + 1, out: s.OutC}
	r.gram, r.cross = make([]float64, r.in*r.in), make([]float64, r.in*r.out)
	return r
}

func (r *regression) add(o *regression) {
	for i, x := range o.gram {
		r.gram[i] += x
	}
	for i, x := range o.cross {
		r.cross[i] += x
	}
	r.pixels += o.pixels
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
	r.pixels += float64(plane)
}

// move sets dst, [OutH][OutW][InC], to what tap t of a convolution reads.
func move(dst, x []float32, s kernel.TrainShape, tap int) {
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

// solve sets the weights, and the bias of the neurons that follow, to the solution
// of the normal equations, with the old ones as the prior of a ridge regression.
func (r *regression) solve(l *convLayer, after *neuronLayer, ridge float64) error {
	n := r.in - 1
	diag := 0.0
	for i := range n {
		diag += r.gram[i*r.in+i]
	}
	prior := ridge * diag / float64(n)
	if prior == 0 {
		return nil // no spike reaches the layer
	}
	size := r.in
	if after == nil {
		size = n
	}
	a, b := make([]float64, size*size), make([]float64, size*r.out)
	for i := range size {
		copy(a[i*size:(i+1)*size], r.gram[i*r.in:])
		copy(b[i*r.out:(i+1)*r.out], r.cross[i*r.out:])
		if i < n {
			a[i*size+i] += prior
			for o := range r.out {
				b[i*r.out+o] += prior * float64(l.w.Data[o*n+i])
			}
		} else {
			a[i*size+i] *= 1 + 1e-9
		}
	}
	if err := cholesky(a, size); err != nil {
		return err
	}
	substitute(a, b, size, r.out)
	for _, x := range b {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return fmt.Errorf("regression of %q: the result is not a number", l.w.Name)
		}
	}
	for o := range r.out {
		for i := range n {
			l.w.Data[o*n+i] = float32(b[i*r.out+o])
		}
	}
	if after != nil && len(after.bias.Data) == r.out {
		for o := range r.out {
			after.bias.Data[o] += float32(b[n*r.out+o])
		}
	}
	return nil
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
			return fmt.Errorf("regression: the inputs are not independent (pivot %g): raise the ridge", d)
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
