package kernel

import (
	"math"
	"strings"
	"testing"
)

// packErrors are changes that make a valid transposed or plain convolution of
// 108 weights invalid.
var packErrors = []struct {
	name          string
	change        func(*ConvTransposeShape)
	weights, bias int // when not 0
	transposed    bool
	want          string
}{
	{name: "input channels", want: "number of input channels 0",
		change: func(s *ConvTransposeShape) { s.InC = 0 }},
	{name: "groups", want: "multiples of its 4 groups",
		change: func(s *ConvTransposeShape) { s.Groups = 4 }},
	{name: "kernel", want: "kernel width -1",
		change: func(s *ConvTransposeShape) { s.KW = -1 }},
	{name: "stride", want: "vertical stride 0", change: stride(0, 2)},
	{name: "dilation", want: "horizontal dilation 0", change: dilate(1, 0)},
	{name: "pad", want: "bottom pad -2", change: pad(0, 0, -2, 0)},
	{name: "huge", want: "kernel height",
		change: func(s *ConvTransposeShape) { s.KH = math.MaxInt }},
	{name: "product overflows", want: "108 weights", change: func(s *ConvTransposeShape) {
		s.InC, s.OutC, s.KH, s.KW = channelLimit, channelLimit, windowLimit, windowLimit
	}},
	{name: "weights", want: "107 weights, want 4 x 6 / 2 groups x 3 x 3", weights: 107},
	{name: "bias", want: "5 biases, want none or 6", bias: 5},
	{name: "output padding", want: "vertical output padding of 2, want 0 to 1",
		change: outPad(2, 0), transposed: true},
	{name: "output padding", want: "horizontal output padding of -1",
		change: outPad(0, -1), transposed: true},
	{name: "transposed stride", want: "transposed convolution has horizontal stride 0",
		change: stride(1, 0), transposed: true},
	{name: "phases", want: "strides 2 x 65, want at most 64",
		change: stride(2, 65), transposed: true},
	{name: "transposed weights", want: "107 weights", weights: 107, transposed: true},
}

func TestPackErrors(t *testing.T) {
	valid := with(4, 6, 2, 3, 3, stride(2, 2))
	for _, c := range packErrors {
		s := valid
		if c.change != nil {
			c.change(&s)
		}
		weight, bias := make([]float32, 108), []float32(nil)
		if c.weights > 0 {
			weight = weight[:c.weights]
		}
		if c.bias > 0 {
			bias = make([]float32, c.bias)
		}
		_, err := PackConv(s.ConvShape, weight, bias)
		if c.transposed {
			_, err = PackConvTranspose(s, weight, bias)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
	if _, err := PackConv(valid.ConvShape, make([]float32, 108), make([]float32, 6)); err != nil {
		t.Errorf("valid convolution: %v", err)
	}
	if _, err := PackConvTranspose(valid, make([]float32, 108), nil); err != nil {
		t.Errorf("valid transposed convolution: %v", err)
	}
}

func TestOutSize(t *testing.T) {
	for _, c := range []struct {
		s          ConvTransposeShape
		transposed bool
		h, w       int
		oh, ow     int
	}{
		{with(1, 1, 1, 3, 3, pad(1, 1, 1, 1)), false, 5, 7, 5, 7},
		{with(1, 1, 1, 3, 3, stride(2, 2)), false, 6, 7, 2, 3},
		{with(1, 1, 1, 3, 2, dilate(2, 3)), false, 5, 4, 1, 1},
		{with(1, 1, 1, 3, 3), false, 2, 9, 0, 0},
		{with(1, 1, 1, 3, 3, stride(4, 4)), false, 2, 2, 0, 0},
		{with(1, 1, 1, 4, 4, stride(2, 2), pad(1, 1, 1, 1)), true, 5, 7, 10, 14},
		{with(1, 1, 1, 3, 3, stride(2, 2), pad(1, 1, 1, 1), outPad(1, 0)), true, 5, 7, 10, 13},
		{with(1, 1, 1, 1, 1, pad(2, 2, 2, 2)), true, 4, 9, 0, 0},
		{with(1, 1, 1, 2, 2), true, 0, 3, 0, 0},
	} {
		oh, ow := convCase{s: c.s, transposed: c.transposed, h: c.h, w: c.w}.outSize()
		if oh != c.oh || ow != c.ow {
			t.Errorf("OutSize(%d, %d) of %+v = %d, %d, want %d, %d", c.h, c.w, c.s, oh, ow, c.oh, c.ow)
		}
	}
}
