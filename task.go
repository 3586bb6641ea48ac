package spikingir

import (
	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
	"spikingir/runtime/fit"
)

// TaskOf is the task that a network was converted for, as its metadata tell; false where they
// tell of none.
func TaskOf(m *Model) (Task, bool) {
	text, ok := m.Metadata.Get(graph.MetaTask)
	if !ok {
		return Task{}, false
	}
	t, err := dataset.ParseTask(text)
	if err != nil || t.Kind == AsIs {
		return Task{}, false
	}
	return t, true
}

// Enlarges is the whole number of times that a network's image is as wide and high as what it
// takes: 1 where the size stays, 0 where there is no such number or the shapes do not tell.
func Enlarges(m *Model) int {
	m = m.Clone()
	ports, err := eval.PortsOf(m.Graph)
	if err != nil {
		return 0
	}
	sizes := fit.Free(m, ports.Input)
	h, w := side(sizes.Rows, sizes.RowsOf), side(sizes.Columns, sizes.ColumnsOf)
	if sizes.Fix(m, []int{1, max(ports.Channels, 1), h, w}) != nil || infer.Model(m) != nil {
		return 0
	}
	shape := m.Graph.Outputs()[ports.Output].Type.Shape
	if len(shape) != 4 {
		return 0
	}
	rows, known := shape[2].Size()
	columns, both := shape[3].Size()
	if scale := int(rows) / h; known && both && int(rows) == scale*h && int(columns) == scale*w {
		return scale
	}
	return 0
}

// side is the only size of an image, or one that is a multiple.
func side(only, of int) int {
	if only > 0 {
		return only
	}
	const about = 64
	return max(of, 1) * ((about + max(of, 1) - 1) / max(of, 1))
}
