package train

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	base "spikingir/runtime/kernel"
	"spikingir/runtime/train/kernel"
)

// Calibrate fits the layers to the teacher one after the other, without a gradient. The
// weights and biases of a convolution become those of the linear regression from the
// mean spikes that it receives to the teacher's currents, so that each layer corrects
// the errors of the layers before it.
func (t *Trainer) Calibrate(ctx context.Context, c Calibration) error {
	if err := c.Check(); err != nil {
		return err
	}
	return t.calibrate(ctx, c, frontLimit)
}

// calibrate is Calibrate whose fronts hold as many bytes at most.
func (t *Trainer) calibrate(ctx context.Context, c Calibration, limit int) error {
	net, teacher := front{net: t.net, mode: t.net.Own(), limit: limit}, front{net: t.teacher, mode: ANN, limit: limit}
	begin, layers := time.Now(), t.fitted()
	for done, i := range layers {
		if err := t.ended(ctx); err != nil {
			return err
		}
		if err := t.fit(i, t.net.layers[i].(*convLayer), c, &net, &teacher); err != nil {
			return err
		}
		e := t.event()
		e.Layer, e.Layers = done+1, len(layers)
		e.Left = time.Since(begin).Seconds() / float64(done+1) * float64(len(layers)-done-1)
		t.tell(e)
	}
	return nil
}

// fitted are the places of the convolutions that a calibration looks at: those of spikes.
func (t *Trainer) fitted() (list []int) {
	for i, l := range t.net.layers {
		if conv, ok := l.(*convLayer); ok && conv.x.timed && conv.w != nil {
			list = append(list, i)
		}
	}
	return list
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
	net.advance(i, c.CalibratePatches)
	teacher.advance(t.teacher.layerOf(want)+1, c.CalibratePatches)
	parts := make([]*regression, len(t.lanes))
	for k := range parts {
		parts[k] = newRegression(l)
	}
	err := t.share(context.Background(), c.CalibratePatches, func(w *workers, k, i int) error {
		p, err := t.Source.Patch(uint64(i))
		if err != nil {
			return err
		}
		if err := cmp.Or(teacher.run(w.teacher, i, p.Input.Pix), net.run(w.net, i, p.Input.Pix)); err != nil {
			return err
		}
		mean := w.net.floats(l.x.elems)
		w.net.meanOf(mean, l.x)
		parts[k].observe(w.net, mean, w.teacher.amplitudes(want))
		w.net.put(mean)
		return nil
	})
	if err != nil {
		return err
	}
	sum, err := addUp(t.cluster, parts, t.MicroBatches)
	if err != nil {
		return err
	}
	net.move()
	teacher.move()
	weights, bias, err := sum.solve(l.w.Data, after != nil, c.CalibrateRidge)
	if err != nil {
		return fmt.Errorf("calibration of %q: %w", l.w.Name, err)
	}
	copy(l.w.Data, weights)
	if after != nil {
		copy(after.bias.Data, bias)
		if b := t.teacherBias(after); b != nil {
			base.Add(after.bias.Data, after.bias.Data, b)
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
	words, c := base.SpikeWords(v.elems), v.channels()
	for at := 0; at < len(s.bits); at += words {
		kernel.AddSpikes(mean, s.bits[at:at+words])
	}
	for i, n := range mean {
		if n != 0 {
			mean[i] = n * v.neuron.theta1[i%c] / float32(w.net.Timesteps)
		}
	}
}
