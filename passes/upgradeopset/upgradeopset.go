// Package upgradeopset holds the pass upgrade-opset, which rewrites a model in
// the operators of a later opset.
package upgradeopset

import (
	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Pass brings the standard operators to the forms of a later opset.
//
// Before: a model of opset 7 to 24.
// After: the same model at opset `to`; a model that is there or beyond stays. A Resize to sizes that
// are no multiples needs 18 at least, which can state the sizes of rows and columns alone.
// Conditions: every operator is one of the standard, and none changed its meaning
// in a way that cannot be written in the later form; those that did are refused
// by name, all at once. The operators of model-local functions stay: functions
// import an opset of their own.
// Algebra: none; an attribute becomes an input, Upsample becomes Resize with
// asymmetric coordinates, a Softmax over several axes flattens them first.
//
// Before IR version 4 every initializer had to be listed as an input. Such
// inputs are taken off the list: they were constants all along.
var Pass = &passes.Pass{
	Name: "upgrade-opset",
	Doc: "rewrite the model in the operators of a later opset\n\n" +
		"The spiking operators are defined by standard ones of opset 17, so a model of\n" +
		"an older opset is brought there. Operators that cannot be are refused by name.",
	Options: []passes.Option{To},
	Gives:   passes.OpsetCurrent,
	Run:     run,
}

// To is the opset wanted.
var To = passes.Int("to", passes.FunctionOpset, passes.FunctionOpset, op.Newest, "the opset wanted (17 to 24)")

func run(c *passes.Context) (changed bool, err error) {
	m := c.Model
	to, from := To.Of(c), m.Opset("")
	if err := passes.CheckOpset(m); err != nil {
		return false, err
	}
	changed, err = freeInitializers(c)
	if err != nil || from >= max(to, leastFor(m.Graph, from)) {
		return changed, err
	}
	to = max(to, leastFor(m.Graph, from))
	typed := passes.Typed.Check(m) == nil
	u := &upgrade{c: c, refused: map[*graph.Node]bool{}}
	if u.types, err = infer.Types(m); err != nil {
		return changed, err
	}
	u.checkKnown()
	if from > 0 {
		if err := u.climb(from, to); err != nil {
			return changed, err
		}
	}
	if c.Refused() > 0 {
		return changed, nil
	}
	m.SetOpset("", to)
	m.IRVersion = max(m.IRVersion, minIR(to))
	if typed {
		return true, infer.Model(m)
	}
	return true, nil
}

// opsetOfAxes is the first opset in which a Resize can state sizes of some axes alone.
const opsetOfAxes = 18

// leastFor is the opset that the spiking form of the operators needs: a Resize to sizes that no
// factors state has to leave dimension 0 out, where timesteps lie.
func leastFor(g *graph.Graph, opset int64) int64 {
	for n := range g.Nodes() {
		if !n.Is("Resize") {
			continue
		}
		z, err := op.ResizeOf(n, opset)
		if err == nil && z.Sizes.Given && !byFactors(z, n.Output(0)) {
			return opsetOfAxes
		}
	}
	return 0
}

// byFactors reports whether a Resize to sizes multiplies each by a number that float32 holds.
func byFactors(z op.Resize, y *graph.Value) bool {
	in, ok := z.X.Type.Shape.Sizes()
	out, ok2 := y.Type.Shape.Sizes()
	if !ok || !ok2 || len(in) != len(out) {
		return false
	}
	for i := range in {
		if x := float32(out[i]) / float32(in[i]); float64(x)*float64(in[i]) != float64(out[i]) {
			return false
		}
	}
	return true
}

// freeInitializers takes initializers off the inputs of a model of IR version 3
// or before.
func freeInitializers(c *passes.Context) (changed bool, err error) {
	if c.Model.IRVersion >= 4 {
		return false, nil
	}
	g := c.Model.Graph
	for _, v := range g.Initializers() {
		if !v.IsInput() {
			continue
		}
		if err := g.RemoveInput(v); err != nil {
			return changed, err
		}
		changed = true
	}
	if changed {
		c.Notef(nil, "initializers are no inputs any more: IR version %d had to list them",
			c.Model.IRVersion)
		c.Model.IRVersion = 4
	}
	return changed, nil
}

func minIR(opset int64) int64 {
	switch {
	case opset >= 24:
		return 12
	case opset >= 23:
		return 11
	case opset >= 21:
		return 10
	case opset >= 19:
		return 9
	}
	return 8
}

// upgrade is one run: it collects what it cannot carry over.
type upgrade struct {
	c       *passes.Context
	types   map[string]graph.Type // of the main graph's values
	refused map[*graph.Node]bool
}

// typeOf is the type of a value, unknown in the rare cases where inference does
// not tell.
func (u *upgrade) typeOf(v *graph.Value) graph.Type {
	if v.Graph() == u.c.Model.Graph && v.Type.Shape == nil {
		return u.types[v.Name()]
	}
	return v.Type
}

func (u *upgrade) refuse(n *graph.Node, format string, args ...any) {
	u.refused[n] = true
	u.c.Refuse(n, format, args...)
}

// checkKnown refuses standard operators that are none.
func (u *upgrade) checkKnown() {
	for _, n := range passes.StandardNodes(u.c.Model) {
		if !known[n.Op().Type] {
			u.refuse(n, "no standard operator up to opset %d has this name", op.Newest)
		}
	}
}

func (u *upgrade) climb(from, to int64) error {
	for v := from + 1; v <= to; v++ {
		for _, n := range passes.StandardNodes(u.c.Model) {
			rewrite := changes[v][n.Op().Type]
			if rewrite == nil || u.refused[n] {
				continue
			}
			if err := rewrite(u, n, v); err != nil {
				return err
			}
		}
	}
	return nil
}
