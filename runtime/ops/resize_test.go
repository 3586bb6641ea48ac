package ops

import (
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
)

// Which element nearest takes, as ONNX Runtime 1.30 does, for factors whose places fall on
// an edge or beside it in float32 and float64.
func TestResizeNearest(t *testing.T) {
	for _, c := range []struct {
		coordinate, nearest string
		in                  int
		scale               float32 // 0: the size out is stated
		out                 int64
		want                []float32
	}{
		{"asymmetric", "floor", 9, 1.0 / 3, 0, []float32{0, 3, 6}},
		{"asymmetric", "floor", 11, 0.2, 0, []float32{0, 5}},
		{"asymmetric", "floor", 11, 1.1, 0, []float32{0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{"asymmetric", "floor", 10, 1.6, 0, []float32{0, 0, 1, 1, 2, 3, 3, 4, 5, 5, 6, 6, 7, 8, 8, 9}},
		{"asymmetric", "floor", 10, 1.7, 0, []float32{0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 7, 7, 8, 8, 9}},
		{"asymmetric", "floor", 9, 2.2, 0, []float32{0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 6, 6, 7, 7, 8}},
		{"asymmetric", "floor", 9, 2.3, 0, []float32{0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 6, 6, 7, 7, 8}},
		{"asymmetric", "round_prefer_ceil", 21, 0, 24, []float32{0, 1, 2, 3, 4, 4, 5, 6, 7, 8, 9, 10, 11, 11, 12, 13, 14, 15, 16, 17, 18, 18, 19, 20}},
		{"asymmetric", "ceil", 12, 0, 5, []float32{0, 3, 5, 8, 10}},
		{"half_pixel", "round_prefer_floor", 16, 1.3, 0, []float32{0, 1, 1, 2, 3, 4, 4, 5, 6, 7, 8, 8, 9, 10, 11, 11, 12, 13, 14, 14}},
		{"half_pixel", "round_prefer_ceil", 18, 0.3, 0, []float32{1, 5, 8, 11, 15}},
		{"half_pixel", "round_prefer_floor", 13, 1.7, 0, []float32{0, 0, 1, 2, 2, 3, 3, 4, 4, 5, 6, 6, 7, 7, 8, 9, 9, 10, 10, 11, 12, 12}},
		{"half_pixel", "floor", 14, 0, 23, []float32{0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 7, 7, 8, 8, 9, 10, 10, 11, 11, 12, 13}},
		{"half_pixel", "floor", 5, 1.1, 0, []float32{0, 1, 2, 3, 4}}, // nothing changes its size
		{"pytorch_half_pixel", "round_prefer_ceil", 8, 2.2, 0, []float32{0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7}},
		{"half_pixel_symmetric", "ceil", 10, 1.7, 0, []float32{0, 1, 1, 2, 3, 3, 4, 4, 5, 6, 6, 7, 7, 8, 9, 9, 9}},
		{"half_pixel_symmetric", "floor", 11, 2.3, 0, []float32{0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 5, 6, 6, 7, 7, 8, 8, 8, 9, 9, 10}},
		{"align_corners", "round_prefer_floor", 7, 2.3, 0, []float32{0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6}},
		{"tf_half_pixel_for_nn", "floor", 9, 2.2, 0, []float32{0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 7, 8}},
		{"", "", 10, 0.3, 0, []float32{0, 4, 7}}, // opset 10: up where it shrinks
		{"", "", 10, 1.7, 0, []float32{0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 5, 6, 7, 7, 8, 8, 9}},
	} {
		x := zeros(graph.Float32, c.in)
		for i := range x.F32 {
			x.F32[i] = float32(i)
		}
		in, opset := []*Tensor{x, nil, nil, whole(c.out)}, int64(18)
		as := attrs("coordinate_transformation_mode", graph.String(c.coordinate), "nearest_mode", graph.String(c.nearest))
		if c.scale != 0 {
			in = []*Tensor{x, nil, floats(c.scale)}
		}
		if c.coordinate == "" {
			in, opset, as = []*Tensor{x, floats(c.scale)}, 10, nil
		}
		o, err := Bind(single(t, "Resize", as, in...), opset)
		if err != nil {
			t.Fatal(err)
		}
		y, err := o.Run(&Env{}, in)
		if err != nil {
			t.Errorf("%s %s of %d: %v", c.coordinate, c.nearest, c.in, err)
			continue
		}
		if !slices.Equal(y[0].F32, c.want) {
			t.Errorf("%s %s of %d by %v to %d:\nfound %v\nwant  %v", c.coordinate, c.nearest, c.in, c.scale, c.out, y[0].F32, c.want)
		}
	}
}

// Axes that keep their size: with antialiasing each by itself, else all together.
func TestResizeUnchanged(t *testing.T) {
	x := Floats([]float32{1, 2, 4, 8, 16, 32, 64, 128, 256, 512}, 2, 5)
	in := []*Tensor{x, nil, floats(1, 1.1)}
	for _, antialias := range []graph.Int{0, 1} {
		o, err := Bind(single(t, "Resize", attrs("mode", graph.String("linear"), "antialias", antialias), in...), 18)
		if err != nil {
			t.Fatal(err)
		}
		y, err := o.Run(&Env{}, in)
		if err != nil || !sameBits(y[0], x) {
			t.Errorf("antialias %d: found %v, error %v, want the input", antialias, y, err)
		}
	}
}

// TestResizeClaims asks for the memory of the tables along the axes before they are made: an index for each
// element of a row, and the weights of a filter that antialiasing widens.
func TestResizeClaims(t *testing.T) {
	for _, c := range []struct {
		name  string
		as    graph.Attrs
		in    *Tensor
		scale float32
		least int64
	}{
		{"enlarged", nil, zeros(graph.Uint8, 1), 1e5, 8e5},
		{"linear", attrs("mode", graph.String("linear")), zeros(graph.Float32, 1), 1e5, 1e5 * (24 + 2*16)},
		{"shrunk", attrs("mode", graph.String("linear"), "antialias", graph.Int(1)), zeros(graph.Float32, 10000), 0.01, 100 * 198 * 16},
		{"shrunk by cubic", attrs("mode", graph.String("cubic"), "antialias", graph.Int(1)), zeros(graph.Float32, 10000), 0.01, 100 * 396 * 16},
	} {
		in := []*Tensor{c.in, nil, floats(c.scale)}
		o, err := Bind(single(t, "Resize", c.as, in...), 18)
		if err != nil {
			t.Fatal(err)
		}
		most := int64(0)
		if _, err := o.Run(&Env{Claim: func(bytes int64) error { most = max(most, bytes); return nil }}, in); err != nil {
			t.Fatal(err)
		}
		if most < c.least {
			t.Errorf("%s: %d bytes asked for, want %d at least", c.name, most, c.least)
		}
		if _, err := o.Run(&Env{Claim: Within(c.least - 1)}, in); err == nil || !strings.Contains(err.Error(), "are allowed: want smaller inputs") {
			t.Errorf("%s: error %v, want the memory that is missing", c.name, err)
		}
	}
}
