package train

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/onnxio"
	"spikingir/runtime/kernel"
)

// setSome puts x into every other element of an initializer, beginning with the
// first.
func setSome(m *graph.Model, v *graph.Value, x float32) {
	list, err := v.Const.Float32s()
	if err != nil {
		panic(err)
	}
	for i := 0; i < len(list); i += 2 {
		list[i] = x
	}
	m.Graph.SetInitializer(v, graph.NewFloat32(v.Const.Dims, list), nil)
}

// TestCompileErrors demands errors that name the node, and tell what was found and
// what is wanted.
func TestCompileErrors(t *testing.T) {
	const good = `
e = ai.spikingir.Encode <@> (x)
c = Conv (e, w)
s, v = ai.spikingir.IF <@, v0 = 0.0> (c, "", t)
y = ai.spikingir.Decode <@> (s)`
	const params = "w 2,1,1,1 1\nt - 0.1 0.5\nb2 2 0.1\nrow 5 0.1"
	untimed := strings.NewReplacer("@", "timesteps = 0, post = 0")
	for _, c := range []struct {
		name, body string
		h, w       int
		o          Options
		want       []string
	}{
		{"untimed", untimed.Replace(good), 4, 5, Options{}, []string{`"s"`, "timesteps"}},
		{"two times", good + `
e2 = ai.spikingir.Encode <timesteps = 7, post = 0> (x)
s2, v2 = ai.spikingir.IF <timesteps = 7, post = 0, v0 = 0.0> (e2, "", t)`, 4, 5, Options{}, []string{`"s2"`, "7 timesteps"}},
		{"no size", good, 0, 5, Options{}, []string{"0x5"}},
		{"slope", good, 4, 5, Options{Slope: -1}, []string{"slope -1"}},
		{"kernel too large", strings.Replace(good, "Conv (e, w)", "Conv (e, w77)", 1), 4, 5, Options{}, []string{`"c"`}},
		{"bias of another shape", strings.Replace(good, `"", t`, "row, t", 1), 4, 5, Options{}, []string{`"s"`, "2 channels", "[5]"}},
		{"channels", strings.Replace(good, "Conv (e, w)", "Conv (e, w23)", 1), 4, 5, Options{}, []string{`"c"`, "1 channels"}},
		{"not read out", strings.Replace(good, "y = ai.spikingir.Decode <@> (s)", "y = Identity (s)", 1), 4, 5, Options{},
			[]string{`"y"`, "read out"}},
		{"no parameters", "y = Relu (x)", 4, 5, Options{}, []string{"no parameters"}},
		{"no gradient", strings.Replace(good, "c = Conv (e, w)", "d = Conv (e, w)\nc = Hardmax (d)", 1), 4, 5, Options{}, []string{`"c"`}},
		{"computed threshold", strings.Replace(good, `(c, "", t)`, `(c, "", c)`, 1), 4, 5, Options{}, []string{`"s"`, "input 2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			list := params
			if strings.Contains(c.body, "w77") {
				list += "\nw77 2,1,7,7 1"
			}
			if strings.Contains(c.body, "w23") {
				list += "\nw23 2,3,1,1 1"
			}
			net := netCase{steps: 3, post: 1, channels: 1, params: list, body: c.body}
			_, err := Compile(net.model(t), c.h, c.w, c.o)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q, want %q in it", err, want)
				}
			}
		})
	}
}

// TestOverridable leaves initializers alone that a caller may give as inputs.
func TestOverridable(t *testing.T) {
	c := netCases[0]
	src := strings.Replace(c.source(), "(float[N,1,H,W] x)", "(float[N,1,H,W] x, float[12,12,3,3] w2, float[12,1,1] b2)", 1)
	n := compile(t, parse(t, src), c.h, c.w, Options{})
	for _, p := range n.params {
		if p.Name == "w2" || p.Name == "b2" {
			t.Errorf("%s is a parameter", p.Name)
		}
	}
	by := normal(rand.New(rand.NewPCG(3, 4)), n.output.elems)
	out, got := gradients(t, n, c.image(), by, Spikes, Hooks{})
	full := c.compile(t, Options{})
	wantOut, want := gradients(t, full, c.image(), by, Spikes, Hooks{})
	sameBits(t, "output", [][]float32{out}, [][]float32{wantOut})
	for i, p := range n.params {
		for k, q := range full.params {
			if p.Name == q.Name {
				sameBits(t, p.Name, got[i:i+1], want[k:k+1])
			}
		}
	}
}

// TestStoreUnchanged demands that a model that was not trained keeps its bits.
func TestStoreUnchanged(t *testing.T) {
	for _, c := range append(netCases, twinCase) {
		m := c.model(t)
		for _, v := range m.Graph.Initializers() {
			if v.Name()[0] == 't' {
				setSome(m, v, 1e-3)
			}
		}
		before := encoded(t, m)
		compile(t, m, c.h, c.w, Options{TrainThresholds: true, TrainV0: true}).Store()
		for n := range m.Graph.Nodes() {
			n.Metadata.Delete("spikingir.beta")
		}
		if after := encoded(t, m); !slices.Equal(before, after) {
			t.Errorf("%s: a model that was only compiled is stored with other bytes", c.name)
		}
	}
}

func encoded(t *testing.T, m *graph.Model) []byte {
	t.Helper()
	data, err := onnxio.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestStore changes all parameters, and demands of the stored model, through a file
// and package exec, what the net computes.
func TestStore(t *testing.T) {
	for _, c := range append(netCases, twinCase) {
		t.Run(c.name, func(t *testing.T) {
			m, x := c.model(t), c.image()
			n := compile(t, m, c.h, c.w, Options{TrainThresholds: true, TrainV0: true})
			before, err := n.NewWorker().Forward(x, Spikes, Hooks{})
			if err != nil {
				t.Fatal(err)
			}
			r := rand.New(rand.NewPCG(c.seed, 9))
			for _, p := range n.Params() {
				for i := range p.Data {
					p.Data[i] += float32(0.1 * r.NormFloat64())
				}
			}
			n.Refresh()
			n.Store()
			stored, err := onnxio.Decode(encoded(t, m))
			if err != nil {
				t.Fatal(err)
			}
			sameForward(t, n, stored, x)
			after, err := n.NewWorker().Forward(x, Spikes, Hooks{})
			if err != nil {
				t.Fatal(err)
			}
			if kernel.Add(after, after, negative(before)); norm(after) < 0.1 {
				t.Errorf("other parameters change the output by %v", norm(after))
			}
			again := compile(t, stored, c.h, c.w, Options{TrainThresholds: true, TrainV0: true})
			for i, p := range again.Params() {
				q := n.Params()[i]
				if p.Name != q.Name || !slices.Equal(p.elems, q.elems) {
					t.Errorf("%s is %v, stored as %v", q.Name, q.elems, p.elems)
				}
			}
		})
	}
}

func negative(x []float32) []float32 {
	y := slices.Clone(x)
	kernel.MulScalar(y, y, -1)
	return y
}

// TestBetaMetadata demands that the beta of a stored firing level is written beside
// it.
func TestBetaMetadata(t *testing.T) {
	m := twinCase.model(t)
	n := compile(t, m, twinCase.h, twinCase.w, Options{})
	for _, p := range n.Params() {
		if p.Role == Beta {
			copy(p.Data, []float32{0, 1, -2, 0.5, 3})
		}
	}
	n.Refresh()
	n.Store()
	for node := range m.Graph.Nodes() {
		if !node.IsSpiking("MPRN") {
			continue
		}
		if got, _ := node.Metadata.Get("spikingir.beta"); got != "0,1,-2,0.5,3" {
			t.Errorf("beta is written as %q", got)
		}
		alpha, err := node.Input(3).Const.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		if want := 0.5/(1+math.Exp(2)) + 0.5; alpha[0] != 0.75 || math.Abs(float64(alpha[2])-want) > 1e-7 {
			t.Errorf("alpha is %v", alpha)
		}
		return
	}
	t.Error(fmt.Sprint("no MPRN in ", m.Graph.Name))
}
