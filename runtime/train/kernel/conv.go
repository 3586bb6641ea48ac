package kernel

import (
	"fmt"

	base "spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// A Conv is a convolution for backpropagation through time: the product, its
// two gradients, and the two of the four products whose one factor may be spikes.
//
// Slices are images [H][W][C] of float32, channels last and without gaps; x of S
// slices is [S][InH][InW][InC]. Spikes of a slice are bits over the same elements,
// bit i%64 of word i/64 is element i; each slice begins with a word of its own,
// SpikeWords(InH*InW*InC) words a slice. Bits past the last element are ignored.
//
// A Conv may be used by several goroutines, each with its own [Scratch],
// while nobody calls SetWeights. Calls allocate nothing once a scratch has seen the
// largest shape.
//
// The order of sums is not fixed, unlike that of the executor's kernels: another
// implementation may round differently. One implementation gives the same bits for the
// same arguments. 3x3 products and gradients with at least 32 channels on either side
// use Winograd, whose error is some 4 times that of float32 sums (2e-6 of the result,
// root mean square, with 64 channels of normal numbers), relative to the largest terms
// within 4 pixels. ForwardSpikes never does.
//
// The vector kernels flush subnormal numbers to zero, operands and results, as
// gradients have long tails of them that slow every product down.
type Conv struct {
	shape    Shape
	forward  plan
	backward plan
	sparse   *sparsePlan // nil in groups
	dots     *dotPlan    // nil where products are faster
	work     int         // vectors for an output pixel of the gradient of the weights
	kernels  *convKernels
	packing  packing
}

// A Scratch is the memory that one goroutine computes in. The zero value is
// ready; it may serve convolutions of any shapes, one call at a time.
type Scratch struct {
	padded         []float32 // a copy of a slice with zeros round it
	paddedGradient []float32 // one of its gradient
	expanded       []float32 // spikes of a slice as numbers
	sums           []float32 // gradients of the weights, not yet in ONNX order
	product        productArgs
	plane          planeArgs
	dot            dotArgs
	outPlanes      []float32 // of a plane kernel

	// Of sums of spikes.
	list     spikeList
	runs     spikeRuns
	joins    spike.Join
	run      runArgs
	gradient spikeGradientArgs

	// Of Winograd.
	inputs, outputs []float32 // transformed tiles
	strip           []float32 // tiles that the border cuts
	positions       []float32 // transformed sums
	transform       winogradArgs
	vectors         []float32 // of the transform
}

// NewConv returns a convolution whose weights are all 0.
func NewConv(s Shape) (*Conv, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	c := &Conv{
		shape: s, forward: forwardPlan(s), backward: backwardPlan(s), sparse: newSparsePlan(s),
		kernels: &convFamily.Kernels,
	}
	c.chooseWeightSums()
	c.packing.weights = make([]float32, s.Weights())
	return c, nil
}

// Shape is the geometry that the convolution was made for.
func (c *Conv) Shape() Shape { return c.shape }

// SetWeights takes weights w, [OutC][InC/Group][KernelH][KernelW], each multiplied
// by scale[i] of its input channel i of InC; scale nil stands for ones. The scale
// holds the amplitude of spikes that are given as bits. The weights are copied;
// products pack them when they first need them.
func (c *Conv) SetWeights(w, scale []float32) {
	c.want("weights", len(w), c.shape.Weights())
	if scale != nil {
		c.want("scales", len(scale), c.shape.InC)
	}
	c.packing.set(&c.shape, w, scale)
}

// Forward sets y, [slices][OutH][OutW][OutC], to the convolution of x,
// [slices][InH][InW][InC], with the packed weights, without bias.
func (c *Conv) Forward(sc *Scratch, y, x []float32, slices int) {
	c.want("inputs", len(x), slices*c.shape.InSize())
	c.want("outputs", len(y), slices*c.shape.OutSize())
	c.pack(c.forward.form(filteredForward, directForward))
	c.forward.run(c.kernels, sc, y, x, slices)
}

// ForwardSpikes is Forward of an input of ones where a bit of spikes is set and
// zeros elsewhere.
func (c *Conv) ForwardSpikes(sc *Scratch, y []float32, spikes []uint64, slices int) {
	words, out := base.SpikeWords(c.shape.InSize()), c.shape.OutSize()
	c.want("words of spikes", len(spikes), slices*words)
	c.want("outputs", len(y), slices*out)
	sparse := c.fewSpikes(spikes, slices)
	if sparse {
		c.pack(sparseForward)
	} else {
		c.pack(directForward)
	}
	for s := range slices {
		if sparse {
			c.sumSpikes(sc, y[s*out:(s+1)*out], spikes[s*words:(s+1)*words])
			continue
		}
		x := sc.expand(spikes[s*words:(s+1)*words], c.shape.InSize())
		c.forward.direct(c.kernels, sc, y[s*out:(s+1)*out], x, 1)
	}
}

// A Gradients is what Backward works on.
type Gradients struct {
	// GX, [slices][InH][InW][InC], is set to the gradient by the input of a sum whose
	// gradient by the output is GY: the transposed convolution with the packed, scaled
	// weights. Nil: not wanted.
	GX []float32
	// GW, [OutC][InC/Group][KernelH][KernelW], has the gradient by the weights, summed
	// over all slices, added to it: that of x times w, no scale in it. Nil: not wanted.
	GW []float32
	// X is the input, or Spikes, if it is ones where a bit is set and zeros elsewhere.
	X      []float32
	Spikes []uint64
	GY     []float32 // [slices][OutH][OutW][OutC]
	Slices int
}

// Backward computes the gradients that b asks for.
func (c *Conv) Backward(sc *Scratch, b *Gradients) {
	c.check(b)
	switch {
	case b.GW == nil:
	case b.X == nil && c.fewGradients(b.Spikes, b.Slices):
		c.listedWeights(sc, b)
	default:
		c.weights(sc, b)
	}
	if b.GX != nil {
		c.pack(c.backward.form(filteredBackward, directBackward))
		c.backward.run(c.kernels, sc, b.GX, b.GY, b.Slices)
	}
}

// BackwardInput is Backward to gx alone.
func (c *Conv) BackwardInput(sc *Scratch, gx, gy []float32, slices int) {
	c.Backward(sc, &Gradients{GX: gx, GY: gy, Slices: slices})
}

// BackwardWeights is Backward to gw alone.
func (c *Conv) BackwardWeights(sc *Scratch, gw, x, gy []float32, slices int) {
	c.Backward(sc, &Gradients{GW: gw, X: x, GY: gy, Slices: slices})
}

// check panics where lengths are not those that the shape asks for.
func (c *Conv) check(b *Gradients) {
	s := &c.shape
	c.want("output gradients", len(b.GY), b.Slices*s.OutSize())
	if b.GX != nil {
		c.want("input gradients", len(b.GX), b.Slices*s.InSize())
	}
	if b.GW == nil {
		return
	}
	c.want("weight gradients", len(b.GW), s.Weights())
	if b.X != nil {
		c.want("inputs", len(b.X), b.Slices*s.InSize())
		return
	}
	c.want("words of spikes", len(b.Spikes), b.Slices*base.SpikeWords(s.InSize()))
}

// weights adds the gradient by the weights.
func (c *Conv) weights(sc *Scratch, b *Gradients) {
	w := c.weightSums(sc)
	in, out, words := c.shape.InSize(), c.shape.OutSize(), base.SpikeWords(c.shape.InSize())
	for s := range b.Slices {
		var x []float32
		if b.X != nil {
			x = b.X[s*in : (s+1)*in]
		} else {
			x = sc.expand(b.Spikes[s*words:(s+1)*words], in)
		}
		w.add(x, b.GY[s*out:(s+1)*out])
	}
	w.finish(b.GW)
}

// listedWeights adds it by sums of listed spikes.
func (c *Conv) listedWeights(sc *Scratch, b *Gradients) {
	out, words := c.shape.OutSize(), base.SpikeWords(c.shape.InSize())
	c.clearSpikeSums(sc)
	for s := range b.Slices {
		c.addSpikes(sc, b.Spikes[s*words:(s+1)*words], b.GY[s*out:(s+1)*out])
	}
	c.finishSpikes(sc, b.GW)
}

// want panics when a slice has not the length that its shape asks for.
func (c *Conv) want(what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("kernel: training convolution with %d %s, want %d", got, what, want))
	}
}

// expand gives the n spikes of a slice as numbers.
func (sc *Scratch) expand(spikes []uint64, n int) []float32 {
	sc.expanded = machine.GrowAligned(sc.expanded, n)
	base.ExpandSpikes(sc.expanded, spikes, 1)
	return sc.expanded
}

// fewSpikes tells whether sums of spikes are the fastest way forwards. Work is counted
// in vectors.
func (c *Conv) fewSpikes(spikes []uint64, slices int) bool {
	if c.sparse == nil {
		return false
	}
	s := c.shape
	pixels := slices * s.OutH * s.OutW
	// A run costs as much as 20 vectors, to list and join spikes as much as 60.
	sparse := base.CountSpikes(spikes)*s.taps()*machine.CeilDiv(s.OutC, vectorLanes) +
		pixels*(60+20*s.KernelH*len(c.sparse.blocks))
	return sparse*100 < c.kernels.sumBelow*pixels*c.forward.work
}
