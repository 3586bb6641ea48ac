package train

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"spikingir/runtime/kernel"
)

// Calibrate fits the layers to the teacher one after the other, from the image on,
// without a gradient: the weights and biases of a convolution become those of the
// linear regression from the mean spikes that it really receives to the teacher's
// currents, so that each layer makes good what can be made good of the errors of
// those before it. The last layer's errors are the output's.
func (t *Trainer) Calibrate(ctx context.Context, c Calibration) error {
	if err := c.Check(); err != nil {
		return err
	}
	return t.calibrate(ctx, c, frontLimit)
}

// calibrate is Calibrate whose fronts hold as many bytes at most.
func (t *Trainer) calibrate(ctx context.Context, c Calibration, limit int) error {
	net, teacher := front{net: t.net, mode: Spikes, limit: limit}, front{net: t.teacher, mode: ANN, limit: limit}
	for i, l := range t.net.layers {
		if err := ctx.Err(); err != nil {
			return err
		}
		conv, ok := l.(*convLayer)
		if !ok || !conv.x.timed || conv.w == nil {
			continue
		}
		if err := t.fit(i, conv, c, &net, &teacher); err != nil {
			return err
		}
	}
	return nil
}

// fit corrects the convolution that is layer i, to which the fronts of the network and
// of the teacher move.
func (t *Trainer) fit(i int, l *convLayer, c Calibration, net, teacher *front) error {
	s := l.plain.Shape()
	want := t.teacher.named(l.y.of.Name())
	if want == nil || want.elems != l.y.elems || s.Group != 1 || l.b != nil {
		return nil
	}
	after := t.neuronOf(l)
	o := &observation{t: t, l: l, want: want, layer: i, source: t.teacher.layerOf(want) + 1, net: net, teacher: teacher}
	if o.source <= teacher.layer {
		teacher.restart()
	}
	o.values, o.kept = net.advance(i, c.CalibratePatches)
	o.teacherValues, o.teacherKept = teacher.advance(o.source, c.CalibratePatches)
	parts := make([]*regression, len(t.threads))
	errs := make([]error, len(t.threads))
	var group sync.WaitGroup
	for k, w := range t.threads {
		parts[k] = newRegression(l)
		group.Go(func() {
			for j := k; j < c.CalibratePatches && errs[k] == nil; j += len(t.threads) {
				errs[k] = o.patch(w, j, parts[k])
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
	net.move(i, o.values, o.kept)
	teacher.move(o.source, o.teacherValues, o.teacherKept)
	weights, bias, err := parts[0].solve(l.w.Data, after != nil, c.CalibrateRidge)
	if err != nil {
		return fmt.Errorf("calibration of %q: %w", l.w.Name, err)
	}
	copy(l.w.Data, weights)
	if after != nil {
		copy(after.bias.Data, bias)
		if b := t.teacherBias(after); b != nil {
			kernel.Add(after.bias.Data, after.bias.Data, b)
		}
	}
	t.net.Refresh()
	return nil
}

// neuronOf is the neuron layer that alone reads a convolution and has a bias of each
// channel to train; nil where there is none.
func (t *Trainer) neuronOf(l *convLayer) *neuronLayer {
	for _, n := range t.net.neurons {
		if n.x == l.y && l.y.reads == 1 && n.bias != nil && len(n.bias.Data) == l.y.channels() {
			return n
		}
	}
	return nil
}

// teacherBias is the bias that the teacher's neurons of the same name add to the
// currents fitted; nil where the teacher has none there: an ANN's is in the currents.
func (t *Trainer) teacherBias(l *neuronLayer) []float32 {
	v := t.teacher.named(l.out.of.Name())
	if v == nil || v.neuron == nil {
		return nil
	}
	b := elems(v.neuron.bias, v.neuron.fixed.bias)
	if b == nil {
		return nil
	}
	return spread(b, l.out.channels())
}

// An observation is how the statistics of a layer are taken.
type observation struct {
	t             *Trainer
	l             *convLayer
	want          *value // of the teacher
	layer, source int    // the layer's place, and the one behind that of want's
	net, teacher  *front

	values, teacherValues []*value // that are kept for the layers behind
	kept, teacherKept     [][]slot
}

// patch adds patch number i to the statistics.
func (o *observation) patch(c *workers, i int, r *regression) error {
	image := func() ([]float32, error) {
		p, err := o.t.Source.Patch(uint64(i))
		return p.Input.Pix, err
	}
	if err := o.teacher.run(c.teacher, i, o.source, image); err != nil {
		return err
	}
	if err := o.net.run(c.net, i, o.layer, image); err != nil {
		return err
	}
	if o.kept != nil {
		o.kept[i] = c.net.keep(o.values)
	}
	if o.teacherKept != nil {
		o.teacherKept[i] = c.teacher.keep(o.teacherValues)
	}
	mean := c.net.floats(o.l.x.elems)
	c.net.meanOf(mean, o.l.x)
	r.observe(c.net, mean, c.teacher.amplitudes(o.want))
	c.net.put(mean)
	return nil
}

// layerOf is the place of the layer that gives v.
func (n *Net) layerOf(v *value) int {
	for i, l := range n.layers {
		if slices.Contains(l.writes(), v) {
			return i
		}
	}
	return -1
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
