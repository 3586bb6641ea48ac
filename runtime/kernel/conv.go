package kernel

import (
	"fmt"

	"spikingir/runtime/kernel/machine"
)

// A Conv is a convolution with its weights packed for the kernels. It is
// immutable and may be used from several goroutines, each with its own Pool.
type Conv struct {
	shape   ConvShape
	stencil *stencil
}

// PackConv packs a convolution. weight is [OutC][InC/Groups][KH][KW], bias is nil
// or [OutC]; both are copied.
func PackConv(s ConvShape, weight, bias []float32) (*Conv, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := s.checkParameters(weight, bias); err != nil {
		return nil, err
	}
	area := s.KH * s.KW
	inC := s.InC / s.Groups
	return &Conv{s, newStencil(s, s.Geometry(), bias, func(out, in, tap int) float32 {
		return weight[(out*inC+in)*area+tap]
	})}, nil
}

// Shape returns the geometry that c was packed with.
func (c *Conv) Shape() ConvShape { return c.shape }

// Run convolves src, [InC][h][w], into dst, [OutC][oh][ow] with the size that
// OutSize gives. The package comment states the order of operations. dst and src
// must not overlap; slices that are too short are a programmer's error and
// panic. Scratch memory stays with the pool, and its size is bounded by a strip
// of the image.
func (c *Conv) Run(p *machine.Pool, dst, src []float32, h, w int) {
	c.RunTail(p, dst, src, h, w, Tail{})
}

// A Tail is what a convolution does to each output before it leaves the caches.
type Tail struct {
	// Bias, one number for each output channel, takes the place of the bias that
	// was packed; nil keeps that.
	Bias []float32
	// Finish changes outputs of one channel in place; nil does nothing. It is called
	// on several goroutines, with runs of any length, and must treat each element on
	// its own: runs may hold numbers besides the outputs, which are dropped.
	Finish func(channel int, y []float32)
	// Direct, when not nil, is what Finish does: kernels that can do it themselves
	// before they store an output leave Finish out.
	Direct *Direct
	// Stop, where it is set, is asked before each strip, on several goroutines: from its first
	// error on the outputs that are left are not computed. Who set it knows that it did.
	Stop func() error
}

// stopped reports whether Stop ends the convolution.
func (t Tail) stopped() bool { return t.Stop != nil && t.Stop() != nil }

// Direct is y = relu((y + Offset)*Scale + Shift), every operation rounded to float32.
// The lists have one number for each output channel, or are all nil for none of
// these operations; Relu tells whether there is one.
type Direct struct {
	Offset, Scale, Shift []float32
	Relu                 bool
}

// RunTail is Run with a tail: the outputs are what Tail.Finish makes of those of
// Run.
func (c *Conv) RunTail(p *machine.Pool, dst, src []float32, h, w int, tail Tail) {
	tail.check(c.shape)
	oh, ow := c.shape.OutSize(h, w)
	c.stencil.run(p, plane{dst, c.shape.OutC, oh, ow}, plane{src, c.shape.InC, h, w}, tail)
}

// check panics when lists of the tail are too short.
func (t Tail) check(s ConvShape) {
	if t.Bias != nil && len(t.Bias) != s.OutC {
		panic(fmt.Sprintf("kernel: %d biases, want %d", len(t.Bias), s.OutC))
	}
	if d := t.Direct; d != nil && d.Scale != nil && min(len(d.Offset), len(d.Scale), len(d.Shift)) < s.OutC {
		panic(fmt.Sprintf("kernel: scales of %d channels, want %d", len(d.Scale), s.OutC))
	}
}

// A ConvTranspose is a transposed convolution with its weights packed for the
// kernels. It is immutable, like a Conv.
type ConvTranspose struct {
	shape   ConvTransposeShape
	stencil *stencil
}

// PackConvTranspose packs a transposed convolution. weight is
// [InC][OutC/Groups][KH][KW], bias is nil or [OutC]; both are copied.
func PackConvTranspose(s ConvTransposeShape, weight, bias []float32) (*ConvTranspose, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	if err := s.checkParameters(weight, bias); err != nil {
		return nil, err
	}
	area := s.KH * s.KW
	inC, outC := s.InC/s.Groups, s.OutC/s.Groups
	return &ConvTranspose{s, newStencil(s.ConvShape, s.Geometry(), bias, func(out, in, tap int) float32 {
		group, o := out/outC, out%outC
		return weight[((group*inC+in)*outC+o)*area+tap]
	})}, nil
}

// Shape returns the geometry that c was packed with.
func (c *ConvTranspose) Shape() ConvTransposeShape { return c.shape }

// Run computes dst, [OutC][oh][ow] with the size that OutSize gives, from src,
// [InC][h][w]. An output is the chain of the package comment over those kernel
// rows and columns, in rising order, that meet the output at all for some input,
// be it inside or beyond the border; a tap beyond takes part as fma(w, 0, acc).
// The rules of Conv.Run hold.
func (c *ConvTranspose) Run(p *machine.Pool, dst, src []float32, h, w int) {
	c.RunUntil(nil, p, dst, src, h, w)
}

// RunUntil is Run with a stop, which may be nil: see [Tail].
func (c *ConvTranspose) RunUntil(stop func() error, p *machine.Pool, dst, src []float32, h, w int) {
	oh, ow := c.shape.OutSize(h, w)
	c.stencil.run(p, plane{dst, c.shape.OutC, oh, ow}, plane{src, c.shape.InC, h, w}, Tail{Stop: stop})
}
