package passtest

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/passes"
	"spikingir/runtime/equiv"
)

// model is the case of every test here; the passes below turn its Neg around.
const model = `<ir_version: 10, opset_import: ["" : 21]>
g (float[N,3] x) => (float[N,3] y)
{
  [first] a = Neg(x)
  [second] y = Neg(a)
}
`

// folded is the model as replaceBy leaves it.
const folded = `<ir_version: 10, opset_import: ["" : 21]>
g (float[N,3] x) => (float[N,3] y)
{
  [second] y = Abs(x) # origin="second" pass="test"
}
`

// replaceBy puts one node of the operator in the place of both Neg.
func replaceBy(typ string) func(*passes.Context) (bool, error) {
	return func(c *passes.Context) (bool, error) {
		y := c.Model.Graph.Outputs()[0].Producer()
		if !y.Is("Neg") {
			return false, nil
		}
		first := y.Input(0).Producer()
		_, err := c.Fuse(y, graph.Op{Type: typ}, nil, first.Inputs(), first, y)
		return true, err
	}
}

func testPass(run func(*passes.Context) (bool, error)) *passes.Pass {
	return &passes.Pass{Name: "test", Doc: "a test pass", Run: run}
}

// TestDriver demands that the driver finds what is wrong with a pass or case.
func TestDriver(t *testing.T) {
	t.Setenv("UPDATE", "")
	after := "-- after --\n" + printed(t, folded)
	unchanged := "-- after --\n" + printed(t, model)
	positive := "-- equiv --\nlo 0.5\n"
	needing, giving := testPass(replaceBy("Abs")), testPass(replaceBy("Abs"))
	needing.Needs, giving.Gives = passes.Timed, passes.Timed
	tests := []struct {
		name, sections string
		pass           *passes.Pass
		want           string
	}{
		{"right", after + positive, testPass(replaceBy("Abs")), ""},
		{"wrong result", after, testPass(replaceBy("Abs")), "output \"y\", element"},
		{"wrong golden", unchanged, testPass(replaceBy("Abs")), "after differs"},
		{"no golden", "", testPass(replaceBy("Abs")), "after differs"},
		{"missing note", after + positive + "-- notes --\ntest: done\n", testPass(replaceBy("Abs")),
			"notes differs"},
		{"needs", after, needing, "holds no spiking node"},
		{"gives", after, giving, "did not give what it claims"},
		{"silent change", after + positive, testPass(func(c *passes.Context) (bool, error) {
			_, err := replaceBy("Abs")(c)
			return false, err
		}), "reports changed=false"},
		{"false change", unchanged, testPass(func(*passes.Context) (bool, error) {
			return true, nil
		}), "reports changed=true"},
		{"unsettled", "-- after --\n" + strings.Replace(printed(t, model), "Neg(x)",
			`Abs(x) # origin="first" pass="test"`, 1), testPass(flip), "a second run changes the model"},
		{"lost metadata", after + positive, testPass(func(c *passes.Context) (bool, error) {
			changed, err := replaceBy("Abs")(c)
			c.Model.Graph.Outputs()[0].Producer().Metadata = nil
			return changed, err
		}), "metadata of the node second is lost"},
		{"error", "-- error --\nno\n", testPass(fail), ""},
		{"other error", "-- error --\nyes\n", testPass(fail), "error differs"},
		{"no error", "-- error --\nno\n", testPass(replaceBy("Abs")), "the pass succeeded"},
		{"surprise", after, testPass(fail), "the pass failed"},
		{"option", after + "-- options --\nsize=1\n", testPass(replaceBy("Abs")), "has no option"},
		{"runs after all", after + "-- equiv --\ncannot-run because\n", testPass(replaceBy("Abs")),
			"before runs"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c, err := parseCase("case.txtar", []byte("Text.\n-- before --\n"+model+test.sections))
			if err != nil {
				t.Fatal(err)
			}
			err = c.run(test.pass)
			if !matches(err, test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

// matches reports whether err contains the text wanted, or is nil where none is.
func matches(err error, want string) bool {
	if err == nil || want == "" {
		return err == nil && want == ""
	}
	return strings.Contains(err.Error(), want)
}

func fail(*passes.Context) (bool, error) { return false, errors.New("no") }

// flip replaces the first Neg or Abs by the other, again and again.
func flip(c *passes.Context) (bool, error) {
	n := c.Model.Graph.Outputs()[0].Producer().Input(0).Producer()
	other := map[string]string{"Neg": "Abs", "Abs": "Neg"}[n.Op().Type]
	_, err := c.Replace(n, graph.Op{Type: other}, nil, n.Inputs()...)
	return true, err
}

// printed is a model's text as the printer writes it.
func printed(t *testing.T, src string) string {
	t.Helper()
	m, err := parse(src)
	if err != nil {
		t.Fatal(err)
	}
	return format(m)
}

func TestCaseErrors(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"no comment", "-- before --\n", "lacks its comment"},
		{"no before", "Text.\n-- after --\n", "lacks section before"},
		{"unknown section", "Text.\n-- before --\n-- behind --\n", `section "behind" is unknown`},
		{"twice", "Text.\n-- before --\n-- before --\n", "stands twice"},
		{"error and after", "Text.\n-- before --\n-- after --\n-- error --\n", "instead of after"},
		{"unknown setting", "Text.\n-- before --\n-- equiv --\nspeed 1\n", "no such setting"},
		{"large tolerance", "Text.\n-- before --\n-- equiv --\ntol 0.01\n", "is above 0.001; say why"},
		{"explained tolerance", "Text.\n-- before --\n-- equiv --\ntol 0.01\nspiking T is 10\n", ""},
		{"no reason", "Text.\n-- before --\n-- equiv --\ncannot-run\n", "want a reason"},
		{"bad dims", "Text.\n-- before --\n-- calib --\ndims N\n", "want NAME=SIZE"},
		{"interpreter", "Text.\n-- before --\n-- equiv --\ninterpret\n", ""},
		{"interpreter's name", "Text.\n-- before --\n-- equiv --\ninterpret all\n", "want nothing"},
		{"bad range", "Text.\n-- before --\n-- calib --\nlo 2\n", "lo <= hi"},
	}
	for _, test := range tests {
		_, err := parseCase("case.txtar", []byte(test.text))
		if !matches(err, test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}

// TestCalibrate holds the statistics against those of a known range: the
// elements of x lie on a grid of 0, 1/4, ... 1.
func TestCalibrate(t *testing.T) {
	c, err := parseCase("case.txtar", []byte("Text.\n-- before --\n"+model+
		"-- calib --\nlo 0\nhi 1\ngrid 4\nn 8\ndims N=50\n"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := parse(model)
	if err != nil {
		t.Fatal(err)
	}
	stats, err := c.calibrate(m, []string{"a", "y"})
	if err != nil {
		t.Fatal(err)
	}
	y, a := stats.Values["y"], stats.Values["a"]
	if len(y.Channels) != 3 || y.Channels[0].Count != 8*50 {
		t.Fatalf("%d channels of %d elements, want 3 of 400", len(y.Channels), y.Channels[0].Count)
	}
	if got := y.Percentile(100, graph.OverNonzero, graph.Positive); got != 1 {
		t.Errorf("maximum of y is %g, want 1", got)
	}
	if got := a.Percentile(100, graph.OverNonzero, graph.Negative); got != 1 {
		t.Errorf("maximum of -a is %g, want 1", got)
	}
	if _, err := c.calibrate(m, []string{"none"}); err == nil {
		t.Error("a value that does not exist is calibrated")
	}
}

// TestInterpret runs functions with attributes: given, by default, left out and
// passed on; one input is omitted, an If chooses a graph that the caller gave.
func TestInterpret(t *testing.T) {
	m, err := parse(`<ir_version: 10, opset_import: ["" : 17, "local" : 1]>
g (float[3] x, bool c) => (float[3] y)
<float low = {-1}>
{
  a = local.Leak <a = 0.5> (x)
  y = local.Pick <body = given () => (p) { p = Neg(a) }> (a, low, , c)
}
<domain: "local", opset_import: ["" : 17]>
Leak <a, b: float = 0.25> (u) => (v)
{
  p = LeakyRelu <alpha: float = @a> (u)
  v = LeakyRelu <alpha: float = @b> (p)
}
<domain: "local", opset_import: ["" : 17]>
Pick <body, none> (u, lo, hi, c) => (v)
{
  p = Clip(u, lo, hi)
  q = LeakyRelu <alpha: float = @none> (p)
  r = If <then_branch: graph = @body, else_branch = no () => (s) { s = Abs(u) }> (c)
  v = Add(q, r)
}
`)
	if err != nil {
		t.Fatal(err)
	}
	// Leak halves and quarters what is negative: -16 becomes -2. Clip makes that -1,
	// the default slope -0.01.
	for _, test := range []struct {
		c    byte
		want []float32
	}{{1, []float32{-0.01 + 2, 0, 0}}, {0, []float32{-0.01 + 2, 6, 0}}} {
		c, err := graph.NewTensor(graph.Bool, nil, []byte{test.c})
		if err != nil {
			t.Fatal(err)
		}
		x := graph.NewFloat32([]int64{3}, []float32{-16, 3, 0})
		out, err := equiv.Interpret(m, map[string]*graph.Tensor{"x": x, "c": c})
		if err != nil {
			t.Fatal(err)
		}
		got, err := out["y"].Float32s()
		if err != nil || !slices.Equal(got, test.want) {
			t.Errorf("condition %d: y is %v (%v), want %v", test.c, got, err, test.want)
		}
	}
}

func TestDifference(t *testing.T) {
	inf := math.Inf(1)
	tests := []struct{ a, b, want float64 }{
		{1, 1, 0}, {0, 0.5, 0.5}, {100, 101, 0.01}, {-2, 2, 2}, {inf, inf, 0},
		{inf, 1, inf}, {math.NaN(), math.NaN(), 0}, {1, math.NaN(), inf},
	}
	for _, test := range tests {
		if got := equiv.Relative(test.a, test.b); got != test.want {
			t.Errorf("difference of %g and %g is %g, want %g", test.a, test.b, got, test.want)
		}
	}
}
