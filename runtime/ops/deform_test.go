package ops

import (
	"math/rand/v2"
	"testing"

	"spikingir/graph"
)

func runDeform(t *testing.T, as graph.Attrs, in ...*Tensor) (*Tensor, error) {
	t.Helper()
	o, err := Bind(single(t, "DeformConv", as, in...), 19)
	if err != nil {
		return nil, err
	}
	y, err := o.Run(&Env{Alloc: dirty}, in)
	if err != nil {
		return nil, err
	}
	return y[0], nil
}

// Without offsets a DeformConv is a Conv; with whole ones it is that of an image moved.
func TestDeformConvIsConv(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 9))
	x, weight, bias := random(rng, 2, 4, 7, 6), random(rng, 6, 2, 3, 2), random(rng, 6)
	as := attrs("group", graph.Int(2), "offset_group", graph.Int(2), "strides", graph.Ints{2, 1}, "dilations", graph.Ints{1, 2},
		"pads", graph.Ints{1, 2, 0, 1})
	conv := attrs("group", graph.Int(2), "strides", graph.Ints{2, 1}, "dilations", graph.Ints{1, 2}, "pads", graph.Ints{1, 2, 0, 1})
	want := func(x *Tensor) *Tensor {
		o, err := Bind(single(t, "Conv", conv, x, weight, bias), 13)
		if err != nil {
			t.Fatal(err)
		}
		y, err := o.Run(&Env{}, []*Tensor{x, weight, bias})
		if err != nil {
			t.Fatal(err)
		}
		return y[0]
	}
	y := want(x)
	offset, mask := zeros(graph.Float32, 2, 24, y.Dims[2], y.Dims[3]), zeros(graph.Float32, 2, 12, y.Dims[2], y.Dims[3])
	fill(mask.F32, 1)
	for _, in := range [][]*Tensor{{x, weight, offset, bias}, {x, weight, offset, bias, mask}} {
		got, err := runDeform(t, as, in...)
		if err != nil {
			t.Fatal(err)
		}
		if d := differ(got, y, 1e-5, 1e-5); d != "" {
			t.Errorf("%d inputs: %s", len(in), d)
		}
	}
}

// With whole offsets a DeformConv is the Conv of an image moved: here one row up in the
// first group of channels and one column right in the second.
func TestDeformConvMoves(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 8))
	x, weight := random(rng, 2, 4, 7, 6), random(rng, 6, 4, 3, 2)
	moved := zeros(graph.Float32, x.Dims...)
	for i := range moved.F32 {
		n, c, r, k := i/168, i/42%4, i/6%7, i%6
		if c < 2 {
			r++
		} else {
			k--
		}
		if r < 7 && k >= 0 {
			moved.F32[i] = x.F32[n*168+c*42+r*6+k]
		}
	}
	o, err := Bind(single(t, "Conv", nil, moved, weight), 13)
	if err != nil {
		t.Fatal(err)
	}
	want, err := o.Run(&Env{}, []*Tensor{moved, weight})
	if err != nil {
		t.Fatal(err)
	}
	offset := zeros(graph.Float32, 2, 24, 5, 5)
	for i := range offset.F32 {
		switch channel := i / 25 % 24; {
		case channel < 12 && channel%2 == 0:
			offset.F32[i] = 1
		case channel >= 12 && channel%2 == 1:
			offset.F32[i] = -1
		}
	}
	got, err := runDeform(t, attrs("offset_group", graph.Int(2)), x, weight, offset)
	if err != nil {
		t.Fatal(err)
	}
	if d := differ(got, want[0], 1e-5, 1e-5); d != "" {
		t.Error(d)
	}
}

// Places between elements are interpolated, those outside are 0, and a mask weighs.
func TestDeformConvSamples(t *testing.T) {
	x := Floats([]float32{1, 2, 3, 4}, 1, 1, 2, 2)
	weight := Floats([]float32{10}, 1, 1, 1, 1)
	for _, c := range []struct{ y, x, mask, want float32 }{
		{0, 0, 1, 10}, {0.5, 0, 1, 20}, {0, 0.25, 1, 12.5}, {0.5, 0.5, 0.5, 12.5}, {-0.5, 0, 1, 5}, {1.5, 1, 1, 20},
		{-1, 0, 1, 0}, {2, 0, 1, 0}, {0, 7, 1, 0},
	} {
		offset, mask := zeros(graph.Float32, 1, 2, 2, 2), zeros(graph.Float32, 1, 1, 2, 2)
		offset.F32[0], offset.F32[4], mask.F32[0] = c.y, c.x, c.mask
		got, err := runDeform(t, nil, x, weight, offset, nil, mask)
		if err != nil {
			t.Fatal(err)
		}
		if got.F32[0] != c.want {
			t.Errorf("offset %v, %v, mask %v: found %v, want %v", c.y, c.x, c.mask, got.F32[0], c.want)
		}
	}
	if _, err := runDeform(t, nil, x, weight, zeros(graph.Float32, 1, 1, 2, 2)); err == nil {
		t.Error("an offset of one number passes, want an error")
	}
}
