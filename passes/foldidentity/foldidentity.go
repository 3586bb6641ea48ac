// Package foldidentity holds the pass fold-identity, which removes operators
// that copy their input.
package foldidentity

import (
	"slices"

	"spikingir/graph"
	"spikingir/passes"
)

// Pass hands the uses of a copying operator's output over to its input.
//
// Before: y = F(x), where F copies: Identity; Dropout outside training; Cast and
// CastLike to the type x has; Transpose that keeps the order; Reshape, Flatten, Squeeze,
// Unsqueeze, Slice, Expand and Tile to the shape x has; Concat, Sum, Mean, Max and
// Min of one tensor; Split into one; Pad by nothing; Resize and Upsample by 1;
// pooling of single elements; DepthToSpace and SpaceToDepth by 1; Add and Sub of
// zeros; Mul, Div and Pow by ones; Clip and Relu whose limits x never passes; SequenceAt
// of a sequence whose tensors are known.
// After: every use of y reads x; a graph output y keeps its name. Transposes in a
// row become one, and views in a row that end in the shape they began with go. So do
// sequences: SplitToSequence becomes a Split, ConcatFromSequence a Concat.
// Conditions: the copy is certain from constants and known types. A copy that
// joins two public names (y a graph output; x a graph input, an initializer or
// another output) stays, as does one whose other outputs are in use. Of sequences the
// sizes and positions are constants; one that a Loop or If reads stays.
// Algebra: y = x.
var Pass = &passes.Pass{
	Name: "fold-identity",
	Doc: "remove operators that copy their input\n\n" +
		"Identity, Dropout outside training, and operators that change nothing: a\n" +
		"Reshape to the same shape, Transposes that undo each other, Add of 0, Mul by 1,\n" +
		"a Clip that limits nothing. A copy between two names of the model's interface\n" +
		"stays. Sequences of tensors that are known become the tensors.",
	Gives: passes.NoIdentity,
	Run:   run,
}

func run(c *passes.Context) (changed bool, err error) {
	g := c.Model.Graph
	r := ranges{opset: c.Model.Opset(""), known: map[*graph.Value]interval{}}
	t := tensors{c, r.opset}
	return c.Each(func(n *graph.Node) (bool, error) {
		find := copies[n.Op()]
		if rewrite := sequences[n.Op()]; rewrite != nil && n.Input(0) != nil && n.Output(0) != nil {
			if done, err := rewrite(&t, n); done || err != nil {
				return done, err
			}
		}
		if find == nil || n.Input(0) == nil || n.Output(0) == nil || otherOutputs(n) {
			return false, nil
		}
		merged := false
		if n.Is("Transpose") {
			merged = mergeTranspose(n)
		}
		x, err := find(&r, n)
		if err != nil || x == nil || joinsPublic(x, n.Output(0)) {
			return merged, err
		}
		if err := g.ReplaceUses(n.Output(0), x); err != nil {
			return true, err
		}
		sequence := n.Input(0)
		if err := g.Remove(n); err != nil {
			return true, err
		}
		return true, drop(sequence)
	})
}

// joinsPublic reports whether removing y = x would merge two public names.
func joinsPublic(x, y *graph.Value) bool {
	return y.IsOutput() && (x.IsInput() || x.IsInitializer() || x.IsOutput())
}

// otherOutputs reports whether an output beside the first is needed.
func otherOutputs(n *graph.Node) bool {
	return slices.ContainsFunc(n.Outputs()[1:], func(v *graph.Value) bool {
		return v != nil && (v.NumUses() > 0 || v.IsOutput())
	})
}
