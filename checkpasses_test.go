package spikingir_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"spikingir"
	"spikingir/graph"
	"spikingir/onnxio/text"
	"spikingir/passes"
)

// rewrite is a pass that makes an operator another one.
func rewrite(name, from, to, changes string) *passes.Pass {
	return &passes.Pass{Name: name, Doc: "test", Changes: changes, Run: func(c *passes.Context) (bool, error) {
		done := false
		for n := range c.Model.Graph.Nodes() {
			if n.Is(from) {
				n.SetOp(graph.Op{Type: to})
				done = true
			}
		}
		return done, nil
	}}
}

// TestCheck: the first pass that changes results without saying so is named, others are told.
func TestCheck(t *testing.T) {
	const src = `<ir_version: 10, opset_import: ["" : 17]>
g (float[N,1,H,W] x) => (float[N,1,H,W] y)
{
  a = Relu (x)
  b = Exp (a)
  y = Neg (b)
}`
	same := rewrite("same", "Relu", "Abs", "") // of inputs from 0 to 1
	says := rewrite("says", "Exp", "Sqrt", "a root is no exponential")
	hides := rewrite("hides", "Neg", "Sin", "")
	breaks := rewrite("breaks", "Neg", "Nonsense", "")
	mends := rewrite("mends", "Nonsense", "Neg", "")
	none := rewrite("none", "Mul", "Add", "")
	nan := rewrite("nan", "Neg", "Log", "") // of negative numbers, behind Neg
	for _, c := range []struct {
		name      string
		passes    []*passes.Pass
		fromStart bool
		want      string // the text of the error, "" for none
		last      string // what is told of the last pass: differs, same, or why it is skipped
	}{
		{"keeps", []*passes.Pass{same, none}, false, "", ""},
		{"says", []*passes.Pass{same, says}, false, "", "differs"},
		{"hides", []*passes.Pass{same, says, hides}, false, "pass hides (step 3)", "differs"},
		{"from the start", []*passes.Pass{same, says, hides}, true, "pass says (step 2)", "differs"},
		{"cannot run", []*passes.Pass{same, breaks}, false, "", "it cannot be run after the pass"},
		{"could not run", []*passes.Pass{breaks, mends}, false, "", "it could not be run before"},
		{"runs again", []*passes.Pass{breaks, mends}, true, "", "same"},
		{"other numbers", []*passes.Pass{nan}, false, "pass nan (step 1)", "differs"},
	} {
		m, err := text.Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		var p spikingir.Pipeline
		for _, x := range c.passes {
			p = append(p, x.With())
		}
		var told []spikingir.PassCheck
		_, err = spikingir.Convert(context.Background(), m, spikingir.Options{Pipeline: p, Check: &spikingir.Check{
			Tolerance: 1e-4, FromStart: c.fromStart, Told: func(x spikingir.PassCheck) { told = append(told, x) }}})
		var d *spikingir.DifferenceError
		if c.want == "" && err != nil || c.want != "" && (!errors.As(err, &d) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
			continue
		}
		last := told[len(told)-1]
		got := last.Skipped
		if last.Agreement != nil {
			got = "same"
			if last.Difference == nil || *last.Difference > 1e-4 {
				got = "differs"
			}
		}
		if !strings.HasPrefix(got, c.last) || c.last == "" && got != "" {
			t.Errorf("%s: told %+v, want %q", c.name, last, c.last)
		}
	}
}
