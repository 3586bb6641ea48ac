// Package downgradeopset holds the pass downgrade-opset, which rewrites a model in
// the operators of an earlier opset.
package downgradeopset

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Pass brings the standard operators to the forms of an earlier opset.
//
// Before: a model of opset 10 to 24.
// After: the same model at opset `to`; a model that is there or before stays.
// Conditions: what is an attribute in the earlier form is constant, and each operator is there or can be said in
// others that are; those of which this does not hold are refused by name, all at once. The bodies of model-local
// functions import the opset too, and are refused where they would have to change.
// Algebra: a >= b is 1 - [a < b] where a Cast makes numbers of it, else Not(a < b): another value where
// one is no number. HardSwish, Mish, Swish and Gelu are products of their
// definitions; a Softmax over an inner axis stands between Transposes; DepthToSpace of columns first is that of depth
// first with the channels in another order.
var Pass = &passes.Pass{
	Name: "downgrade-opset",
	Doc: "rewrite the model in the operators of an earlier opset\n\n" +
		"For runtimes that know no later one. Operators that cannot be said in it are\n" +
		"refused by name.",
	Options: []passes.Option{To},
	Drops:   passes.OpsetCurrent,
	Run:     run,
}

// Oldest is the first opset that the pass reaches.
const Oldest = 9

// To is the opset wanted.
var To = passes.Int("to", Oldest, Oldest, op.Newest, "the opset wanted (9 to 24)")

func run(c *passes.Context) (changed bool, err error) {
	m := c.Model
	to, from := To.Of(c), m.Opset("")
	if err := passes.CheckOpset(m); err != nil {
		return false, err
	}
	if from <= to && !slices.ContainsFunc(m.Functions, func(f *graph.Function) bool { return f.Opset("") > to }) {
		return false, nil
	}
	typed := passes.Typed.Check(m) == nil
	d := &downgrade{c: c, refused: map[*graph.Node]bool{}, ones: map[*graph.Graph]*graph.Value{}}
	if d.types, err = infer.Types(m); err != nil {
		return false, err
	}
	if err := d.descend(from, to); err != nil {
		return true, err
	}
	for _, f := range m.Functions {
		d.function(f, to)
	}
	if c.Refused() > 0 {
		return true, nil
	}
	if err := d.dropSpent(); err != nil {
		return true, err
	}
	m.SetOpset("", min(from, to))
	if typed {
		return true, infer.Model(m)
	}
	return true, nil
}

// downgrade is one run: it collects what has no earlier form.
type downgrade struct {
	c       *passes.Context
	types   map[string]graph.Type // of the main graph's values
	refused map[*graph.Node]bool
	spent   []*graph.Value                // initializers that attributes took the place of
	ones    map[*graph.Graph]*graph.Value // the number 1 as an initializer
}

// typeOf is the type of a value, unknown in the rare cases where inference does
// not tell.
func (d *downgrade) typeOf(v *graph.Value) graph.Type {
	if v.Graph() == d.c.Model.Graph && v.Type.Shape == nil {
		return d.types[v.Name()]
	}
	return v.Type
}

func (d *downgrade) refuse(n *graph.Node, format string, args ...any) {
	if !d.refused[n] {
		d.refused[n] = true
		d.c.Refuse(n, format, args...)
	}
}

// descend goes from opset to opset; each rewriting makes operators of the one before.
func (d *downgrade) descend(from, to int64) error {
	for v := from; v > to; v-- {
		for _, n := range passes.StandardNodes(d.c.Model) {
			if d.refused[n] || n.Graph() == nil {
				continue
			}
			if rewrite := changes[v][n.Op().Type]; rewrite != nil {
				if err := rewrite(d, n, v); err != nil {
					return err
				}
			}
			if v <= 11 && n.Graph() != nil {
				d.countAxes(n)
			}
		}
		for _, n := range passes.StandardNodes(d.c.Model) {
			if !d.refused[n] {
				d.settle(n, v)
			}
		}
	}
	return nil
}

// settle holds n to its form of opset v-1: attributes that it does not have there are dropped where they
// state what is meant without them.
func (d *downgrade) settle(n *graph.Node, v int64) {
	spec := op.Lookup(n.Op())
	if spec == nil {
		d.refuse(n, "the operator is not known")
		return
	}
	form := spec.Form(v - 1)
	if form == nil {
		d.refuse(n, "there is no such operator before opset %d", spec.Since)
		return
	}
	for _, a := range slices.Clone(n.Attrs) {
		if slices.ContainsFunc(form.Attrs, func(k op.Attr) bool { return k.Name == a.Name }) {
			continue
		}
		if !isDefault(a) {
			d.refuse(n, "%s = %v has no form before opset %d", a.Name, a.Value, v)
			return
		}
		n.Attrs.Delete(a.Name)
	}
	if err := op.Check(n, v-1); err != nil {
		d.refuse(n, "%s", op.Problem(err))
	}
}

// function makes a function import the opset; its operators are to be the same there.
func (d *downgrade) function(f *graph.Function, to int64) {
	from := f.Opset("")
	if from <= to {
		return
	}
	only := graph.Model{Graph: f.Body}
	for g := range only.Graphs() {
		for n := range g.Nodes() {
			if n.Op().Domain != "" {
				continue
			}
			same := op.Check(n, to) == nil
			for v := to + 1; v <= from; v++ {
				same = same && (changes[v][n.Op().Type] == nil || v > 11 && padsConstants(n))
			}
			if !same {
				d.refuse(n, "it is in the body of the function %v, which opset %d would change", f.Op(), to)
			}
		}
	}
	for i := range f.Opsets {
		if o := &f.Opsets[i]; o.Domain == "" || o.Domain == "ai.onnx" {
			o.Version = to
		}
	}
}

// padsConstants reports whether n is a Pad of the mode that all opsets have: what else changed is its inputs.
func padsConstants(n *graph.Node) bool { return n.Is("Pad") && len(n.Attrs) == 0 }

// dropSpent removes initializers that nothing reads any more.
func (d *downgrade) dropSpent() error {
	for _, v := range d.spent {
		if v.Graph() == nil || !v.IsConstant() || v.NumUses() > 0 || v.IsOutput() {
			continue
		}
		if err := v.Graph().RemoveInitializer(v); err != nil {
			return err
		}
	}
	return nil
}
