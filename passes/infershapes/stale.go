package infershapes

import (
	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/passes"
)

// dropStale replaces declared sizes that are of another export: numbers where the sizes of the
// inputs are open, and zeros. The declared rest stays, and holds against what is inferred.
func dropStale(c *passes.Context) (changed bool) {
	g := c.Model.Graph
	var list []*graph.Value
	for _, v := range append(g.Outputs(), g.Declared()...) {
		if v.Producer() != nil && numbered(v.Type.Shape) {
			list = append(list, v)
		}
	}
	if list == nil {
		return false
	}
	bare := c.Model.Clone()
	for n := range bare.Graph.Nodes() {
		for _, v := range n.Outputs() {
			if v != nil {
				v.Type.Shape = nil
			}
		}
	}
	if infer.Model(bare) != nil {
		return false // the model itself is at fault
	}
	for _, v := range list {
		found := bare.Graph.Value(v.Name()).Type.Shape
		if len(found) != len(v.Type.Shape) {
			continue
		}
		shape, stale := append(graph.Shape(nil), v.Type.Shape...), false
		for i, d := range shape {
			n, number := d.Size()
			m, known := found[i].Size()
			if number && (n == 0 && m != 0 || !known && infer.FromDim(found[i]).Known()) {
				shape[i], stale = found[i], true
			}
		}
		if stale {
			c.Notef(v.Producer(), "its result %q is declared %v and is %v by the input's size; the declaration is dropped",
				v.Name(), v.Type, graph.TensorOf(v.Type.Elem, found))
			v.Type.Shape, changed = shape, true
		}
	}
	return changed
}

// numbered reports whether a shape states a number.
func numbered(s graph.Shape) bool {
	for _, d := range s {
		if _, ok := d.Size(); ok {
			return true
		}
	}
	return false
}
