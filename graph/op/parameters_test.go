package op_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/graph/op"
)

// TestCheckSpiking holds the ranges of what spiking operators compute with: each fault is
// that of the node, and what is right is not refused.
func TestCheckSpiking(t *testing.T) {
	inf := float32(math.Inf(1))
	nan := float32(math.NaN())
	time := func(more ...any) graph.Attrs {
		return attrs(append([]any{"timesteps", graph.Int(4), "post", graph.Int(1)}, more...)...)
	}
	v0 := func(x float32) graph.Attrs { return time("v0", graph.Float(x)) }
	for _, c := range []struct {
		name string
		make func(b *bench) *graph.Node
		want string
	}{
		{"if", func(b *bench) *graph.Node { return b.node("IF", time(), b.x, nil, b.scalar(1)) }, ""},
		{"never fires", func(b *bench) *graph.Node { return b.node("IF", nil, b.x, nil, b.scalar(inf)) }, ""},
		{"mprn", func(b *bench) *graph.Node {
			return b.node("MPRN", v0(1), b.x, b.scalar(-1), b.scalar(1e-30), b.scalar(0.5))
		}, ""},
		{"computed", func(b *bench) *graph.Node { return b.node("MPRN", time(), b.x, b.x, b.x, b.x) }, ""},
		{"by the function", func(b *bench) *graph.Node {
			return b.node("IF", attrs("v0", graph.Ref{Name: "v0"}), b.x, nil, b.scalar(1))
		}, ""},
		{"theta 0", func(b *bench) *graph.Node { return b.node("IF", time(), b.x, nil, b.floats(1, 1, 0, 1, 1, 1)) }, "theta is 0 at place 2, want thresholds above 0"},
		{"theta -0", func(b *bench) *graph.Node {
			return b.node("IF", time(), b.x, nil, b.scalar(float32(math.Copysign(0, -1))))
		}, "theta is -0"},
		{"theta negative", func(b *bench) *graph.Node { return b.node("IF", nil, b.x, nil, b.scalar(-1)) }, "theta is -1"},
		{"theta NaN", func(b *bench) *graph.Node { return b.node("IF", time(), b.x, nil, b.scalar(nan)) }, "theta is NaN"},
		{"theta int64", func(b *bench) *graph.Node { return b.node("IF", time(), b.x, nil, b.ints(1)) }, "theta is of type int64, want numbers of floating point"},
		{"theta empty", func(b *bench) *graph.Node { return b.node("IF", time(), b.x, nil, b.floats()) }, "theta has dimensions [0] and no number"},
		{"theta missing", func(b *bench) *graph.Node { return b.node("IF", time(), b.x) }, "want 3"},
		{"bias infinite", func(b *bench) *graph.Node { return b.node("IF", time(), b.x, b.scalar(-inf), b.scalar(1)) }, "bias is -Inf"},
		{"bias bool", func(b *bench) *graph.Node {
			return b.node("IF", time(), b.x, b.g.AddInitializer("bools", must[*graph.Tensor](t)(graph.NewTensor(graph.Bool, []int64{1}, []byte{1}))), b.scalar(1))
		}, "bias is of type bool"},
		{"alpha NaN", func(b *bench) *graph.Node { return b.node("MPRN", time(), b.x, nil, b.scalar(1), b.scalar(nan)) }, "alpha is NaN at place 0, want 0.5 to 1"},
		{"alpha high", func(b *bench) *graph.Node { return b.node("MPRN", time(), b.x, nil, b.scalar(1), b.scalar(1.5)) }, "alpha is 1.5"},
		{"alpha low", func(b *bench) *graph.Node { return b.node("MPRN", time(), b.x, nil, b.scalar(1), b.scalar(0)) }, "alpha is 0"},
		{"alpha infinite", func(b *bench) *graph.Node { return b.node("MPRN", time(), b.x, nil, b.scalar(1), b.scalar(inf)) }, "alpha is +Inf"},
		{"v0 high", func(b *bench) *graph.Node { return b.node("IF", v0(2), b.x, nil, b.scalar(1)) }, `"v0" is 2, want 0 to 1`},
		{"v0 negative", func(b *bench) *graph.Node { return b.node("IF", v0(-0.5), b.x, nil, b.scalar(1)) }, `"v0" is -0.5`},
		{"v0 NaN", func(b *bench) *graph.Node { return b.node("IF", v0(nan), b.x, nil, b.scalar(1)) }, `"v0" is NaN`},
		{"v0 infinite", func(b *bench) *graph.Node { return b.node("IF", v0(-inf), b.x, nil, b.scalar(1)) }, `"v0" is -Inf`},
		{"v0 integer", func(b *bench) *graph.Node { return b.node("IF", time("v0", graph.Int(0)), b.x, nil, b.scalar(1)) }, `"v0" is of type`},
		{"post", func(b *bench) *graph.Node { return b.node("Encode", attrs("post", graph.Int(2)), b.x) }, `"post" is 2`},
		{"timesteps", func(b *bench) *graph.Node { return b.node("Decode", attrs("timesteps", graph.Int(-1)), b.x) }, `"timesteps" is -1`},
		{"bias operator", func(b *bench) *graph.Node { return b.node("Bias", time(), b.x, b.scalar(nan)) }, "b is NaN"},
		{"CPM", func(b *bench) *graph.Node {
			return b.node("CPM", time(), b.x, b.x, b.weights(6, 6, 1, 1), b.scalar(inf))
		}, "B is +Inf"},
		{"CPM without weights", func(b *bench) *graph.Node { return b.node("CPM", time(), b.x, b.x) }, "want 3"},
	} {
		b := newBench()
		n := c.make(b)
		m := &graph.Model{Graph: b.g}
		err := op.CheckSpiking(m)
		if c.want == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		var node *op.Error
		if !errors.As(err, &node) || node.Node != n || node.Unsupported || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q of the node", c.name, err, c.want)
		}
	}
}
