package infer_test

import (
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/onnxio/text"
)

// TestWith puts expressions in the place of parameters, and holds the result to numbers.
func TestWith(t *testing.T) {
	for _, c := range []struct{ in, by, want string }{
		{"H", "4*H", "4*H"}, {"W", "4*H", "W"}, {"2*floor(H/2)", "4*H", "4*H"},
		{"floor((H+1)/2)", "2*H", "H"}, {"floor((H+3)/4)*W", "2*H", "floor((H+1)/2)*W"},
		{"H*H-1", "H+1", "H*H+2*H"}, {"3", "2*H", "3"},
	} {
		e, err := infer.Parse(c.in)
		by, err2 := infer.Parse(c.by)
		want, err3 := infer.Parse(c.want)
		if err != nil || err2 != nil || err3 != nil {
			t.Fatal(err, err2, err3)
		}
		got := e.With("H", by)
		if !got.Equal(want) {
			t.Errorf("%s with %s is %v, want %v", c.in, c.by, got, want)
		}
		for h := int64(1); h < 9; h++ {
			sizes := map[string]int64{"H": h, "W": 3}
			inner, _ := by.Eval(sizes)
			x, _ := got.Eval(sizes)
			y, _ := e.Eval(map[string]int64{"H": inner, "W": 3})
			if x != y {
				t.Errorf("%s with %s is %d for H = %d, want %d", c.in, c.by, x, h, y)
			}
		}
	}
	if (infer.Expr{}).With("H", infer.Number(1)).Known() {
		t.Error("an unknown size becomes known")
	}
}

// TestTerms takes expressions apart and puts them together again.
func TestTerms(t *testing.T) {
	for _, s := range []string{"0", "7", "2*H*W-3*N+1", "5*floor((H+1)/2)*W-floor(W/3)"} {
		e, err := infer.Parse(s)
		if err != nil {
			t.Fatal(err)
		}
		sum := infer.Number(0)
		for _, term := range e.Terms() {
			p := infer.Number(term.Coefficient)
			for _, f := range term.Factors {
				x := infer.Parameter(f.Parameter)
				if f.Parameter == "" {
					x = f.Of.FloorDiv(f.Divisor)
				}
				p = p.Mul(x)
			}
			sum = sum.Add(p)
		}
		if !sum.Equal(e) {
			t.Errorf("%s comes back as %v", s, sum)
		}
	}
}

func network(t *testing.T, src string) *graph.Model {
	t.Helper()
	m, err := text.Parse(`<ir_version: 8, opset_import: ["" : 17]> ` + src)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestDemands tells what sizes have to be: each once, by the first node that asks for it.
func TestDemands(t *testing.T) {
	m := network(t, `g (float[N,4,H,W] x) => (float[A,B,C,D] y)
<float[1,1,1,6] map = {1, 2, 3, 4, 5, 6}, int64[4] view = {-1, 2, 2, 8}>
{
  [pool] p = AveragePool <kernel_shape = [2, 2], strides = [2, 2]> (x)
  u = DepthToSpace <blocksize = 2> (p)
  c = ReduceMean <axes = [1]> (x)
  [join] j = Concat <axis = 1> (u, c)
  [again] k = Concat <axis = 1> (c, u)
  [map] l = Add(k, map)
  [blocks] s = SpaceToDepth <blocksize = 3> (j)
  [view] v = Reshape(s, view)
  y = Relu(v)
}`)
	k, err := infer.SizesOf(m)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, d := range k.Demands {
		got = append(got, d.Node.Label()+": "+d.A.String()+" = "+d.B.String())
	}
	list := strings.Join(got, "; ")
	for _, want := range []string{"join: 2*floor(H/2) = H", "join: 2*floor(W/2) = W", "map: W = 6", "blocks: ", "view: ", "= ?"} {
		if !strings.Contains(list, want) {
			t.Errorf("demands are %s, want %q among them", list, want)
		}
	}
	if m.Graph.Value("p").Type.Kind != graph.NoType {
		t.Error("the model is changed")
	}
}

// TestDemandsOfViews tells what sizes have to be for a view by halves of them with an open dimension, where
// sizes that are multiples show what that is.
func TestDemandsOfViews(t *testing.T) {
	for _, c := range []struct{ shape, want string }{
		{"open, three, h, two, w, two", "3*H*N*W = 12*N*floor(H/2)*floor(W/2)"},
		{"open, h, two", "3*H*N*W = 6*N*W*floor(H/2)"},
		{"open, three, H, W", ""},
		{"open, h, W, H", ""}, // the rest depends on H
		{"keep, keep, open, two, W", "H = 2*floor(H/2)"},
	} {
		m := network(t, `g (float[N,3,H,W] x) => (float y)
<int64[1] open = {-1}, int64[1] two = {2}, int64[1] three = {3}, int64[1] keep = {0}, int64[1] i = {2}, int64[1] j = {3}>
{
  s = Shape(x)
  H = Gather(s, i)
  W = Gather(s, j)
  h = Div(H, two)
  w = Div(W, two)
  shape = Concat <axis = 0> (`+c.shape+`)
  v = Reshape(x, shape)
  y = ReduceSum <keepdims = 0> (v)
}`)
		k, err := infer.SizesOf(m)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, d := range k.Demands {
			got += d.A.String() + " = " + d.B.String()
		}
		if got != c.want {
			t.Errorf("[%s]: demands are %q, want %q", c.shape, got, c.want)
		}
	}
}

// TestChannelsBehindPad takes open channels from the first convolution, but not behind a Pad that changes them, or
// that a caller may make so.
func TestChannelsBehindPad(t *testing.T) {
	for _, c := range []struct{ inputs, pads, want string }{
		{"", "int64[8] p = {0, 0, 1, 1, 0, 0, 1, 1}, ", "float[N,2,H,W]"},
		{"", "int64[8] p = {0, 1, 0, 0, 0, 0, 0, 0}, ", "float[N,C,H,W]"},
		{", int64[8] p = {0, 1, 0, 0, 0, 0, 0, 0}", "", "float[N,C,H,W]"},
	} {
		m := network(t, "g (float[N,C,H,W] x"+c.inputs+") => (float[A,B,D,E] y)\n<"+c.pads+
			"float[1,2,1,1] w = {1, 2}>\n{\n  a = Pad(x, p)\n  y = Conv(a, w)\n}")
		k, err := infer.SizesOf(m)
		if err != nil {
			t.Fatal(err)
		}
		if got := k.Type(m.Graph.Value("x")).String(); got != c.want {
			t.Errorf("%s%s: the image is %s, want %s", c.inputs, c.pads, got, c.want)
		}
	}
}

// TestNameSizes names what inputs leave open, apart from what has that name already.
func TestNameSizes(t *testing.T) {
	m := network(t, `g (float["-1",3,"?",H] x, float["None","2*W"] z, float["-2",1,"-1","-1"] w) => (float[A,B] y) { y = Relu(z) }`)
	if !infer.NameSizes(m.Graph) || infer.NameSizes(m.Graph) {
		t.Error("open sizes are not named at once")
	}
	var got []string
	for _, v := range m.Graph.Inputs() {
		got = append(got, v.Type.String())
	}
	if s := strings.Join(got, " "); s != "float[N,3,H_2,H] float[z_0,2*W] float[N_2,1,H_3,W_2]" {
		t.Errorf("inputs are %s", s)
	}
}
