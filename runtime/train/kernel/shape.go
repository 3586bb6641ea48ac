package kernel

import (
	"fmt"

	base "spikingir/runtime/kernel"
)

// A Shape is the geometry of a two-dimensional convolution of one image size,
// forwards and backwards, in the terms of ONNX Conv. Channels are totals over all
// groups. PadT and PadL are rows and columns of zeros above and left of the input;
// those below and right follow from the output's size.
type Shape struct {
	InH, InW, InC        int
	OutH, OutW, OutC     int
	KernelH, KernelW     int
	StrideH, StrideW     int
	DilationH, DilationW int
	PadT, PadL           int
	Group                int
}

// sizeLimit bounds the elements of an image, of its padded copy and of the weights,
// so that offsets in bytes fit in 32 bits.
const sizeLimit = 1 << 28

// NewShape is the geometry that s has for inputs of h x w.
func NewShape(s base.ConvShape, h, w int) (Shape, error) {
	if err := s.Validate(); err != nil {
		return Shape{}, err
	}
	oh, ow := s.OutSize(h, w)
	if oh < 1 || ow < 1 {
		return Shape{}, fmt.Errorf("convolution of %d x %d with dilations %d x %d does not fit in an image of %d x %d with its pads",
			s.KH, s.KW, s.DilationH, s.DilationW, h, w)
	}
	t := Shape{
		InH: h, InW: w, InC: s.InC, OutH: oh, OutW: ow, OutC: s.OutC,
		KernelH: s.KH, KernelW: s.KW, StrideH: s.StrideH, StrideW: s.StrideW,
		DilationH: s.DilationH, DilationW: s.DilationW, PadT: s.PadTop, PadL: s.PadLeft, Group: s.Groups,
	}
	return t, t.Validate()
}

// Validate reports the first number of the shape that no convolution for training
// can have.
func (s Shape) Validate() error {
	c := base.ConvShape{
		InC: s.InC, OutC: s.OutC, Groups: s.Group, KH: s.KernelH, KW: s.KernelW,
		StrideH: s.StrideH, StrideW: s.StrideW, DilationH: s.DilationH, DilationW: s.DilationW,
		PadTop: s.PadT, PadLeft: s.PadL,
	}
	if err := c.Validate(); err != nil {
		return err
	}
	for _, d := range []struct {
		name  string
		value int
	}{
		{"input height", s.InH}, {"input width", s.InW}, {"output height", s.OutH}, {"output width", s.OutW},
	} {
		if d.value < 1 || d.value > sizeLimit {
			return fmt.Errorf("convolution has %s %d, want 1 to %d", d.name, d.value, sizeLimit)
		}
	}
	for _, d := range []struct {
		name    string
		factors []int
	}{
		{"input", []int{s.InH, s.InW, s.InC}},
		{"output", []int{s.OutH, s.OutW, s.OutC}},
		{"weight", []int{s.OutC, s.InC / s.Group, s.KernelH, s.KernelW}},
		{"padded input", []int{s.paddedH(), s.paddedW(), s.InC}},
		{"padded output gradient", []int{s.backPaddedH(), s.backPaddedW(), s.OutC}},
	} {
		n := 1
		for _, f := range d.factors {
			if f > sizeLimit/n {
				return fmt.Errorf("convolution has %s of %v elements, want at most %d", d.name, d.factors, sizeLimit)
			}
			n *= f
		}
	}
	return nil
}

// paddedH and paddedW are the size of the part of the padded input that outputs see.
func (s Shape) paddedH() int { return (s.OutH-1)*s.StrideH + (s.KernelH-1)*s.DilationH + 1 }
func (s Shape) paddedW() int { return (s.OutW-1)*s.StrideW + (s.KernelW-1)*s.DilationW + 1 }

// backPaddedH and backPaddedW are the size of what the input's gradient sees of the
// output's, with strides-1 zeros between the pixels and zeros all round.
func (s Shape) backPaddedH() int { return s.InH + (s.KernelH-1)*s.DilationH }
func (s Shape) backPaddedW() int { return s.InW + (s.KernelW-1)*s.DilationW }

// taps is the number of pixels under the kernel.
func (s Shape) taps() int { return s.KernelH * s.KernelW }

// Weights is the number of weights, [OutC][InC/Group][KernelH][KernelW].
func (s Shape) Weights() int { return s.OutC * (s.InC / s.Group) * s.taps() }

// InSize and OutSize are the elements of a slice of the input and of the output.
func (s Shape) InSize() int  { return s.InH * s.InW * s.InC }
func (s Shape) OutSize() int { return s.OutH * s.OutW * s.OutC }
