package train

import (
	"fmt"
	"math"

	"spikingir/runtime/dataset"
	"spikingir/runtime/train/optim"
)

// Workers are what one thread trains with: one of the network and one of the teacher.
type workers struct {
	net, teacher *Worker
	features     [][]float32 // the teacher's, of each neuron layer
	target       []float32
	gradient     []float32
}

// sums is what a batch, or a worker's part of it, measured.
type sums struct {
	loss, square, rate float64
}

// psnr is that of the mean square error of a batch, dB.
func (s sums) psnr(batch int) float64 { return -10 * math.Log10(max(s.square/float64(batch), 1e-12)) }

func (t *Trainer) newWorkers() *workers {
	return &workers{net: t.net.NewWorker(), teacher: t.teacher.NewWorker(), features: make([][]float32, len(t.net.neurons)),
		target: make([]float32, t.net.output.elems), gradient: make([]float32, t.net.output.elems)}
}

// patch adds the gradients of one patch.
func (t *Trainer) patch(c *workers, number uint64, sum *sums) error {
	p, err := t.Source.Patch(number)
	if err != nil {
		return err
	}
	s, err := t.stage().kind()
	if err != nil {
		return err
	}
	if len(p.Target.Pix) != t.net.output.elems {
		return fmt.Errorf("%s: target of %dx%dx%d, the network gives %v", p.Name, p.Target.C, p.Target.H, p.Target.W, t.net.output.dims)
	}
	var guide []float32
	if t.DistillOutput > 0 || t.DistillFeatures > 0 {
		if guide, err = t.teach(c, p); err != nil {
			return err
		}
	}
	out, err := c.net.Forward(p.Input.Pix, s.mode, t.hooks(c, sum))
	if err != nil {
		return err
	}
	t.compare(c, out, p.Target, guide, sum)
	if s.mode == t.net.Own() {
		sum.rate += c.net.FiringRate() / float64(t.Batch)
	}
	if s.byRates {
		return c.net.BackwardRates(c.gradient)
	}
	return c.net.Backward(c.gradient)
}

// compare sets the gradient of the loss by the output, and adds to what is measured.
func (t *Trainer) compare(c *workers, out []float32, target dataset.Image, guide []float32, sum *sums) {
	share, d, w := 1/float64(t.Batch), t.DistillOutput, target.W
	sum.square += optim.MSE.Mean(out, target.Pix, nil, w, 1)
	loss := (1 - d) * t.Loss.Mean(out, target.Pix, c.gradient, w, share*(1-d))
	if d > 0 {
		loss += d * t.Loss.Mean(out, guide, c.target, w, share*d)
		for i, g := range c.target {
			c.gradient[i] += g
		}
	}
	if t.Loss == optim.PSNR {
		// Where the ANN's output stands for the truth, its own error comes on top.
		floor := 0.0
		if d > 0 {
			floor = d * optim.MSE.Mean(guide, target.Pix, nil, w, 1)
		}
		loss = optim.Decibels(loss+floor, c.gradient)
	}
	sum.loss += share * loss
}

// teach runs the teacher on a patch.
func (t *Trainer) teach(c *workers, p dataset.Sample) ([]float32, error) {
	for i := range c.features {
		c.features[i] = nil
	}
	out, err := c.teacher.Forward(p.Input.Pix, ANN, Hooks{})
	if err != nil {
		return nil, err
	}
	for i, l := range t.net.neurons {
		if v := t.teacher.named(l.out.of.Name()); v != nil && v.elems == l.out.elems {
			c.features[i] = c.teacher.amplitudes(v)
		}
	}
	return out, nil
}

// named is the value of a name; nil where there is none.
func (n *Net) named(name string) *value {
	if v := n.model.Graph.Value(name); v != nil {
		return n.values[v]
	}
	return nil
}

// hooks are the energy term and the distillation of hidden rates.
func (t *Trainer) hooks(c *workers, sum *sums) Hooks {
	var h Hooks
	if t.EnergyWeight > 0 {
		progress := float64(t.event().Done) / float64(max(t.event().All, 1))
		weight := optim.EnergyWeight(t.EnergyWeight, progress) / float64(t.Batch*len(t.net.neurons)*t.net.Timesteps)
		for _, l := range t.net.neurons {
			h.Energy = append(h.Energy, float32(weight/float64(l.out.elems)))
		}
	}
	if t.DistillFeatures > 0 {
		h.Feature = func(layer int, rate, gradient []float32) bool {
			want := c.features[layer]
			if want == nil || t.norms[layer] < lowestSquare {
				return false
			}
			weight := t.DistillFeatures / (float64(t.Batch) * float64(len(rate)) * t.norms[layer])
			factor, total := float32(2*weight), 0.0
			for i, r := range rate {
				d := r - want[i]
				gradient[i] = factor * d
				total += float64(d) * float64(d)
			}
			sum.loss += weight * total
			return true
		}
	}
	return h
}

// lowestSquare is the mean square of an activation below which there is nothing to
// learn from it: real networks have layers that are all but dead.
const lowestSquare = 1e-12

// calibrationPatches is how many patches norms and corrections are measured on.
const calibrationPatches = 32

// measure finds the mean square of the teacher's features on the first patches.
func (t *Trainer) measure() error {
	t.norms = make([]float64, len(t.net.neurons))
	c := t.threads[0]
	for i := range calibrationPatches {
		p, err := t.Source.Patch(uint64(i))
		if err != nil {
			return err
		}
		if _, err := t.teach(c, p); err != nil {
			return err
		}
		for l, f := range c.features {
			square := 0.0
			for _, x := range f {
				square += float64(x) * float64(x)
			}
			t.norms[l] += square / float64(max(len(f), 1)*calibrationPatches)
		}
	}
	return nil
}
