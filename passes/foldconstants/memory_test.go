package foldconstants_test

import (
	"errors"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/onnxio/text"
	"spikingir/passes"
	"spikingir/passes/foldconstants"
	"spikingir/passes/infershapes"
	"spikingir/runtime/ops"
)

// TestMemory holds that constants which take more than is allowed, each alone or a chain of
// them, end the pass with the node's name, before they are computed.
func TestMemory(t *testing.T) {
	const src = `<ir_version: 8, opset_import: ["" : 17]>
g (float[1] x) => (float[1000] y)
<int64[1] shape = {1000}>
{
  [first] a = ConstantOfShape (shape)
  [second] b = Neg (a)
  [third] c = Neg (b)
  [sum] y = Add (x, c)
}`
	for _, c := range []struct {
		memory int64
		node   string // that is refused
		left   int    // nodes
	}{{0, "", 1}, {-1, "", 1}, {12000, "", 1}, {11999, "third", 0}, {7000, "second", 0}, {3999, "first", 0}} {
		m, err := text.Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		computed := 0
		p := passes.Pipeline{infershapes.Pass.With(), foldconstants.Pass.With()}
		_, err = p.Run(m, passes.Options{Memory: c.memory, Evaluate: func(n *graph.Node, opset int64) ([]*graph.Tensor, error) {
			computed++
			if n.OriginLabel() == c.node {
				t.Errorf("with %d bytes %q is computed", c.memory, c.node)
			}
			return ops.Evaluate(&ops.Env{}, n, opset, nil)
		}})
		if c.node == "" {
			if err != nil || m.Graph.NumNodes() != c.left {
				t.Errorf("with %d bytes: %v, %d nodes are left", c.memory, err, m.Graph.NumNodes())
			}
			continue
		}
		var node *op.Error
		if !errors.As(err, &node) || !node.Unsupported || node.Node.OriginLabel() != c.node || !strings.Contains(err.Error(), "want a larger --memory") {
			t.Errorf("with %d bytes: %v, want %q refused", c.memory, err, c.node)
		}
	}
}
