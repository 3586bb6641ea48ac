package op_test

import (
	"testing"

	"spikingir/graph"
	"spikingir/graph/op"
)

// countWindows places the kernel step by step: it may reach, for ceil mode, up
// to stride-1 beyond the padded input, but must start before the end padding.
func countWindows(in, begin, end, reach, stride int64, ceil bool) int64 {
	slack := int64(0)
	if ceil {
		slack = stride - 1
	}
	n := int64(0)
	for at := int64(0); at+reach <= in+begin+end+slack; at += stride {
		if ceil && at >= in+begin {
			break
		}
		n++
	}
	return n
}

func TestWindowPositions(t *testing.T) {
	for _, kernel := range []int64{1, 2, 3, 5} {
		for _, stride := range []int64{1, 2, 3} {
			for _, dilation := range []int64{1, 2} {
				for in := int64(1); in < 14; in++ {
					testWindow(t, kernel, stride, dilation, in)
				}
			}
		}
	}
}

func testWindow(t *testing.T, kernel, stride, dilation, in int64) {
	t.Helper()
	b := newBench()
	as := func(auto string, pads ...int64) graph.Attrs {
		return attrs("kernel_shape", graph.Ints{kernel}, "strides", graph.Ints{stride}, "dilations",
			graph.Ints{dilation}, "auto_pad", graph.String(auto), "pads", graph.Ints(pads))
	}
	reach := (kernel-1)*dilation + 1
	for _, pads := range [][2]int64{{0, 0}, {1, 0}, {kernel / 2, kernel / 2}} {
		for _, ceil := range []int64{0, 1} {
			a := as(op.NotSet, pads[:]...)
			a.Set("ceil_mode", graph.Int(ceil))
			p := must[op.Pool](t)(op.PoolOf(b.node("MaxPool", a, b.x)))
			want := countWindows(in, pads[0], pads[1], reach, stride, ceil == 1)
			if in+pads[0]+pads[1] < reach {
				want = 0 // the kernel must fit once, even with ceil mode
			}
			if got := p.Out([]int64{in})[0]; got != want {
				t.Errorf("kernel %d stride %d dilation %d pads %v ceil %d: %d windows over %d, want %d",
					kernel, stride, dilation, pads, ceil, got, in, want)
			}
		}
	}
	for _, auto := range []string{op.SameUpper, op.SameLower} {
		p := must[op.Pool](t)(op.PoolOf(b.node("MaxPool", as(auto, 0, 0), b.x)))
		pads := p.PadsFor([]int64{in})
		odd := pads[1] - pads[0]
		if auto == op.SameLower {
			odd = -odd
		}
		if got := p.Out([]int64{in})[0]; got != (in+stride-1)/stride || odd < 0 || odd > 1 {
			t.Errorf("%s kernel %d stride %d over %d: %d windows with pads %v", auto, kernel, stride, in,
				got, pads)
		}
	}
}

// TestTransposedSizes: a convolution over the result has as many positions as
// the input, for every way to state the padding.
func TestTransposedSizes(t *testing.T) {
	b := newBench()
	w := b.weights(6, 4, 3)
	for _, stride := range []int64{1, 2, 3} {
		for _, c := range []graph.Attrs{
			attrs("pads", graph.Ints{1, 0}),
			attrs("pads", graph.Ints{1, 1}, "output_padding", graph.Ints{stride - 1}),
			attrs("auto_pad", graph.String(op.SameUpper)),
			attrs("auto_pad", graph.String(op.SameLower)),
			attrs("auto_pad", graph.String(op.Valid)),
			attrs("output_shape", graph.Ints{7*stride + 1}),
			attrs("output_shape", graph.Ints{1, 4, 7 * stride}, "auto_pad", graph.String(op.SameUpper)),
		} {
			c.Set("strides", graph.Ints{stride})
			v := must[op.ConvTranspose](t)(op.ConvTransposeOf(b.node("ConvTranspose", c, b.x, w)))
			out, pads := v.Sizes([]int64{7})
			// Full size less the padding cut off.
			if full := v.Full(0, 7); full-pads[0]-pads[1] != out[0] {
				t.Errorf("%v: full size %d, pads %v, result %v", c, full, pads, out)
			}
			positions := (out[0]+pads[0]+pads[1]-v.Extent(0))/stride + 1
			if positions != 7 && v.OutputPadding[0] < stride {
				t.Errorf("%v: %v has %d positions of the kernel, want 7", c, out, positions)
			}
			if d := pads[1] - pads[0]; v.AutoPad == op.SameUpper && (d < 0 || d > 1) {
				t.Errorf("%v: pads %v", c, pads)
			}
		}
	}
}

func TestSpikingViews(t *testing.T) {
	b := newBench()
	theta, alpha := b.scalar(1), b.scalar(0.75)
	timed := attrs("timesteps", graph.Int(10), "post", graph.Int(1), "v0", graph.Float(0.5))
	n := must[op.Neuron](t)(op.NeuronOf(b.node("MPRN", timed, b.x, nil, theta, alpha)))
	if n.Slices() != 11 || n.V0 != 0.5 || n.Bias != nil || n.Theta != theta || n.Alpha != alpha ||
		n.VRes != nil || n.Y.Producer() == nil {
		t.Errorf("MPRN: %+v", n)
	}
	n = must[op.Neuron](t)(op.NeuronOf(b.node("IF", nil, b.x, theta, theta)))
	if n.Slices() != 1 || n.Timesteps != 0 || n.Bias != theta || n.Alpha != nil {
		t.Errorf("untimed IF: %+v", n)
	}
	e := must[op.Encode](t)(op.EncodeOf(b.node("Encode", timed[:2], b.x)))
	d := must[op.Decode](t)(op.DecodeOf(b.node("Decode", timed[:2], b.x)))
	bias := must[op.Bias](t)(op.BiasOf(b.node("Bias", timed[:2], b.x, theta)))
	if e.Steps != (op.Steps{Timesteps: 10, Post: 1}) || d.Steps != e.Steps || bias.Steps != e.Steps {
		t.Errorf("steps: %v %v %v", e.Steps, d.Steps, bias.Steps)
	}
	cpm := append(timed[:2:2], attrs("pads", graph.Ints{1, 1, 1, 1})...)
	w := b.weights(6, 6, 3, 3)
	c := must[op.CPM](t)(op.CPMOf(b.node("CPM", cpm, b.x, b.x, w)))
	same(t, "CPM kernel", []int64{3, 3}, c.Kernel)
	if c.Slices() != 11 || c.W != w || c.B != nil {
		t.Errorf("CPM: %+v", c)
	}
}
