package op

import "spikingir/graph"

// Steps is the time axis of a spiking operator: main timesteps, then post
// slices. Timesteps 0 is the untimed form: tensors without time, rates in place
// of spikes.
type Steps struct{ Timesteps, Post int64 }

// MaxTimesteps bounds T. What lies between a network's input and output grows with it, and
// agreement with the ANN ends far below.
const MaxTimesteps = 1 << 16

// Slices is the number of slices in a time-major tensor; 1 in the untimed form.
func (s Steps) Slices() int64 {
	if s.Timesteps == 0 {
		return 1
	}
	return s.Timesteps + s.Post
}

func (r *reader) steps() Steps {
	s := Steps{Timesteps: r.int("timesteps", 0), Post: r.int("post", 0)}
	if s.Timesteps < 0 || s.Timesteps > MaxTimesteps {
		r.failf("attribute %q is %d, want 0 to %d", "timesteps", s.Timesteps, MaxTimesteps)
	}
	if s.Post != 0 && s.Post != 1 {
		r.failf("attribute %q is %d, want 0 or 1", "post", s.Post)
	}
	return s
}

// Encode repeats X [N, ...] at the main timesteps: [Slices*N, ...].
type Encode struct {
	Steps
	X *graph.Value
}

// EncodeOf decodes an Encode.
func EncodeOf(n *graph.Node) (Encode, error) {
	r := read(n)
	e := Encode{Steps: r.steps(), X: r.input(0, "x")}
	return e, r.err
}

// Decode is the rate readout of X [Slices*N, ...]: the sum over all slices,
// divided by the main timesteps.
type Decode struct {
	Steps
	X *graph.Value
}

// DecodeOf decodes a Decode.
func DecodeOf(n *graph.Node) (Decode, error) {
	r := read(n)
	d := Decode{Steps: r.steps(), X: r.input(0, "y")}
	return d, r.err
}

// Bias adds B, which broadcasts to one slice, at the main timesteps only.
type Bias struct {
	Steps
	X, B *graph.Value
}

// BiasOf decodes a Bias.
func BiasOf(n *graph.Node) (Bias, error) {
	r := read(n)
	b := Bias{Steps: r.steps(), X: r.input(0, "x"), B: r.input(1, "b")}
	return b, r.err
}

// Neuron is an IF, or an MPRN when Alpha is set, of either schedule, or a neuron of another Grade.
// Bias (nil: none), Theta and
// Alpha broadcast to one slice. V0 is the initial membrane potential in units
// of Theta. The second output, the residual potential, may be omitted.
type Neuron struct {
	Steps
	Schedule              Schedule
	Grade                 Grade
	V0                    float32
	X, Bias, Theta, Alpha *graph.Value
	Y, VRes               *graph.Value
}

// The inputs and outputs of an IF and MPRN by place, for passes that move them; what
// only reads a neuron takes [NeuronOf].
const (
	NeuronX = iota
	NeuronBias
	NeuronTheta
	NeuronAlpha // of an MPRN

	NeuronY    = 0
	NeuronVRes = 1
)

// IsNeuron reports whether n is a spiking neuron.
func IsNeuron(n *graph.Node) bool {
	return n.IsSpiking("IF") || n.IsSpiking("TwoPhaseIF") || IsMPRN(n) || IsGraded(n)
}

// IsMPRN reports whether n is an MPRN of either schedule.
func IsMPRN(n *graph.Node) bool { return n.IsSpiking("MPRN") || n.IsSpiking("TwoPhaseMPRN") }

// NeuronOf decodes a neuron.
func NeuronOf(n *graph.Node) (Neuron, error) {
	r := read(n)
	s := Neuron{
		Steps: r.steps(), Schedule: ScheduleOf(n), Grade: r.grade(n), V0: r.float("v0", 0),
		X: r.input(NeuronX, "x"), Bias: n.Input(NeuronBias), Theta: r.input(NeuronTheta, "theta"),
		Y: n.Output(NeuronY), VRes: n.Output(NeuronVRes),
	}
	if s.Schedule == TwoPhase && s.Timesteps == 0 {
		r.failf("attribute %q is 0, want 1 or more: a neuron without time has no schedule", "timesteps")
	}
	if IsMPRN(n) {
		s.Alpha = r.input(NeuronAlpha, "alpha")
		if s.Timesteps > 0 && s.Post == 0 {
			r.failf("attribute %q is 0, want 1: the neuron restores at the post step", "post")
		}
	}
	return s, r.err
}

// CPM is the Convolutional Pixel Mapper behind the output neuron: Conv of the
// spike count plus the residual potential VRes, both divided by the main timesteps. The
// convolution has group 1, stride 1 and keeps height and width.
type CPM struct {
	Steps
	Window
	Y, VRes, W, B *graph.Value
}

// CPMOf decodes a CPM.
func CPMOf(n *graph.Node) (CPM, error) {
	r := read(n)
	c := CPM{Steps: r.steps(), Y: r.input(0, "y"), VRes: r.input(1, "vres"),
		W: r.input(2, "W"), B: n.Input(3)}
	c.Window = r.window(kernelOf(c.W))
	if g := r.int("group", 1); g != 1 {
		r.failf("attribute %q is %d, want 1", "group", g)
	}
	if r.err != nil {
		return c, r.err
	}
	for i := range c.Kernel {
		if c.Stride[i] != 1 {
			r.failf("attribute %q is %v, want 1 on each axis", "strides", c.Stride)
		}
		pads := c.Pads[i] + c.Pads[len(c.Kernel)+i]
		same := c.AutoPad == SameUpper || c.AutoPad == SameLower
		if !same && pads != c.Extent(i)-1 {
			r.failf("attribute %q is %v, want pads that keep the size for kernel %v (axis %d: %d)",
				"pads", c.Pads, c.Kernel, i, c.Extent(i)-1)
		}
	}
	return c, r.err
}
