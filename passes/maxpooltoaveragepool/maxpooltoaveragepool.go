// Package maxpooltoaveragepool holds the pass maxpool-to-averagepool, which
// makes a network with max pooling convertible.
package maxpooltoaveragepool

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
)

// Pass replaces every MaxPool by an AveragePool over the same windows.
//
// Before: y = MaxPool(x).
// After: y = AveragePool(x) with the same window, padding not counted in the
// mean.
// Conditions: nothing reads the indices, the window has no dilation, and elements are
// of floating point, as far as types are known; every other MaxPool is refused by name.
// Algebra: none: another function, which changes what the network computes. The
// maximum of spikes over a window is not linear over time; their mean is. Train
// the network again, or expect a loss.
var Pass = &passes.Pass{
	Name: "maxpool-to-averagepool",
	Doc: "replace max pooling by average pooling\n\n" +
		"Average pooling is linear over time and can be spiking. This changes what\n" +
		"the network computes.",
	Changes: "a mean is no maximum",
	Run:     run,
}

func run(c *passes.Context) (changed bool, err error) {
	return c.Each(func(n *graph.Node) (bool, error) {
		if !n.Is("MaxPool") {
			return false, nil
		}
		p, err := op.PoolOf(n)
		if err != nil {
			return false, err
		}
		if why := obstacle(n, p); why != "" {
			c.Refuse(n, "%s", why)
			return false, nil
		}
		return true, replace(c, n)
	})
}

func obstacle(n *graph.Node, p op.Pool) string {
	if v := n.Output(1); v != nil && (v.NumUses() > 0 || v.IsOutput()) {
		return "its indices are used, want only the maxima read"
	}
	if d := p.X.Type.Elem; d != graph.Undefined && !d.IsFloat() {
		return fmt.Sprintf("its elements are of %v, want floating point: whole numbers have no mean", d)
	}
	if slices.ContainsFunc(p.Dilation, func(d int64) bool { return d != 1 }) {
		return "its window has dilations, want none"
	}
	return ""
}

func replace(c *passes.Context, n *graph.Node) error {
	attrs := slices.Clone(n.Attrs)
	attrs.Delete("storage_order")
	attrs.Delete("dilations")
	avg, err := c.Fuse(n, graph.Op{Type: "AveragePool"}, attrs, n.Inputs(), n)
	if err != nil {
		return err
	}
	c.Notef(avg, "averages now instead of taking the maximum: the network computes something else")
	return nil
}
