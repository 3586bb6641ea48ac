package kernel

import "fmt"

// A TrainConv is a convolution for backpropagation through time: the product, its
// two gradients, and the two of the four products whose one factor may be spikes.
//
// Slices are images [H][W][C] of float32, channels last and without gaps; x of S
// slices is [S][InH][InW][InC]. Spikes of a slice are bits over the same elements,
// bit i%64 of word i/64 is element i; each slice begins with a word of its own,
// SpikeWords(InH*InW*InC) words a slice. Bits past the last element are ignored.
//
// A TrainConv may be used by several goroutines, each with its own [TrainScratch],
// while nobody calls SetWeights. Calls allocate nothing once a scratch has seen the
// largest shape.
//
// Unlike the executor's kernels these do not fix the order of their sums: another
// implementation ([Implementations], family "train") may round differently. Sums are
// as exact as float32 sums of their terms are in any order, with one exception: 3 x 3
// products and gradients between 32 channels or more on either side use Winograd's
// minimal filtering, whose error is some 4 times as large (2e-6 of the result, root
// mean square, with 64 channels of normal numbers), and relative to the largest terms
// within 4 pixels. ForwardSpikes never uses it. One implementation gives the same bits
// for the same arguments: the choice between sparse and dense sums of spikes depends
// on their number only.
//
// The vector kernels flush subnormal numbers to zero, operands and results, as
// gradients have long tails of them that slow every product down.
type TrainConv struct {
	shape    TrainShape
	forward  trainPlan
	backward trainPlan
	sparse   *sparsePlan // nil in groups
	dots     *dotPlan    // nil where products are faster
	work     int         // vectors for an output pixel of the gradient of the weights
	kernels  *trainKernels
}

// A TrainScratch is the memory that one goroutine computes in. The zero value is
// ready; it may serve convolutions of any shapes, one call at a time.
type TrainScratch struct {
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
	joins    joinArgs
	run      runArgs
	gradient spikeGradientArgs

	// Of minimal filtering.
	inputs, outputs []float32 // transformed tiles
	strip           []float32 // tiles that the border cuts
	positions       []float32 // transformed sums
	transform       winogradArgs
	vectors         []float32 // of the transform
}

// NewTrainConv returns a convolution whose weights are all 0.
func NewTrainConv(s TrainShape) (*TrainConv, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	c := &TrainConv{
		shape: s, forward: forwardPlan(s), backward: backwardPlan(s), sparse: newSparsePlan(s),
		kernels: &trains.kernels,
	}
	c.chooseWeightSums()
	return c, nil
}

// Shape is the geometry that the convolution was made for.
func (c *TrainConv) Shape() TrainShape { return c.shape }

// SetWeights packs weights w, [OutC][InC/Group][KernelH][KernelW], each multiplied
// by scale[i] of its input channel i of InC; scale nil stands for ones. The scale
// holds the amplitude of spikes that are given as bits.
func (c *TrainConv) SetWeights(w, scale []float32) {
	s := c.shape
	c.want("weights", len(w), s.Weights())
	if scale != nil {
		c.want("scales", len(scale), s.InC)
	}
	inC, outC, taps := s.InC/s.Group, s.OutC/s.Group, s.taps()
	for o := range s.OutC {
		g := o / outC
		for i := range inC {
			factor := float32(1)
			if scale != nil {
				factor = scale[g*inC+i]
			}
			from := w[(o*inC+i)*taps:][:taps]
			for t, v := range from {
				v *= factor
				c.forward.setWeight(g, t, i, o%outC, v)
				if c.sparse != nil {
					c.sparse.setWeight(t, i, o, inC, v)
				}
				c.backward.setWeight(g, t, o%outC, i, v)
			}
			if c.forward.fast != nil {
				c.forward.fast.setWeights(i, o, from, factor, false)
			}
			if c.backward.fast != nil {
				c.backward.fast.setWeights(o, i, from, factor, true)
			}
		}
	}
}

// Forward sets y, [slices][OutH][OutW][OutC], to the convolution of x,
// [slices][InH][InW][InC], with the packed weights, without bias.
func (c *TrainConv) Forward(sc *TrainScratch, y, x []float32, slices int) {
	c.want("inputs", len(x), slices*c.shape.InSize())
	c.want("outputs", len(y), slices*c.shape.OutSize())
	c.forward.run(c.kernels, sc, y, x, slices)
}

// ForwardSpikes is Forward of an input of ones where a bit of spikes is set and
// zeros elsewhere.
func (c *TrainConv) ForwardSpikes(sc *TrainScratch, y []float32, spikes []uint64, slices int) {
	words := SpikeWords(c.shape.InSize())
	c.want("words of spikes", len(spikes), slices*words)
	c.want("outputs", len(y), slices*c.shape.OutSize())
	out := c.shape.OutSize()
	sparse := c.fewSpikes(spikes, slices)
	for s := range slices {
		if sparse {
			c.sumSpikes(sc, y[s*out:(s+1)*out], spikes[s*words:(s+1)*words])
			continue
		}
		x := sc.expand(spikes[s*words:(s+1)*words], c.shape.InSize())
		c.forward.direct(c.kernels, sc, y[s*out:(s+1)*out], x, 1)
	}
}

// BackwardInput sets gx, [slices][InH][InW][InC], to the gradient by the input of a
// sum whose gradient by the output is gy, [slices][OutH][OutW][OutC]: the transposed
// convolution with the packed, scaled weights.
func (c *TrainConv) BackwardInput(sc *TrainScratch, gx, gy []float32, slices int) {
	c.want("input gradients", len(gx), slices*c.shape.InSize())
	c.want("output gradients", len(gy), slices*c.shape.OutSize())
	c.backward.run(c.kernels, sc, gx, gy, slices)
}

// BackwardWeights adds to gw, [OutC][InC/Group][KernelH][KernelW], the gradient by
// the weights, summed over all slices: that of x times w, no scale in it.
func (c *TrainConv) BackwardWeights(sc *TrainScratch, gw, x, gy []float32, slices int) {
	c.want("weight gradients", len(gw), c.shape.Weights())
	c.want("inputs", len(x), slices*c.shape.InSize())
	c.want("output gradients", len(gy), slices*c.shape.OutSize())
	w := c.weightSums(sc)
	for s := range slices {
		in, out := c.shape.InSize(), c.shape.OutSize()
		w.add(x[s*in:(s+1)*in], gy[s*out:(s+1)*out])
	}
	w.finish(gw)
}

// BackwardWeightsSpikes is BackwardWeights of an input of ones where a bit of spikes
// is set and zeros elsewhere.
func (c *TrainConv) BackwardWeightsSpikes(sc *TrainScratch, gw []float32, spikes []uint64, gy []float32, slices int) {
	words := SpikeWords(c.shape.InSize())
	c.want("weight gradients", len(gw), c.shape.Weights())
	c.want("words of spikes", len(spikes), slices*words)
	c.want("output gradients", len(gy), slices*c.shape.OutSize())
	out := c.shape.OutSize()
	if c.fewGradients(spikes, slices) {
		c.clearSpikeSums(sc)
		for s := range slices {
			c.addSpikes(sc, spikes[s*words:(s+1)*words], gy[s*out:(s+1)*out])
		}
		c.finishSpikes(sc, gw)
		return
	}
	w := c.weightSums(sc)
	for s := range slices {
		x := sc.expand(spikes[s*words:(s+1)*words], c.shape.InSize())
		w.add(x, gy[s*out:(s+1)*out])
	}
	w.finish(gw)
}

// want panics when a slice has not the length that its shape asks for.
func (c *TrainConv) want(what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("kernel: training convolution with %d %s, want %d", got, what, want))
	}
}

// expand gives the n spikes of a slice as numbers.
func (sc *TrainScratch) expand(spikes []uint64, n int) []float32 {
	sc.expanded = growAligned(sc.expanded, n)
	ExpandSpikes(sc.expanded, spikes, 1)
	return sc.expanded
}

// fewSpikes tells whether sums of spikes are the fastest way forwards. Work is counted
// in vectors.
func (c *TrainConv) fewSpikes(spikes []uint64, slices int) bool {
	if c.sparse == nil {
		return false
	}
	s := c.shape
	pixels := slices * s.OutH * s.OutW
	// A run costs as much as 20 vectors, to list and join spikes as much as 60.
	sparse := CountSpikes(spikes)*s.taps()*ceilDiv(s.OutC, trainLanes) +
		pixels*(60+20*s.KernelH*len(c.sparse.blocks))
	return sparse*100 < c.kernels.sumBelow*pixels*c.forward.work
}
