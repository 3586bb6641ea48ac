package infer

import (
	"fmt"
	"slices"

	"spikingir/graph"
)

// NameSizes gives every dimension of an input that is left open without a name one, sizes of 0
// of an image among them, so that what is computed from it can be told: N, C, H and W of an image, else one after
// the input. It reports whether there were any.
func NameSizes(g *graph.Graph) bool {
	taken := map[string]bool{}
	for _, v := range g.Inputs() {
		for _, d := range v.Type.Shape {
			for _, name := range FromDim(d).Parameters() {
				taken[name] = true
			}
		}
	}
	named := false
	for _, v := range g.Inputs() {
		if v.IsInitializer() {
			continue
		}
		shape := slices.Clone(opened(v.Type.Shape))
		for axis, d := range shape {
			if FromDim(d).Known() {
				continue
			}
			name := fmt.Sprintf("%s_%d", v.Name(), axis)
			if len(shape) == 4 {
				name = "NCHW"[axis : axis+1]
			}
			for base, k := name, 2; taken[name]; k++ {
				name = fmt.Sprintf("%s_%d", base, k)
			}
			taken[name] = true
			shape[axis] = Parameter(name).Dim()
			shape[axis].Denotation = d.Denotation
			named = true
		}
		v.Type.Shape = shape
	}
	return named
}
