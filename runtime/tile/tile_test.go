package tile

import (
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/onnxio/text"
)

// fields studies a model.
func fields(t *testing.T, src string) (*Fields, error) {
	t.Helper()
	m, err := text.Parse(`<ir_version: 8, opset_import: ["" : 17]>` + src)
	if err != nil {
		t.Fatal(err)
	}
	return New(Network{Graph: m.Graph, Opset: 17, Inputs: m.Graph.Inputs()[:1]})
}

const encoder = `g (float[N,1,H,W] x) => (float[N,2,H2,W2] y)
<float[4,1,5,3] w = ["location": "seed:1"], float[2,4,3,3] u = ["location": "seed:2"]>
{
  c = Conv <pads = [2, 1, 2, 1]> (x, w)
  r = Relu(c)
  y = Conv <pads = [1, 1, 1, 1], strides = [2, 1]> (r, u)
}`

// TestAreas holds the extents of a tile inside an image: what is right shrinks by the
// receptive field, and nothing is lost at a border.
func TestAreas(t *testing.T) {
	f, err := fields(t, encoder)
	if err != nil {
		t.Fatal(err)
	}
	in := Image(1, 1, 100, 40)
	in.Axes[0] = Span{Full: 100, Size: 60, At: 0, Lo: 0, Hi: 60}
	areas, err := f.Areas(in)
	if err != nil {
		t.Fatal(err)
	}
	for v, a := range areas {
		switch v.Name() {
		case "c", "r":
			if want := (Span{100, 60, 0, 0, 58}); a.Axes[0] != want || a.C != 4 || a.Axes[1] != whole(40) {
				t.Errorf("%s: %+v, want rows %+v", v.Name(), a, want)
			}
		case "y": // rows 56 and 57 of r, and what lies before, make row 28
			if want := (Span{50, 30, 0, 0, 29}); a.Axes[0] != want || a.C != 2 || a.Axes[1] != whole(40) {
				t.Errorf("y: %+v, want rows %+v", a, want)
			}
		}
	}
}

// TestCut holds that tiles own each element of an output once, and take no more than
// allowed.
func TestCut(t *testing.T) {
	f, err := fields(t, encoder)
	if err != nil {
		t.Fatal(err)
	}
	bytes := func(h, w int) (int64, error) { return int64(h * w), nil }
	for _, size := range [][2]int{{100, 40}, {77, 91}} {
		g, err := f.Cut(Image(1, 1, size[0], size[1]), 900, bytes)
		if err != nil {
			t.Fatal(err)
		}
		if g.Bytes > 900 || g.Count() < 2 || g.Gaps {
			t.Errorf("%v: %+v, want several tiles of at most 900 bytes", size, g)
		}
		for axis, own := range g.Own {
			next := map[*graph.Value]Span{}
			for _, o := range own {
				for v, s := range o {
					if s.Lo != next[v].Hi {
						t.Errorf("%v, axis %d: a tile owns %q from %d on, the one before ends at %d", size, axis, v.Name(), s.Lo, next[v].Hi)
					}
					next[v] = s
				}
			}
			for v, s := range next {
				if s.Hi != s.Full {
					t.Errorf("%v, axis %d: %q ends at %d of %d", size, axis, v.Name(), s.Hi, s.Full)
				}
			}
		}
	}
}

// TestRefuses holds that the reason names the node.
func TestRefuses(t *testing.T) {
	_, err := fields(t, `g (float[N,1,H,W] x) => (float[N,1,H,W] y)
{
  [pool] m = GlobalAveragePool(x)
  y = Mul(x, m)
}`)
	if err == nil || !strings.Contains(err.Error(), `"pool"`) {
		t.Errorf("%v, want an error that names the node", err)
	}
}

// TestQuantised holds that scales of channels leave a network pixel by pixel, and those of
// rows do not.
func TestQuantised(t *testing.T) {
	for axis, want := range map[string]string{"1": "", "-3": "", "2": "has scales for rows or columns"} {
		_, err := fields(t, `g (float[N,2,H,W] x) => (float[N,2,H,W] y) <float[2] s = {1, 2}, uint8[2] z = {0, 0}, int8[2,2,1,1] v = {1, 2, 3, 4}>
			{
			  q = QuantizeLinear <axis = `+axis+`> (x, s, z)
			  d = DequantizeLinear <axis = `+axis+`> (q, s, z)
			  w = DequantizeLinear <axis = 0> (v, s)
			  y = Conv <kernel_shape = [1, 1]> (d, w)
			}`)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("axis %s: error %v, want %q", axis, err, want)
		}
	}
}
