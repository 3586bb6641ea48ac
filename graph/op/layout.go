package op

import "spikingir/graph"

// Layout is how the weights of a layer, its input 1, belong to channels.
type Layout struct {
	In, Out int // channels
	Group   int
	// Axis of the weights that counts the input channels of a group.
	Axis int
	// Channel gives the input and the output channel of a weight.
	Channel func(i int) (in, out int)
}

// LayoutOf reads the layout of a layer whose weights have the given dimensions:
// [M, C/group, kernel...] of a Conv or CPM, [C, M/group, kernel...] of a ConvTranspose,
// and [in, out] of a Gemm, or [out, in] when transB says so.
func LayoutOf(n *graph.Node, dims []int64) (Layout, error) {
	l := Layout{Group: 1}
	rows, cols, inner := int(dims[0]), int(dims[1]), 1
	for _, d := range dims[2:] {
		inner *= int(d)
	}
	switch {
	case n.Is("Conv"):
		v, err := ConvOf(n)
		if err != nil {
			return l, err
		}
		l.Group, l.Axis = int(v.Group), 1
		l.In, l.Out = cols*l.Group, rows
		if rows%l.Group != 0 {
			return l, Errorf(n, "%d output channels in %d groups, want a multiple", rows, l.Group)
		}
	case n.Is("ConvTranspose"):
		v, err := ConvTransposeOf(n)
		if err != nil {
			return l, err
		}
		l.Group = int(v.Group)
		l.In, l.Out = rows, cols*l.Group
		if rows%l.Group != 0 {
			return l, Errorf(n, "%d input channels in %d groups, want a multiple", rows, l.Group)
		}
	case n.IsSpiking("CPM"):
		l.Axis, l.In, l.Out = 1, cols, rows
	default:
		v, err := GemmOf(n)
		if err != nil {
			return l, err
		}
		l.In, l.Out = rows, cols
		if v.TransB {
			l.In, l.Out, l.Axis = cols, rows, 1
		}
	}
	perGroup := max(rows/l.Group, 1)
	l.Channel = func(i int) (in, out int) {
		row := i / (cols * inner)
		col := row/perGroup*cols + i/inner%cols
		if l.Axis == 1 {
			return col, row
		}
		return row, col
	}
	return l, nil
}
