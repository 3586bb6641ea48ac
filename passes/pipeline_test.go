package passes_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
	"spikingir/passes"
)

func nothing(*passes.Context) (bool, error) { return false, nil }

// pass makes a pass that does nothing but what run says.
func pass(name string, run func(*passes.Context) (bool, error)) *passes.Pass {
	return &passes.Pass{Name: name, Doc: "a test pass", Run: run}
}

// The options of the pass beta.
var (
	mode       = passes.OneOf("mode", "how", "fast", "slow")
	percentile = passes.Float("p", 99.9, 0, 100, "percentile")
	n          = passes.Int("n", 3, 1, 9, "count")
	on         = passes.Switch("on", false, "whether")
	path       = passes.Text("path", "", "where")
	odd        = passes.Odd("odd", 3, 1, 31, "width")
)

// known is the passes that the texts below name.
var known = []*passes.Pass{
	pass("alpha", nothing),
	{Name: "beta", Doc: "a test pass", Run: nothing, Options: []passes.Option{mode, percentile, n, on, path, odd}},
}

// matches reports whether err contains the text wanted, or is nil where none is.
func matches(err error, want string) bool {
	if err == nil || want == "" {
		return err == nil && want == ""
	}
	return strings.Contains(err.Error(), want)
}

// model is x -> Relu -> y.
func model() *graph.Model {
	g := graph.New("g", nil)
	x := g.AddInput("x", graph.TensorOf(graph.Float32, graph.ShapeOf(1, 2)))
	n := g.AddNode(graph.Op{Type: "Relu"}, nil, []*graph.Value{x}, "y")
	n.Name = "act"
	n.Output(0).Type = x.Type
	g.AddOutput(n.Output(0))
	return &graph.Model{IRVersion: 8, Opsets: []graph.Opset{{Version: 13}}, Graph: g}
}

func TestParse(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", ""},
		{"  ", ""},
		{"alpha", "alpha"},
		{"alpha,beta", "alpha,beta"},
		{" alpha , beta ", "alpha,beta"},
		{"beta{mode=slow}", "beta{mode=slow}"},
		{"beta{ mode = slow , p = 50 },alpha", "beta{mode=slow,p=50},alpha"},
		{"beta{},alpha", "beta,alpha"},
		{"beta{path=a=b}", "beta{path=a=b}"},
		{"alpha,alpha", "alpha,alpha"},
	}
	for _, test := range tests {
		p, err := passes.Parse(test.text, known)
		if err != nil {
			t.Errorf("%q: %v", test.text, err)
			continue
		}
		if p.String() != test.want {
			t.Errorf("%q prints as %q, want %q", test.text, p.String(), test.want)
		}
		again, err := passes.Parse(p.String(), known)
		if err != nil || again.String() != p.String() {
			t.Errorf("%q does not read back: %q, %v", p.String(), again.String(), err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"gamma", `no pass is called "gamma"; there are alpha, beta`},
		{"alpha,,beta", `want a pass between commas`},
		{"{mode=slow}", `want a pass between commas`},
		{"alpha,", `and none at the end`},
		{"beta{mode=slow", "lacks its closing brace"},
		{"beta{mode=slow}alpha", `found "alpha", want a comma`},
		{"beta{mode=slow},", `and none at the end`},
		{"beta{mode}", `found option "mode", want name=value`},
		{"beta{size=1}", `pass beta has no option "size"; it has mode p n on path odd`},
		{"alpha{size=1}", `pass alpha has no option "size"; it has none`},
		{"beta{mode=medium}", "pass beta, option mode=medium: want fast or slow"},
		{"beta{p=101}", "pass beta, option p=101: want a number from 0 to 100"},
		{"beta{p=NaN}", "want a number"},
		{"beta{n=1.5}", "want an integer from 1 to 9"},
		{"beta{on=yes}", "want on or off"},
		{"beta{odd=4}", "want an odd number from 1 to 31"},
		{"beta{p=1,p=2}", "option p stands twice"},
	}
	for _, test := range tests {
		p, err := passes.Parse(test.text, known)
		if err == nil {
			t.Errorf("%q is accepted as %q", test.text, p.String())
			continue
		}
		if !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: error %q, want it to contain %q", test.text, err, test.want)
		}
	}
}

func TestOptions(t *testing.T) {
	var got []string
	reader := *known[1]
	reader.Run = func(c *passes.Context) (bool, error) {
		got = append(got, fmt.Sprint(mode.Of(c), percentile.Of(c), n.Of(c), on.Of(c)))
		return false, nil
	}
	text := "beta,beta{mode=slow,p=12.5,n=4,on=on}"
	p, err := passes.Parse(text, []*passes.Pass{&reader})
	if err != nil {
		t.Fatal(err)
	}
	typed := passes.Pipeline{reader.With(), reader.With(mode.Set("slow"), percentile.Set(12.5), n.Set(4), on.Set(true))}
	if typed.String() != text {
		t.Errorf("settings print as %q, want %q", typed, text)
	}
	p = append(p, typed...)
	if _, err := p.Run(model(), passes.Options{}); err != nil {
		t.Fatal(err)
	}
	want := []string{"fast99.9 3 false", "slow12.5 4 true", "fast99.9 3 false", "slow12.5 4 true"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("options (-want +got):\n%s", d)
	}
}

func TestValidate(t *testing.T) {
	giver := &passes.Pass{Name: "giver", Doc: "d", Run: nothing, Gives: passes.Typed | passes.Split}
	taker := &passes.Pass{Name: "taker", Doc: "d", Run: nothing, Needs: passes.Typed}
	dropper := &passes.Pass{Name: "dropper", Doc: "d", Run: nothing,
		Needs: passes.Split, Drops: passes.Typed}
	silent := &passes.Pass{Name: "silent", Run: nothing}
	tests := []struct {
		pipeline []*passes.Pass
		want     string
	}{
		{nil, ""},
		{[]*passes.Pass{giver, taker, taker}, ""},
		{[]*passes.Pass{giver, dropper, giver, taker}, ""},
		{[]*passes.Pass{taker}, "step 1, pass taker, needs typed, which no earlier step leaves standing"},
		{[]*passes.Pass{taker, giver}, "given by giver"},
		{[]*passes.Pass{giver, dropper, taker}, "step 3, pass taker, needs typed"},
		{[]*passes.Pass{silent}, "pass silent is undocumented"},
	}
	wrong := passes.Pipeline{giver.With(on.Set(true))}
	if err := wrong.Validate(); !matches(err, `pass giver has no option "on"; it has none`) {
		t.Errorf("an option of another pass: %v", err)
	}
	wrong = passes.Pipeline{known[1].With(n.Set(10))}
	if err := wrong.Validate(); !matches(err, "pass beta, option n=10: want an integer from 1 to 9") {
		t.Errorf("a number out of range: %v", err)
	}
	for _, test := range tests {
		var p passes.Pipeline
		for _, q := range test.pipeline {
			p = append(p, q.With())
		}
		err := p.Validate()
		if !matches(err, test.want) {
			t.Errorf("%v: error %v, want %q", p, err, test.want)
		}
		if err == nil {
			continue
		}
		if _, err := p.Run(model(), passes.Options{}); err == nil {
			t.Errorf("%v runs though it is not valid", p)
		}
	}
}

func TestRunFailures(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name string
		run  func(*passes.Context) (bool, error)
		want string
	}{
		{"error", func(*passes.Context) (bool, error) { return false, boom }, "pass broken: boom"},
		{"panic", func(*passes.Context) (bool, error) { panic("oh") }, "pass broken: internal error: oh"},
		{"undeclared option", func(c *passes.Context) (bool, error) { return on.Of(c), nil },
			"broken reads undeclared option on"},
		{"ill-formed graph", func(c *passes.Context) (bool, error) {
			_, err := c.Model.Graph.NewValue("loose")
			return true, err
		}, "left an ill-formed graph"},
		{"no provenance", func(c *passes.Context) (bool, error) {
			g := c.Model.Graph
			g.AddNode(graph.Op{Type: "Neg"}, nil, g.Inputs(), "z")
			return true, nil
		}, `made node "z" without provenance`},
		{"no calibration", func(c *passes.Context) (bool, error) {
			_, err := c.Calibrate(nil)
			return false, err
		}, "needs calibration images and got none"},
		{"no evaluation", func(c *passes.Context) (bool, error) {
			_, err := c.Evaluate(nil)
			return false, err
		}, "nothing to evaluate constants with"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := passes.Pipeline{pass("first", nothing).With(), pass("broken", test.run).With()}
			reports, err := p.Run(model(), passes.Options{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("error %v, want %q", err, test.want)
			}
			var failure *passes.Error
			if !errors.As(err, &failure) || failure.Pass != "broken" || failure.Index != 1 {
				t.Errorf("error %#v, want a passes.Error at index 1", err)
			}
			if len(reports) != 1 {
				t.Errorf("%d reports, want that of the step before", len(reports))
			}
		})
	}
}

func TestRunHoldsClaims(t *testing.T) {
	liar := &passes.Pass{Name: "liar", Doc: "d", Run: nothing, Gives: passes.Timed}
	_, err := passes.Pipeline{liar.With()}.Run(model(), passes.Options{})
	want := "pass liar: did not give what it claims: timed: the model holds no spiking node"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}

// TestRunReports checks what a run reports, that a late producer is sorted into
// place, and that provenance raises the IR version.
func TestRunReports(t *testing.T) {
	negate := pass("negate", func(c *passes.Context) (bool, error) {
		g := c.Model.Graph
		act := g.Outputs()[0].Producer()
		x := act.Input(0)
		n := c.Append(act, "neg", graph.Op{Type: "Neg"}, nil, []*graph.Value{x}, "minus")
		n.Output(0).Type = x.Type
		act.SetInput(0, n.Output(0))
		c.Notef(n, "negated %d", 1)
		c.Notef(nil, "done")
		return true, nil
	})
	m := model()
	var seen []string
	o := passes.Options{After: func(r passes.Report, m *graph.Model) error {
		seen = append(seen, fmt.Sprintf("%d %s %v %d", r.Index, r.Step, r.Changed, r.Nodes))
		return nil
	}}
	p := passes.Pipeline{pass("idle", nothing).With(), negate.With()}
	reports, err := p.Run(m, o)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"0 idle false 1", "1 negate true 2"}, seen); d != "" {
		t.Errorf("reports (-want +got):\n%s", d)
	}
	notes := fmt.Sprint(reports[1].Notes)
	if want := `[negate: node "act": negated 1 negate: done]`; notes != want {
		t.Errorf("notes %s, want %s", notes, want)
	}
	var order []string
	for n := range m.Graph.Nodes() {
		order = append(order, fmt.Sprintf("%s from %q by %q", n.Name, n.From.Node, n.From.Pass))
	}
	want := []string{`neg from "act" by "negate"`, `act from "" by ""`}
	if d := cmp.Diff(want, order); d != "" {
		t.Errorf("nodes (-want +got):\n%s", d)
	}
	if m.IRVersion != 8 {
		t.Errorf("IR version %d, want 8, as it was: provenance has a place in each", m.IRVersion)
	}
}

func TestRunStops(t *testing.T) {
	ran := 0
	count := pass("count", func(*passes.Context) (bool, error) { ran++; return false, nil })
	p := passes.Pipeline{count.With(), count.With(), count.With()}
	reports, err := p.Run(model(), passes.Options{Limit: 2})
	if err != nil || ran != 2 || len(reports) != 2 {
		t.Errorf("limit 2: ran %d, %d reports, error %v", ran, len(reports), err)
	}
	ran = 0
	stop := errors.New("stop")
	after := func(passes.Report, *graph.Model) error { return stop }
	_, err = p.Run(model(), passes.Options{After: after})
	if !errors.Is(err, stop) || ran != 1 {
		t.Errorf("after an error of After: ran %d, error %v", ran, err)
	}
}

func TestFactsPrint(t *testing.T) {
	f := passes.Typed | passes.Timed
	if f.String() != "typed, timed" || f.Count() != 2 || !f.Has(passes.Timed) || f.Has(passes.Split) {
		t.Errorf("facts %v, count %d", f, f.Count())
	}
	if passes.Facts(0).String() != "none" {
		t.Errorf("no facts print as %q", passes.Facts(0).String())
	}
}

func TestUnsupported(t *testing.T) {
	err := &passes.Unsupported{Refusals: []passes.Refusal{{"a", "MaxPool", "why"}, {"b", "Foo", "so"}}}
	want := `node "a" (MaxPool): why; node "b" (Foo): so`
	if err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

// TestContext holds that a run ends with its context: between passes, between the nodes of
// one, and before a constant is computed.
func TestContext(t *testing.T) {
	for _, where := range []string{"between", "nodes", "constants"} {
		ctx, cancel := context.WithCancel(context.Background())
		later := 0
		first := &passes.Pass{Name: "first", Doc: "ends the context", Run: func(c *passes.Context) (bool, error) {
			cancel()
			switch where {
			case "nodes":
				return c.Each(func(*graph.Node) (bool, error) { later++; return false, nil })
			case "constants":
				_, err := c.Evaluate(nil)
				return false, err
			}
			return false, nil
		}}
		second := &passes.Pass{Name: "second", Doc: "must not run", Run: func(*passes.Context) (bool, error) { later++; return false, nil }}
		g := graph.New("g", nil)
		g.AddOutput(g.AddNode(graph.Op{Type: "Relu"}, nil, []*graph.Value{g.AddInput("x", graph.Type{})}, "y").Output(0))
		_, err := passes.Pipeline{first.With(), second.With()}.Run(&graph.Model{Graph: g}, passes.Options{Context: ctx,
			Evaluate: func(*graph.Node, int64) ([]*graph.Tensor, error) { later++; return nil, nil }})
		if !errors.Is(err, context.Canceled) || later != 0 {
			t.Errorf("%s: %v, and %d things were done after the end", where, err, later)
		}
	}
}
