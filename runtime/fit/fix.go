package fit

import (
	"fmt"
	"slices"

	"spikingir/graph"
)

// Fix gives the image of a model, whose sizes are s, one size in the place of symbols, [N,C,H,W], and
// inputs that follow it theirs. All that nodes compute is forgotten. An input whose size is still open is an error.
func (s *Sizes) Fix(m *graph.Model, dims []int) error {
	v := image(m.Graph, s.Input)
	if v == nil {
		return fmt.Errorf("the model takes no image [N,C,H,W] alone")
	}
	sizes := map[string]int64{}
	for axis, d := range v.Type.Shape {
		if d.Param() != "" {
			sizes[d.Param()] = int64(dims[axis])
		}
	}
	var list []int64
	for _, d := range dims {
		list = append(list, int64(d))
	}
	v.Type.Shape = graph.ShapeOf(list...)
	for _, w := range m.Graph.Inputs() {
		shape := slices.Clone(w.Type.Shape)
		for axis, d := range shape {
			if _, known := d.Size(); known {
				continue
			}
			n, follows := sizes[d.Param()]
			if !follows {
				return fmt.Errorf("input %q is %v, and its axis %d does not follow the size of the image %q", w.Name(), w.Type, axis, v.Name())
			}
			shape[axis] = graph.Known(n)
		}
		w.Type.Shape = shape
	}
	forget(m.Graph)
	return nil
}
