package spike

import "spikingir/runtime/kernel"

// A convCase is a convolution, or a transposed one, and the image it runs on.
type convCase struct {
	name       string
	s          kernel.ConvTransposeShape // the output padding is 0 unless transposed
	transposed bool
	h, w       int
}

// with returns a shape of InC -> OutC in groups, kh x kw, changed by options.
func with(in, out, groups, kh, kw int, options ...func(*kernel.ConvTransposeShape)) kernel.ConvTransposeShape {
	s := kernel.ConvTransposeShape{ConvShape: kernel.ConvShape{
		InC: in, OutC: out, Groups: groups, KH: kh, KW: kw,
		StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1,
	}}
	for _, o := range options {
		o(&s)
	}
	return s
}

func stride(h, w int) func(*kernel.ConvTransposeShape) {
	return func(s *kernel.ConvTransposeShape) { s.StrideH, s.StrideW = h, w }
}

func dilate(h, w int) func(*kernel.ConvTransposeShape) {
	return func(s *kernel.ConvTransposeShape) { s.DilationH, s.DilationW = h, w }
}

func pad(top, left, bottom, right int) func(*kernel.ConvTransposeShape) {
	return func(s *kernel.ConvTransposeShape) {
		s.PadTop, s.PadLeft, s.PadBottom, s.PadRight = top, left, bottom, right
	}
}

func outPad(h, w int) func(*kernel.ConvTransposeShape) {
	return func(s *kernel.ConvTransposeShape) { s.OutPadH, s.OutPadW = h, w }
}

// convCases are those of the convolutions of package kernel.
var convCases = []convCase{
	{name: "1x1 image, 1x1 kernel", s: with(1, 1, 1, 1, 1), h: 1, w: 1},
	{name: "1x1 image, 3x3 kernel", s: with(3, 5, 1, 3, 3, pad(1, 1, 1, 1)), h: 1, w: 1},
	{name: "kernel larger than image", s: with(2, 3, 1, 7, 5, pad(4, 3, 3, 4)), h: 2, w: 3},
	{name: "empty image, pads only", s: with(2, 2, 1, 2, 2, pad(2, 2, 2, 2)), h: 0, w: 0},
	{name: "3x3", s: with(5, 16, 1, 3, 3, pad(1, 1, 1, 1)), h: 9, w: 50},
	{name: "3x3 small", s: with(9, 13, 1, 3, 3, pad(1, 1, 1, 1)), h: 7, w: 5},
	{name: "3x3 wider than a strip", s: with(3, 9, 1, 3, 3, pad(1, 1, 1, 1)), h: 5, w: 401},
	{name: "3x3 without pads", s: with(2, 6, 1, 3, 3), h: 8, w: 67},
	{name: "pitch of a cut strip is the width", h: 6, w: 192,
		s: with(2, 2, 1, 3, 3, pad(0, 1, 0, 3))},
	{name: "1x1 kernel", s: with(7, 12, 1, 1, 1), h: 11, w: 33},
	{name: "1x1 kernel, pads", s: with(2, 3, 1, 1, 1, pad(1, 2, 0, 1)), h: 4, w: 9},
	{name: "5x5", s: with(6, 3, 1, 5, 5, pad(2, 2, 2, 2)), h: 12, w: 100},
	{name: "7x7", s: with(3, 2, 1, 7, 7, pad(3, 3, 3, 3)), h: 10, w: 97},
	{name: "9x9", s: with(2, 8, 1, 9, 9, pad(4, 4, 4, 4)), h: 6, w: 21},
	{name: "asymmetric pads", s: with(3, 4, 1, 3, 3, pad(0, 2, 3, 1)), h: 6, w: 20},
	{name: "pads beyond the kernel", s: with(2, 2, 1, 3, 3, pad(5, 6, 7, 8)), h: 3, w: 4},
	{name: "1x3 and 3x1", s: with(2, 3, 1, 1, 3, pad(0, 1, 0, 1)), h: 5, w: 18},
	{name: "stride 2", s: with(4, 8, 1, 3, 3, stride(2, 2), pad(1, 1, 1, 1)), h: 13, w: 70},
	{name: "stride 3 and 2", s: with(3, 5, 1, 4, 3, stride(3, 2), pad(1, 0, 2, 1)), h: 17, w: 31},
	{name: "stride beyond the kernel", s: with(2, 3, 1, 1, 2, stride(3, 5)), h: 10, w: 33},
	{name: "dilation 2", s: with(4, 6, 1, 3, 3, dilate(2, 2), pad(2, 2, 2, 2)), h: 9, w: 40},
	{name: "dilation 12", h: 9, w: 14,
		s: with(2, 3, 1, 3, 3, dilate(12, 12), pad(12, 12, 12, 12))},
	{name: "dilation beyond all reach", h: 9, w: 14,
		s: with(2, 9, 1, 3, 3, dilate(30000, 20000), stride(2, 1), pad(30000, 20000, 30000, 20000))},
	{name: "dilation of rows", h: 5, w: 300,
		s: with(3, 2, 1, 3, 3, dilate(100, 1), pad(100, 1, 100, 1))},
	{name: "dilation and stride", h: 15, w: 29,
		s: with(2, 4, 1, 3, 3, dilate(2, 3), stride(3, 2), pad(2, 3, 1, 3))},
	{name: "groups", s: with(6, 22, 2, 3, 3, pad(1, 1, 1, 1)), h: 6, w: 21},
	{name: "depthwise", s: with(7, 7, 7, 3, 3, pad(1, 1, 1, 1)), h: 9, w: 35},
	{name: "depthwise, multiplier 2, stride 2", h: 9, w: 35,
		s: with(3, 6, 3, 3, 3, stride(2, 2), pad(1, 1, 1, 1))},
	{name: "32 channels", s: with(3, 32, 1, 3, 3, pad(1, 1, 1, 1)), h: 3, w: 31},
	{name: "43 channels, wide", s: with(2, 43, 1, 3, 3, pad(1, 1, 1, 1)), h: 2, w: 227},
	{name: "64 channels in groups", s: with(6, 64, 2, 1, 3, stride(1, 2), pad(0, 1, 0, 1)), h: 3, w: 60},
	{name: "transposed, 35 channels", transposed: true,
		s: with(4, 35, 1, 4, 4, stride(2, 2), pad(1, 1, 1, 1)), h: 3, w: 12},
	{name: "many channels", s: with(70, 17, 1, 3, 3, pad(1, 1, 1, 1)), h: 4, w: 18},

	{name: "transposed 4x4 stride 2", transposed: true,
		s: with(5, 9, 1, 4, 4, stride(2, 2), pad(1, 1, 1, 1)), h: 7, w: 21},
	{name: "transposed 3x3 stride 2, output padding", transposed: true,
		s: with(3, 4, 1, 3, 3, stride(2, 2), pad(1, 1, 1, 1), outPad(1, 1)), h: 5, w: 18},
	{name: "transposed 9x9 stride 3", transposed: true,
		s: with(6, 1, 1, 9, 9, stride(3, 3), pad(4, 4, 4, 4), outPad(2, 2)), h: 8, w: 9},
	{name: "transposed 2x2 stride 3: outputs without taps", transposed: true,
		s: with(2, 3, 1, 2, 2, stride(3, 3)), h: 4, w: 5},
	{name: "transposed, dilation", transposed: true,
		s: with(4, 6, 2, 3, 2, stride(2, 3), dilate(3, 2), pad(1, 2, 0, 1), outPad(2, 1)), h: 5, w: 7},
	{name: "transposed, dilation beyond all reach", transposed: true,
		s: with(2, 3, 1, 3, 2, stride(2, 3), dilate(3001, 2000), pad(3000, 900, 3000, 1100)),
		h: 9, w: 8},
	{name: "transposed stride 1", transposed: true,
		s: with(3, 8, 1, 3, 3, pad(1, 1, 1, 1)), h: 6, w: 40},
	{name: "transposed 1x1 image", transposed: true,
		s: with(2, 2, 1, 4, 4, stride(4, 4)), h: 1, w: 1},
	{name: "transposed, groups", transposed: true,
		s: with(6, 6, 6, 4, 4, stride(2, 2), pad(1, 1, 1, 1)), h: 5, w: 19},
	{name: "transposed, wide", transposed: true,
		s: with(2, 3, 1, 4, 4, stride(2, 2), pad(1, 1, 1, 1)), h: 3, w: 450},
}

func (c convCase) outSize() (oh, ow int) {
	if c.transposed {
		return c.s.OutSize(c.h, c.w)
	}
	return c.s.ConvShape.OutSize(c.h, c.w)
}
