package metric

import "fmt"

// ConvShape is a two-dimensional convolution on an input of InH by InW pixels.
// The zero value of Group, Stride and Dilation means 1.
type ConvShape struct {
	Cin, Cout, Group     int
	KernelH, KernelW     int
	InH, InW             int
	StrideH, StrideW     int
	DilationH, DilationW int
	PadT, PadL           int // above and to the left
	PadB, PadR           int // below and to the right
	Bias                 bool
}

// Ops returns the counts of the convolution as a layer driven by source: MACs by
// the formula k*k*Cin/Group*Cout*Hout*Wout, ExactMACs without the taps that fall
// on padding, and the numbers of inputs and bias additions. The rest is 0, the
// neurons too: whether any follow is for the caller to say. Errors name the
// layer.
func (s ConvShape) Ops(name string, source Source) (LayerOps, error) {
	s.Group = max(s.Group, 1)
	rows := axis{s.InH, s.KernelH, max(s.StrideH, 1), max(s.DilationH, 1), s.PadT, s.PadB}
	cols := axis{s.InW, s.KernelW, max(s.StrideW, 1), max(s.DilationW, 1), s.PadL, s.PadR}
	if s.Cin < 1 || s.Cout < 1 || s.Cin%s.Group != 0 || s.Cout%s.Group != 0 {
		return LayerOps{}, fmt.Errorf("layer %q: %d to %d channels in %d groups, want positive multiples",
			name, s.Cin, s.Cout, s.Group)
	}
	for _, a := range []axis{rows, cols} {
		if a.in < 1 || a.kernel < 1 || a.before < 0 || a.after < 0 || a.out() < 1 {
			return LayerOps{}, fmt.Errorf("layer %q: kernel %d, padding %d and %d, on %d pixels: no output",
				name, a.kernel, a.before, a.after, a.in)
		}
	}
	pairs := float64(s.Cin/s.Group) * float64(s.Cout)
	outputs := float64(s.Cout) * float64(rows.out()) * float64(cols.out())
	ops := LayerOps{
		Name:      name,
		Source:    source,
		MACs:      outputs * float64(s.Cin/s.Group) * float64(s.KernelH) * float64(s.KernelW),
		ExactMACs: pairs * rows.taps() * cols.taps(),
		Inputs:    float64(s.Cin) * float64(s.InH) * float64(s.InW),
	}
	if s.Bias {
		ops.BiasAdds = outputs
	}
	return ops, nil
}

// axis is a convolution along one side of the image.
type axis struct {
	in, kernel, stride, dilation, before, after int
}

// out returns the number of output positions.
func (a axis) out() int {
	room := a.in + a.before + a.after - (a.kernel-1)*a.dilation - 1
	if room < 0 {
		return 0
	}
	return room/a.stride + 1
}

// taps counts the pairs of an output position and a kernel tap that lie inside
// the input.
func (a axis) taps() float64 {
	n := 0
	for o := range a.out() {
		for k := range a.kernel {
			if i := o*a.stride - a.before + k*a.dilation; i >= 0 && i < a.in {
				n++
			}
		}
	}
	return float64(n)
}
