package kernel

import (
	"fmt"
	"math/bits"
)

// A ConvShape is the geometry of a two-dimensional convolution, in the terms of
// ONNX Conv. Channels are totals over all groups, pads are rows and columns of
// zeros round the input.
type ConvShape struct {
	InC, OutC, Groups    int
	KH, KW               int
	StrideH, StrideW     int
	DilationH, DilationW int
	PadTop, PadLeft      int
	PadBottom, PadRight  int
}

// A ConvTransposeShape is the geometry of ONNX ConvTranspose. Pads are cut from
// the output, and OutPad rows and columns are added at its bottom and right.
type ConvTransposeShape struct {
	ConvShape
	OutPadH, OutPadW int
}

const (
	// channelLimit and windowLimit bound the numbers of channels and those of the
	// kernel window, so that products of two stay far inside an int.
	channelLimit = 1 << 24
	windowLimit  = 1 << 15
	// phaseLimit bounds the strides of a transposed convolution, whose product is
	// the number of its phases.
	phaseLimit = 64
)

// Validate reports the first number of the shape that no convolution can have.
func (s ConvShape) Validate() error {
	for _, d := range []struct {
		name        string
		value       int
		least, most int
	}{
		{"number of input channels", s.InC, 1, channelLimit},
		{"number of output channels", s.OutC, 1, channelLimit},
		{"number of groups", s.Groups, 1, channelLimit},
		{"kernel height", s.KH, 1, windowLimit},
		{"kernel width", s.KW, 1, windowLimit},
		{"vertical stride", s.StrideH, 1, windowLimit},
		{"horizontal stride", s.StrideW, 1, windowLimit},
		{"vertical dilation", s.DilationH, 1, windowLimit},
		{"horizontal dilation", s.DilationW, 1, windowLimit},
		{"top pad", s.PadTop, 0, windowLimit},
		{"left pad", s.PadLeft, 0, windowLimit},
		{"bottom pad", s.PadBottom, 0, windowLimit},
		{"right pad", s.PadRight, 0, windowLimit},
	} {
		if d.value < d.least || d.value > d.most {
			return fmt.Errorf("convolution has %s %d, want %d to %d",
				d.name, d.value, d.least, d.most)
		}
	}
	if s.InC%s.Groups != 0 || s.OutC%s.Groups != 0 {
		return fmt.Errorf(
			"convolution has %d input and %d output channels, want multiples of its %d groups",
			s.InC, s.OutC, s.Groups)
	}
	return nil
}

// OutSize returns the height and width of the output for an input of h x w.
// Both are 0 when the kernel does not fit in the padded input.
func (s ConvShape) OutSize(h, w int) (oh, ow int) {
	oh = outLength(h+s.PadTop+s.PadBottom, s.KH, s.DilationH, s.StrideH)
	ow = outLength(w+s.PadLeft+s.PadRight, s.KW, s.DilationW, s.StrideW)
	if oh <= 0 || ow <= 0 {
		return 0, 0
	}
	return oh, ow
}

// outLength counts the positions of a dilated kernel along one padded axis.
func outLength(padded, kernel, dilation, stride int) int {
	room := padded - dilation*(kernel-1) - 1
	if room < 0 {
		return 0
	}
	return room/stride + 1
}

// Validate reports the first number of the shape that no transposed convolution
// can have.
func (s ConvTransposeShape) Validate() error {
	if err := s.ConvShape.Validate(); err != nil {
		return fmt.Errorf("transposed %w", err)
	}
	if s.StrideH > phaseLimit || s.StrideW > phaseLimit {
		return fmt.Errorf("transposed convolution has strides %d x %d, want at most %d",
			s.StrideH, s.StrideW, phaseLimit)
	}
	if limit := max(s.StrideH, s.DilationH); s.OutPadH < 0 || s.OutPadH >= limit {
		return fmt.Errorf("transposed convolution has a vertical output padding of %d, want 0 to %d",
			s.OutPadH, limit-1)
	}
	if limit := max(s.StrideW, s.DilationW); s.OutPadW < 0 || s.OutPadW >= limit {
		return fmt.Errorf("transposed convolution has a horizontal output padding of %d, want 0 to %d",
			s.OutPadW, limit-1)
	}
	return nil
}

// OutSize returns the height and width of the output for an input of h x w.
// Both are 0 when the pads leave nothing.
func (s ConvTransposeShape) OutSize(h, w int) (oh, ow int) {
	oh = (h-1)*s.StrideH + s.DilationH*(s.KH-1) + 1 + s.OutPadH - s.PadTop - s.PadBottom
	ow = (w-1)*s.StrideW + s.DilationW*(s.KW-1) + 1 + s.OutPadW - s.PadLeft - s.PadRight
	if h <= 0 || w <= 0 || oh <= 0 || ow <= 0 {
		return 0, 0
	}
	return oh, ow
}

// Weights is the number of weights of a convolution, transposed or not.
func (s ConvShape) Weights() int { return s.OutC * (s.InC / s.Groups) * s.KH * s.KW }

// WeightAt gives the weight between two channels, of all groups, at a place in the kernel
// window: 0 between groups. weight is [OutC][InC/Groups][KH][KW].
func (s ConvShape) WeightAt(weight []int16) func(out, in, tap int) int16 {
	area, inC, outC := s.KH*s.KW, s.InC/s.Groups, s.OutC/s.Groups
	return func(out, in, tap int) int16 {
		if in/inC != out/outC {
			return 0
		}
		return weight[(out*inC+in%inC)*area+tap]
	}
}

// WeightAt is that of a convolution, for weight [InC][OutC/Groups][KH][KW].
func (s ConvTransposeShape) WeightAt(weight []int16) func(out, in, tap int) int16 {
	area, inC, outC := s.KH*s.KW, s.InC/s.Groups, s.OutC/s.Groups
	return func(out, in, tap int) int16 {
		if in/inC != out/outC {
			return 0
		}
		return weight[(in*outC+out%outC)*area+tap]
	}
}

// checkParameters reports weights or biases whose number does not fit the shape.
func (s ConvShape) checkParameters(weight, bias []float32) error {
	want, fits := product(s.InC, s.OutC/s.Groups, s.KH, s.KW)
	if !fits || len(weight) != want {
		return fmt.Errorf("convolution has %d weights, want %d x %d / %d groups x %d x %d",
			len(weight), s.InC, s.OutC, s.Groups, s.KH, s.KW)
	}
	if bias != nil && len(bias) != s.OutC {
		return fmt.Errorf("convolution has %d biases, want none or %d, one for each output channel",
			len(bias), s.OutC)
	}
	return nil
}

// product multiplies positive numbers and tells whether the result is an int.
func product(factors ...int) (int, bool) {
	p := uint(1)
	for _, f := range factors {
		high, low := bits.Mul(p, uint(f))
		if high != 0 || int(low) < 0 {
			return 0, false
		}
		p = low
	}
	return int(p), true
}
