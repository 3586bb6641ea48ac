package exec

import (
	"slices"

	"spikingir/graph"
	"spikingir/runtime/kernel/spike"
	"spikingir/runtime/ops"
	"spikingir/runtime/tile"
)

// A frame is what a measured run of a tile knows of the whole image, so that the tiles'
// figures come to the image's: what depends on sizes alone is counted with the image's
// sizes, and each spike and potential by the one tile that owns it. No frame is a run
// of the whole image.
type frame struct {
	own [2]tile.Ownership // of the tile
	// sums are the potentials of layers in fixed point for each result, of all tiles so
	// far: integers, so that tiles do not change them.
	sums map[*graph.Node][]*spike.PotentialSums
	// summed are the places of these layers in the reports of a result.
	summed map[int]bool
}

// extent is t with the dimensions that v has in the whole image, and without its
// elements: for counts that depend on sizes alone.
func (r *run) extent(v *graph.Value, t *ops.Tensor) *ops.Tensor {
	if r.frame == nil || t == nil || v == nil || len(t.Dims) != 4 {
		return t
	}
	rows, ok := r.frame.own[0][v]
	if !ok {
		return t
	}
	return &ops.Tensor{DType: t.DType, Dims: []int{t.Dims[0], t.Dims[1], rows.Full, r.frame.own[1][v].Full}}
}

// extents is extent for the inputs and the first output of a node.
func (r *run) extents(n *graph.Node, in []*ops.Tensor, y *ops.Tensor) ([]*ops.Tensor, *ops.Tensor) {
	if r.frame == nil {
		return in, y
	}
	in = slices.Clone(in)
	for i, v := range n.Inputs() {
		if i < len(in) {
			in[i] = r.extent(v, in[i])
		}
	}
	return in, r.extent(n.Output(0), y)
}

// A view is the pixels of a value that count in a run, and where its first row and
// column lie in the whole image.
type view struct {
	spike.Part
	top, left int
}

// view gives that of a value of h x w.
func (r *run) view(v *graph.Value, h, w int) view {
	if r.frame != nil {
		rows, ok := r.frame.own[0][v]
		cols := r.frame.own[1][v]
		if ok {
			return view{spike.Part{Top: rows.Lo - rows.At, Left: cols.Lo - cols.At,
				Bottom: rows.Hi - rows.At, Right: cols.Hi - cols.At}, rows.At, cols.At}
		}
	}
	return view{Part: spike.Part{Bottom: h, Right: w}}
}

// potentialSums is what the potentials of a layer of h x w neurons are added to, by result.
func (r *run) potentialSums(n *graph.Node, h, w int, levels func() (half, full []int32)) []*spike.PotentialSums {
	part := r.view(n.Input(0), h, w).Part
	var list []*spike.PotentialSums
	if r.frame != nil {
		list = r.frame.sums[n]
	}
	for len(list) < len(r.timing.results) {
		half, full := levels()
		list = append(list, spike.NewPotentialSums(part, half, full))
	}
	if r.frame != nil {
		r.frame.sums[n] = list
	}
	for _, s := range list {
		s.Part = part
	}
	return list
}

// absorb adds what was measured of a tile to the image's result. What depends on sizes
// alone is the image's already, in each tile's reports.
func (r *Result) absorb(neurons []NeuronReport, work []WorkReport, f *frame) {
	if r.Neurons == nil && r.Work == nil {
		r.Neurons, r.Work = neurons, work
		return
	}
	for i, n := range neurons {
		to := &r.Neurons[i]
		to.Spikes += n.Spikes
		to.PostStep += n.PostStep
		if f.summed[i] {
			to.Residual = n.Residual
			continue
		}
		to.Residual.Sum += n.Residual.Sum
		to.Residual.Half += n.Residual.Half
		to.Residual.Full += n.Residual.Full
	}
	for i, w := range work {
		r.Work[i].SpikesIn += w.SpikesIn
		r.Work[i].ExactOps += w.ExactOps
	}
}
