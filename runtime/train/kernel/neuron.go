package kernel

import (
	"fmt"
	"math"

	base "spikingir/runtime/kernel"
)

// spikeBits is the neurons in a word of spikes.
const spikeBits = 64

// NeuronParams is what integrate-and-fire neurons are made of, channel by channel:
// Theta holds a threshold for each channel, the others as many or nothing.
type NeuronParams struct {
	Theta []float32 // thresholds; +Inf never fires
	Bias  []float32 // current of every main step; nil: none
	Alpha []float32 // firing level of the post step in thresholds; nil: 1, an IF
	V0    []float32 // v(0), in units of the current; nil: 0
}

// NeuronSteps is the extent of a run of neurons.
type NeuronSteps struct {
	Size int  // elements of a slice, H*W*C
	Main int  // steps 1..T
	Post bool // a step T+1 follows, without bias, with its own firing level
	// Steady says that the current of all main steps is one slice, [Size], and that
	// of the post step 0, as of the first layer (direct encoding).
	Steady bool
}

// Slices is the number of steps, the post step included.
func (s NeuronSteps) Slices() int {
	if s.Post {
		return s.Main + 1
	}
	return s.Main
}

// Neuron is a population of integrate-and-fire neurons, IF or MPRN, as
// backpropagation through time needs it (SpikingIR, AAAI 2026, Eq. 1-3 and 13-16).
// A slice is Size = H*W*C elements, the channels of a pixel beside each other.
// Forward follows, with every operation rounded to float32 as [IFStep] does it,
//
//	v(0) = V0
//	u(t) = v(t-1) + (current(t) + bias)        without bias at the post step
//	s(t) = u(t) >= theta                       >= alpha*theta at the post step
//	v(t) = u(t) - theta*s(t)
//
// and emits theta*s(t). Backward replaces the derivative of the step function by a
// [Surrogate] of x = u/theta - 1, or u/theta - alpha.
//
// A threshold outside 2^-64..2^64, an infinite one above all, gets gradient 0 and
// passes none but through the membrane, so that gradients are finite whatever
// calibration found. Several goroutines may use one Neuron, as long as none
// calls Set.
type Neuron struct {
	Surrogate Surrogate
	// Slope is k of the surrogate; positive.
	Slope float32
	// DetachReset keeps the gradient from flowing through the spike of the reset
	// (its threshold gets one all the same).
	DetachReset bool

	channels int
	// The rest has the length of the period.
	theta, bias, v0, fire []float32
	// inverse is 1/theta and gain theta, both 0 where the threshold takes no part in
	// learning; center is the potential in thresholds at which a main step fires, or
	// outOfReach; shift is v(0) in thresholds.
	inverse, gain, center, shift []float32
	// postCenter and postShift are those with a post step: alpha, and the shift that
	// its lower level is worth.
	postCenter, postShift []float32
	// level and postLevel are the firing levels that Backward asks, +Inf where the
	// threshold takes no part in learning.
	level, postLevel []float32
	none             []float32 // zeros
}

const (
	// lowTheta and highTheta bound the thresholds that take part in learning.
	lowTheta, highTheta = 0x1p-64, 0x1p64
	// outOfReach is a centre from which every surrogate is 0.
	outOfReach = 0x1p60
)

// NewNeuron makes a population with the sigmoid surrogate of slope 4 and an
// attached reset.
func NewNeuron(p NeuronParams) *Neuron {
	n := &Neuron{Surrogate: SigmoidSurrogate, Slope: 4, channels: len(p.Theta)}
	period := Period(n.channels)
	for _, v := range append(n.parameters(), &n.none) {
		*v = make([]float32, period)
	}
	n.Set(p)
	return n
}

// Set changes the parameters; their number stays.
func (n *Neuron) Set(p NeuronParams) {
	if len(p.Theta) != n.channels {
		panic(fmt.Sprintf("kernel: %d thresholds, want %d", len(p.Theta), n.channels))
	}
	for _, v := range [][]float32{p.Bias, p.Alpha, p.V0} {
		if v != nil && len(v) != n.channels {
			panic(fmt.Sprintf("kernel: neurons of %d channels with %d parameters", n.channels, len(v)))
		}
	}
	for c, theta := range p.Theta {
		n.setChannel(c, theta, valueOr(p.Bias, c, 0), valueOr(p.Alpha, c, 1), valueOr(p.V0, c, 0))
	}
	for _, v := range n.parameters() {
		Repeat(*v, (*v)[:n.channels])
	}
}

func (n *Neuron) setChannel(c int, theta, bias, alpha, v0 float32) {
	n.theta[c], n.bias[c], n.v0[c], n.fire[c] = theta, bias, v0, theta*alpha
	if theta >= lowTheta && theta <= highTheta {
		n.inverse[c], n.gain[c], n.center[c], n.postCenter[c] = 1/theta, theta, 1, alpha
		n.level[c], n.postLevel[c] = theta, theta*alpha
		n.shift[c] = v0 / theta
		n.postShift[c] = n.shift[c] + (1 - alpha)
		return
	}
	never := float32(math.Inf(1))
	n.inverse[c], n.gain[c], n.center[c], n.postCenter[c] = 0, 0, outOfReach, outOfReach
	n.level[c], n.postLevel[c] = never, never
	n.shift[c], n.postShift[c] = 0, 0
}

// parameters are the vectors that Set fills.
func (n *Neuron) parameters() []*[]float32 {
	return []*[]float32{
		&n.theta, &n.bias, &n.v0, &n.fire, &n.inverse, &n.gain, &n.center, &n.shift,
		&n.postCenter, &n.postShift, &n.level, &n.postLevel,
	}
}

// valueOr is a channel's value, or another one where there is none for any channel.
func valueOr(values []float32, c int, otherwise float32) float32 {
	if values == nil {
		return otherwise
	}
	return values[c]
}

// Period is the length of the parameters and sums that repeat along a slice,
// [Period] of the channels.
func (n *Neuron) Period() int { return len(n.theta) }

// Period is the length after which the parameters of c channels, written one
// after the other, repeat at a word of spikes: the least common multiple of c and
// 64.
func Period(c int) int {
	if c <= 0 {
		panic(fmt.Sprintf("kernel: period of %d channels", c))
	}
	a, b := c, spikeBits
	for b != 0 {
		a, b = b, a%b
	}
	return c / a * spikeBits
}

// Repeat fills dst with values, one a channel, over and over. The values may be the
// beginning of dst.
func Repeat(dst, perChannel []float32) {
	if len(perChannel) == 0 || len(dst)%len(perChannel) != 0 {
		panic(fmt.Sprintf("kernel: Repeat of %d values in %d", len(perChannel), len(dst)))
	}
	for at := 0; at < len(dst); at += len(perChannel) {
		copy(dst[at:], perChannel)
	}
}

// FoldSums adds to each channel its sums in a period, in float64 and in order,
// rounded once.
func FoldSums(perChannel, periodSums []float32) {
	if len(perChannel) == 0 || len(periodSums)%len(perChannel) != 0 {
		panic(fmt.Sprintf("kernel: FoldSums of %d sums for %d channels", len(periodSums), len(perChannel)))
	}
	for c := range perChannel {
		sum := float64(perChannel[c])
		for at := c; at < len(periodSums); at += len(perChannel) {
			sum += float64(periodSums[at])
		}
		perChannel[c] = float32(sum)
	}
}

// NeuronTrace is what Forward writes.
type NeuronTrace struct {
	// Spikes are the bits of each slice, [slices][base.SpikeWords(Size)]: bit i%64 of word
	// i/64 is element i, the bits past the last one are cleared.
	Spikes []uint64
	// Potential is u(t), [slices][Size], the membrane potential before a spike, which
	// Backward wants; it may be the current (unless that is steady).
	Potential []float32
	Amplitude []float32 // theta*s(t), [slices][Size]; nil: not wanted
	Counts    []float32 // the sum of all s(t), [Size]; nil: not wanted
	Residual  []float32 // v after the last step, [Size]; nil: not wanted
}

// Forward runs neurons from V0 through all steps. The current has a slice for
// each, [slices][Size], or is one slice of a steady one.
func (n *Neuron) Forward(out NeuronTrace, current []float32, steps NeuronSteps) {
	steps.check("Forward", n.channels)
	slices, size, words := steps.Slices(), steps.Size, base.SpikeWords(steps.Size)
	wantLength("Forward", "potentials", len(out.Potential), slices*size)
	wantLength("Forward", "words of spikes", len(out.Spikes), slices*words)
	wantOptional("Forward", "amplitudes", out.Amplitude, slices*size)
	wantOptional("Forward", "counts", out.Counts, size)
	wantOptional("Forward", "residual potentials", out.Residual, size)
	a := neuronForward{
		theta: n.theta, bias: n.bias, v0: n.v0, fire: n.fire, none: n.none,
		current: current, currentStep: size,
		u: out.Potential, spikes: out.Spikes, amplitude: out.Amplitude, counts: out.Counts,
		residual: out.Residual, size: size, words: words, main: steps.Main, slices: slices,
	}
	if steps.Steady {
		wantLength("Forward", "steady currents", len(current), size)
		a.currentStep, a.post = 0, noFloats[:]
	} else {
		wantLength("Forward", "currents", len(current), slices*size)
		a.post, a.postMove = current[steps.Main*size:], 1
	}
	if size == 0 {
		return
	}
	whole := size &^ (spikeBits - 1)
	neuronFamily.Kernels.forward(&a, whole)
	neuronForwardGeneric(&a, whole, size)
}

func (s NeuronSteps) check(name string, channels int) {
	if s.Size < 0 || s.Size%channels != 0 || s.Main < 1 {
		panic(fmt.Sprintf("kernel: %s of %d elements of %d channels in %d steps",
			name, s.Size, channels, s.Main))
	}
}

// wantLength panics when an operand has not the length that a run asks for.
func wantLength(name, what string, got, want int) {
	if got != want {
		panic(fmt.Sprintf("kernel: %s with %d %s, want %d", name, got, what, want))
	}
}

// wantOptional is wantLength of an operand that may be missing.
func wantOptional(name, what string, x []float32, want int) {
	if x != nil {
		wantLength(name, what, len(x), want)
	}
}

// A Surrogate is what stands for the derivative of the step function at
// x = u/theta - a, a = 1 or alpha; k is the slope. Its integral is 1. What is below
// 1e-12 counts as 0.
type Surrogate int

const (
	// SigmoidSurrogate is k*sig(k*x)*(1 - sig(k*x)).
	SigmoidSurrogate Surrogate = iota
	// TriangleSurrogate is k*max(0, 1 - k*|x|): 1/k is half its width.
	TriangleSurrogate
	// ArctanSurrogate is k/2 / (1 + (pi/2*k*x)^2).
	ArctanSurrogate
)

// constants are the factor of x and that of the surrogate's height in the kernels.
func (s Surrogate) constants(slope float32) (scale, height float32) {
	k := float64(slope)
	switch s {
	case SigmoidSurrogate:
		return float32(k * math.Log2E), slope
	case TriangleSurrogate:
		return slope, slope
	case ArctanSurrogate:
		return float32(k * math.Pi / 2), slope / 2
	}
	panic(fmt.Sprintf("kernel: surrogate %d", s))
}
