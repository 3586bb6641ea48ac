package train

import (
	"context"
	"fmt"
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
	if want == nil || want.elems != l.y.elems || s.Group != 1 || l.b != nil {
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
	weights, bias, err := parts[0].solve(l.w.Data, after != nil, c.Ridge)
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
	w.mode, w.hooks, w.follow = mode, Hooks{}, false
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
