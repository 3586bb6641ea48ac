package exact

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
)

// Sums is the spans of sums of products with the weights xs of a layer, of any part of them:
// what lies outside the image counts as 0.
func Sums(l op.Layout, xs []float32, in Spans) Spans {
	out := make(Spans, l.Out)
	for i := range out {
		out[i].Unit = math.MinInt32
	}
	for i, x := range xs {
		if x == 0 {
			continue
		}
		ci, co := l.Channel(i)
		s, w := in.At(ci), float64(x)
		if s.Unit == Free {
			out[co].Unit = Free
			continue
		}
		o := &out[co]
		if o.Unit != Free && s.Unit != math.MinInt32 {
			o.Unit = max(o.Unit, UnitOf(w)+s.Unit)
		}
		o.Low += min(0, w*s.Low, w*s.High)
		o.High += max(0, w*s.Low, w*s.High)
	}
	return out
}

// layer is Conv, ConvTranspose and Gemm.
func layer(p *Prover, n *graph.Node) (Spans, error) {
	l, xs, err := p.weights(n, 1)
	if err != nil {
		return nil, err
	}
	out := Sums(l, xs, p.beside(n, 0))
	if b := n.Input(2); b != nil {
		t := p.Constant(b)
		if t == nil {
			return nil, op.Unsupportedf(n, "its bias %q %s, want a constant", b.Name(), op.Source(b))
		}
		bias, err := t.Float32s()
		if err != nil || len(bias) != 1 && len(bias) != l.Out {
			return nil, op.Unsupportedf(n, "its bias %q is no list of %d numbers", b.Name(), l.Out)
		}
		for c := range out {
			out[c] = partial(out[c], spanOf(bias[min(c, len(bias)-1)]))
		}
	}
	for c, s := range out {
		if !s.Fits(1) {
			return nil, tooLarge(n, c, s, 1)
		}
	}
	return out, nil
}

// partial is the span of a sum of both, and of either alone.
func partial(a, b Span) Span {
	if a.Unit == Free || b.Unit == Free {
		return Span{Free, a.Low + b.Low, a.High + b.High}
	}
	return Span{max(a.Unit, b.Unit), a.Low + min(b.Low, 0), a.High + max(b.High, 0)}
}

// weights reads input i of n.
func (p *Prover) weights(n *graph.Node, i int) (op.Layout, []float32, error) {
	v := n.Input(i)
	t := p.Constant(v)
	if t == nil || len(t.Dims) < 2 {
		return op.Layout{}, nil, op.Unsupportedf(n, "its weights %q %s, want a constant", v.Name(), op.Source(v))
	}
	xs, err := t.Float32s()
	if err != nil {
		return op.Layout{}, nil, op.Unsupportedf(n, "its weights %q: %v", v.Name(), err)
	}
	if n.Is("Gemm") {
		g, err := op.GemmOf(n)
		if err != nil {
			return op.Layout{}, nil, err
		}
		if g.Alpha != 1 || g.Beta != 1 || g.TransA {
			return op.Layout{}, nil, op.Unsupportedf(n, "alpha, beta and transA are %g, %g and %t, want 1, 1 and false", g.Alpha, g.Beta, g.TransA)
		}
	}
	l, err := op.LayoutOf(n, t.Dims)
	if err == nil {
		if s := p.Of(n.Input(0)); len(s) > 1 && len(s) != l.In {
			err = op.Errorf(n, "input has %d channels, want %d", len(s), l.In)
		}
	}
	return l, xs, err
}
