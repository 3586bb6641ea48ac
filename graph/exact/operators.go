package exact

import (
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
)

// rules gives the spans of all outputs of a standard operator. One that is not here sums in an
// order that runtimes choose, or computes functions that they round differently.
var rules = map[string]func(*Prover, *graph.Node) (Spans, error){
	"Conv": layer, "ConvTranspose": layer, "Gemm": layer,
	"Add": add, "Sub": add, "Sum": add, "Mul": mul, "Div": div,
	"Neg":  unary(func(s Span) Span { return Span{s.Unit, -s.High, -s.Low} }),
	"Relu": unary(func(s Span) Span { return Span{s.Unit, max(s.Low, 0), max(s.High, 0)} }),
	"Abs": unary(func(s Span) Span {
		if s.Low <= 0 && s.High >= 0 {
			return Span{s.Unit, 0, s.Largest()}
		}
		return Span{s.Unit, min(math.Abs(s.Low), math.Abs(s.High)), s.Largest()}
	}),
	"Floor": whole, "Ceil": whole, "Round": whole,
	"Clip": clip, "Max": limit, "Min": limit, "Where": hull, "PRelu": prelu, "LeakyRelu": prelu,
	"Identity": moved, "Cast": cast, "Reshape": moved, "Flatten": moved, "Squeeze": moved, "Unsqueeze": moved, "Transpose": moved,
	"Slice": moved, "Split": moved, "Expand": moved, "Tile": moved, "DepthToSpace": moved, "SpaceToDepth": moved, "Gather": moved,
	"MaxPool": moved, "GlobalMaxPool": moved, "Dropout": moved, "Pad": pad, "Concat": concat, "Resize": resize, "Upsample": resize,
	"AveragePool": pool, "ConstantOfShape": unknown, "Constant": unknown,
}

// unary is an operator on one value, element by element.
func unary(f func(Span) Span) func(*Prover, *graph.Node) (Spans, error) {
	return func(p *Prover, n *graph.Node) (Spans, error) { return p.beside(n, 0).each(f), nil }
}

// whole is Floor, Ceil or Round.
func whole(p *Prover, n *graph.Node) (Spans, error) {
	return p.beside(n, 0).each(func(s Span) Span {
		return Span{min(s.Unit, 0), math.Floor(s.Low), math.Ceil(s.High)}
	}), nil
}

// unknown is a value of which nothing is known but that it is the same everywhere.
func unknown(*Prover, *graph.Node) (Spans, error) { return Spans{anything}, nil }

// add is Add, Sub and Sum. The sum of two numbers is rounded once, that of more in any order.
func add(p *Prover, n *graph.Node) (Spans, error) {
	s := p.beside(n, 0)
	for i := 1; i < n.NumInputs(); i++ {
		t := p.beside(n, i)
		if n.Is("Sub") {
			t = t.each(func(s Span) Span { return Span{s.Unit, -s.High, -s.Low} })
		}
		if n.NumInputs() > 2 {
			s = both(s, t, partial)
			continue
		}
		s = both(s, t, func(a, b Span) Span { return Span{max(a.Unit, b.Unit), a.Low + b.Low, a.High + b.High} })
	}
	for c := range s {
		if s[c].Fits(1) {
			continue
		}
		if n.NumInputs() > 2 {
			return nil, tooLarge(n, c, s[c], 1)
		}
		s[c] = rounded(s[c])
	}
	return s, nil
}

// rounded is the span of numbers that were rounded to float32.
func rounded(s Span) Span {
	if math.IsNaN(s.Low) || math.IsNaN(s.High) {
		return anything
	}
	return Span{Free, s.Low, s.High}
}

func mul(p *Prover, n *graph.Node) (Spans, error) {
	return both(p.beside(n, 0), p.beside(n, 1), func(a, b Span) Span {
		s := Span{Free, math.Inf(1), math.Inf(-1)}
		for _, x := range []float64{a.Low * b.Low, a.Low * b.High, a.High * b.Low, a.High * b.High} {
			if math.IsNaN(x) {
				return anything
			}
			s.Low, s.High = min(s.Low, x), max(s.High, x)
		}
		if a.Unit == Free || b.Unit == Free {
			return s
		}
		t := Span{max(a.Unit+b.Unit, math.MinInt32), s.Low, s.High}
		if !t.Fits(1) {
			return s
		}
		return t
	}), nil
}

// div multiplies by the inverse of a constant that is a power of two, and rounds otherwise.
func div(p *Prover, n *graph.Node) (Spans, error) {
	return both(p.beside(n, 0), p.beside(n, 1), func(a, b Span) Span {
		if b.Low != b.High || b.Low == 0 || math.IsInf(b.Low, 0) {
			return anything
		}
		lo, hi := a.Low/b.Low, a.High/b.Low
		s := Span{Free, min(lo, hi), max(lo, hi)}
		if f, e := math.Frexp(math.Abs(b.Low)); f == 0.5 && a.Unit != Free {
			s.Unit = max(a.Unit+e-1, math.MinInt32)
		}
		return s
	}), nil
}

func clip(p *Prover, n *graph.Node) (Spans, error) {
	v, err := op.ClipOf(n, p.opset)
	if err != nil {
		return nil, err
	}
	lo, hi := math.Inf(-1), math.Inf(1)
	units := math.MinInt32
	for _, l := range []struct {
		param op.Param[float32]
		to    *float64
	}{{v.Min, &lo}, {v.Max, &hi}} {
		x := l.param.Value
		if !l.param.Known {
			t := p.Constant(l.param.From)
			if t == nil {
				return unknown(p, n)
			}
			xs, err := t.Float32s()
			if err != nil || len(xs) != 1 {
				return unknown(p, n)
			}
			x = xs[0]
		}
		if *l.to = float64(x); !math.IsInf(float64(x), 0) {
			units = max(units, UnitOf(float64(x)))
		}
	}
	return p.beside(n, 0).each(func(s Span) Span {
		t := Span{s.Unit, min(max(s.Low, lo), hi), min(max(s.High, lo), hi)}
		if s.Unit != Free && (s.Low < lo || s.High > hi) {
			t.Unit = max(t.Unit, units)
		}
		return t
	}), nil
}

// limit is Max and Min.
func limit(p *Prover, n *graph.Node) (Spans, error) {
	of := math.Max
	if n.Is("Min") {
		of = math.Min
	}
	s := p.beside(n, 0)
	for i := 1; i < n.NumInputs(); i++ {
		s = both(s, p.beside(n, i), func(a, b Span) Span { return Span{max(a.Unit, b.Unit), of(a.Low, b.Low), of(a.High, b.High)} })
	}
	return s, nil
}

// hull is Where, which gives either operand.
func hull(p *Prover, n *graph.Node) (Spans, error) {
	return both(p.beside(n, 1), p.beside(n, 2), Span.join), nil
}

// prelu multiplies negative numbers by a slope, rounded once.
func prelu(p *Prover, n *graph.Node) (Spans, error) {
	return p.beside(n, 0).each(func(s Span) Span {
		if s.Low >= 0 {
			return s
		}
		return anything
	}), nil
}

func cast(p *Prover, n *graph.Node) (Spans, error) {
	switch from := n.Input(0).Type.Elem; {
	case from == n.Output(0).Type.Elem:
		return moved(p, n)
	case from == graph.Bool:
		return Spans{{0, 0, 1}}, nil
	}
	return unknown(p, n)
}

// moved is an operator that gives numbers of its first operand.
func moved(p *Prover, n *graph.Node) (Spans, error) {
	s := p.Of(n.Input(0))
	if len(s) == 1 || keepsChannels(n) {
		return s, nil
	}
	return Spans{s.All()}, nil
}

// keepsChannels reports whether dimension 1 of the first operand is that of the output.
func keepsChannels(n *graph.Node) bool {
	switch n.Op().Type {
	case "Identity", "Pad", "Resize", "Upsample", "MaxPool", "GlobalMaxPool", "AveragePool", "Cast", "Dropout", "Split", "Tile", "Expand":
	case "Slice":
		if n.Input(4) != nil { // a step of -1 turns the channels round
			return false
		}
	default:
		return false
	}
	in, out := n.Input(0).Type.Shape, n.Output(0).Type.Shape
	return len(in) == len(out) && len(in) > 1 && in[1].Same(out[1])
}

func pad(p *Prover, n *graph.Node) (Spans, error) {
	v, err := op.PadOf(n, p.opset)
	if err != nil {
		return nil, err
	}
	s, err := moved(p, n)
	if err != nil || v.Mode != "constant" {
		return s, err
	}
	if !v.Value.Known {
		return unknown(p, n)
	}
	return s.each(func(s Span) Span { return s.join(spanOf(v.Value.Value)) }), nil
}

// concat joins the channels where it joins channels.
func concat(p *Prover, n *graph.Node) (Spans, error) {
	v, err := op.ConcatOf(n)
	if err != nil {
		return nil, err
	}
	var all, joined Spans
	axis, ok := op.Axis(v.Axis, len(n.Output(0).Type.Shape))
	ok = ok && axis == 1
	for _, x := range v.Xs {
		s := p.Of(x)
		all = append(all, s.All())
		c, known := int64(0), false
		if len(x.Type.Shape) > 1 {
			c, known = x.Type.Shape[1].Size()
		}
		if ok = ok && known && (len(s) == 1 || int64(len(s)) == c); !ok {
			continue
		}
		for i := range int(c) {
			joined = append(joined, s.At(i))
		}
	}
	if !ok || len(joined) == 0 {
		return Spans{all.All()}, nil
	}
	return joined, nil
}

// resize repeats numbers; what it mixes runtimes mix differently.
func resize(p *Prover, n *graph.Node) (Spans, error) {
	v, err := op.ResizeOf(n, p.opset)
	if err != nil {
		return nil, err
	}
	if v.Mode != "nearest" || v.Coordinate == "tf_crop_and_resize" {
		return nil, op.Unsupportedf(n, "mode %q mixes numbers in different ways in different runtimes, want nearest", v.Mode)
	}
	return moved(p, n)
}

// pool divides the sums of windows by their area, a power of two.
func pool(p *Prover, n *graph.Node) (Spans, error) {
	v, err := op.PoolOf(n)
	if err != nil {
		return nil, err
	}
	area, padded := 1.0, v.AutoPad != op.NotSet || v.CeilMode
	for _, k := range v.Kernel {
		area *= float64(k)
	}
	for _, k := range v.Pads {
		padded = padded || k != 0 && !v.CountPad
	}
	if f, _ := math.Frexp(area); f != 0.5 || padded {
		return nil, op.Unsupportedf(n, "it divides by areas that are no power of two, to last bits that differ between runtimes")
	}
	s, err := moved(p, n)
	if err != nil {
		return nil, err
	}
	s = s.each(func(s Span) Span {
		if s.Unit == Free {
			return s
		}
		return Span{max(s.Unit+UnitOf(1/area), math.MinInt32), min(s.Low, 0), max(s.High, 0)}
	})
	for c, x := range s {
		if !x.Fits(1) {
			return nil, tooLarge(n, c, x, 1)
		}
	}
	return s, nil
}
