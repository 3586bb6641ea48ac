package exec

import (
	"context"
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/runtime/kernel"
	"spikingir/runtime/ops"
	"spikingir/runtime/tile"
)

// DefaultMemoryLimit is the bytes that a run may take for what lies between
// input and output unless [Options] say otherwise.
const DefaultMemoryLimit = 1 << 30

// tiles is what a program knows of running tile by tile.
type tiles struct {
	limit  int64
	reach  *tile.Fields
	reason error               // why images are not cut
	plans  map[bool]*framePlan // the last ones, by whether a run is measured
}

// A framePlan is how images of some dimensions run.
type framePlan struct {
	dims   []int
	tiling *tile.Grid // nil when they run whole
	size   int64      // what the whole frame takes
	failed error      // why it is not cut, though it takes more than the limit
}

func newTiles(p *Program, opset, limit int64) tiles {
	t := tiles{limit: limit, plans: map[bool]*framePlan{}}
	if limit == 0 {
		t.limit = DefaultMemoryLimit
	}
	t.reach, t.reason = tile.New(tile.Network{Graph: p.graph, Opset: opset, Inputs: p.Inputs(), Winograd: p.fast, TimeMajor: p.timing.timed})
	return t
}

// A Tiling says how an image runs.
type Tiling struct {
	Rows, Columns int // of tiles; 1 and 1 for the whole image
	Height, Width int // of a tile
	// OverlapRows and OverlapColumns are what neighbouring tiles have in common; the
	// last ones, shifted back inside the image, have more.
	OverlapRows, OverlapColumns int
	// Bytes is what a run takes between input and output, foretold: a tile's share
	// where the image is cut. It is above Limit where no tiles are small enough. 0
	// means not known.
	Bytes int64
	// WholeBytes is what the image takes when it is not cut; 0 means not known.
	WholeBytes int64
	// Limit is the bytes that were allowed; negative for any number.
	Limit int64
	// Whole says why an image that takes more than the limit, or an unknown amount, is not cut; it
	// names the node. nil otherwise.
	Whole error
}

// Tiling tells how an input of dimensions [N,C,H,W] will run, when nothing is
// measured or observed. An image is cut where it takes more memory than the
// limit and every operator looks at a neighbourhood of each pixel only:
// convolutions, pooling, resizing by whole factors and whatever works on pixels
// or their channels. Normalisation over the image, global pooling and shapes that are
// computed with are among what needs the whole image.
func (p *Program) Tiling(dims []int) Tiling {
	t := Tiling{Rows: 1, Columns: 1, Limit: p.tiles.limit, Whole: p.tiles.reason}
	if len(dims) != 4 {
		return t
	}
	t.Height, t.Width = dims[2], dims[3]
	if t.Whole != nil {
		return t
	}
	plan := p.planTiles(dims, false)
	t.Bytes, t.WholeBytes, t.Whole = plan.size, plan.size, plan.failed
	if cut := plan.tiling; cut != nil {
		t.Rows, t.Columns = len(cut.Starts[0]), len(cut.Starts[1])
		t.Height, t.Width, t.Bytes = cut.Size[0], cut.Size[1], cut.Bytes
		t.OverlapRows, t.OverlapColumns = cut.Shared[0], cut.Shared[1]
	}
	return t
}

// Tiles is the number of tiles; 1 for the whole image.
func (t Tiling) Tiles() int { return t.Rows * t.Columns }

// Fits reports whether a run takes no more than was allowed, as far as that is known.
func (t Tiling) Fits() bool { return t.Limit < 0 || t.Bytes <= t.Limit }

// Whole says why the program never cuts an image; nil where it may.
func (p *Program) Whole() error { return p.tiles.reason }

// planTiles is how an input runs, measured or not. The last plans are kept.
func (p *Program) planTiles(dims []int, measured bool) *framePlan {
	t := &p.tiles
	if last := t.plans[measured]; last != nil && slices.Equal(last.dims, dims) {
		return last
	}
	l := &framePlan{dims: slices.Clone(dims)}
	t.plans[measured] = l
	in := tile.Area{N: dims[0], C: dims[1], Axes: [2]tile.Span{tile.Whole(dims[2]), tile.Whole(dims[3])}}
	bytes := func(h, w int) (int64, error) {
		in := in
		in.Axes = [2]tile.Span{tile.Whole(h), tile.Whole(w)}
		areas, err := t.reach.Areas(in)
		if err != nil {
			return 0, err
		}
		return p.need(areas, measured), nil
	}
	if l.size, l.failed = bytes(dims[2], dims[3]); l.failed != nil || l.size <= t.limit || t.limit < 0 {
		return l
	}
	crop := func(h, w int) (int64, error) { // a tile's part of the input is a copy
		n, err := bytes(h, w)
		return n + 4*int64(dims[0])*int64(dims[1])*int64(h)*int64(w), err
	}
	l.tiling, l.failed = t.reach.Cut(in, t.limit, crop)
	if l.tiling != nil && l.tiling.Count() == 1 || measured && !p.measurable(l.tiling) {
		l.tiling = nil
	}
	return l
}

// cut decides on tiles for a run: the image and how it is cut, nil when it runs
// whole. Inputs that do not fit the model run whole, into their error.
func (p *Program) cut(inputs map[string]*ops.Tensor, o RunOptions) (*ops.Tensor, *tile.Grid) {
	if p.tiles.reason != nil || p.tiles.limit < 0 || o.Observe != nil || len(inputs) != 1 {
		return nil, nil
	}
	v := p.tiles.reach.Input
	x := inputs[v.Name()]
	if x == nil || len(x.Dims) != 4 || x.Len() == 0 || !x.DType.IsFloat() || fits(v, x) != nil {
		return nil, nil
	}
	return x, p.planTiles(x.Dims, o.Measure).tiling
}

// runTiles runs the model tile by tile and puts the outputs together. When it measures,
// it leaves no buffers: who measures a network does so with its reference too, and both
// would keep as much as they may take.
func (p *Program) runTiles(ctx context.Context, x *ops.Tensor, t *tile.Grid, o RunOptions) ([]*Result, error) {
	results := make([]*Result, len(p.Checkpoints))
	for at, k := range p.Checkpoints {
		results[at] = &Result{Timesteps: k, Outputs: make([]*ops.Tensor, len(p.graph.Outputs()))}
	}
	part := ops.NewTensor(x.DType, []int{x.Dims[0], x.Dims[1], t.Size[0], t.Size[1]})
	inputs := map[string]*ops.Tensor{p.tiles.reach.Input.Name(): part}
	if o.Measure {
		defer func() { p.arena, p.sizes = newArena(), nil }()
	}
	done, sums := 0, map[*graph.Node][]*kernel.PotentialSums{}
	progress := o.Progress
	if progress != nil {
		o.Progress = func(i, n int) { progress(done*n+i, t.Count()*n) }
	}
	for i, top := range t.Starts[0] {
		for j, left := range t.Starts[1] {
			crop(part, x, top, left)
			f := &frame{own: [2]tile.Ownership{t.Own[0][i], t.Own[1][j]}, sums: sums, summed: map[int]bool{}}
			if err := p.runTile(ctx, inputs, o, f, func(v *graph.Value, at, k int, y *ops.Tensor) error {
				return place(&results[at].Outputs[k], y, v, t, i, j)
			}, results); err != nil {
				return nil, err
			}
			done++
		}
	}
	return results, nil
}

// runTile runs one tile and gives its outputs, by checkpoint and place. What it measures
// goes to results.
func (p *Program) runTile(ctx context.Context, inputs map[string]*ops.Tensor, o RunOptions, f *frame,
	give func(v *graph.Value, at, k int, y *ops.Tensor) error, results []*Result,
) error {
	r := p.newRun(ctx, o)
	r.frame = f
	defer func() { r.arena.reclaim() }()
	if err := r.execute(inputs); err != nil {
		return err
	}
	for at := range p.Checkpoints {
		r.at = at
		for k, v := range p.graph.Outputs() {
			y := r.analogValue(v)
			if y == nil {
				return fmt.Errorf("output %q was not computed", v.Name())
			}
			if err := give(v, at, k, y); err != nil {
				return err
			}
		}
		if o.Measure {
			results[at].absorb(r.neurons[at], r.worked(at), f)
		}
	}
	return nil
}

// crop fills a tile with the part of x that begins at a row and a column.
func crop(tile, x *ops.Tensor, top, left int) {
	h, w := tile.Dims[2], tile.Dims[3]
	for i := range tile.Dims[0] * tile.Dims[1] {
		for row := range h {
			from := (i*x.Dims[2]+top+row)*x.Dims[3] + left
			copy(tile.F32[(i*h+row)*w:][:w], x.F32[from:])
		}
	}
}

// place copies what tile (i, j) gives of output v into the whole frame's, made
// with the first tile.
func place(frame **ops.Tensor, y *ops.Tensor, v *graph.Value, t *tile.Grid, i, j int) error {
	rows, cols := t.Own[0][i][v], t.Own[1][j][v]
	if len(y.Dims) != 4 {
		return fmt.Errorf("output %q of a tile has dimensions %v, want an image", v.Name(), y.Dims)
	}
	if *frame == nil {
		last := [2]int{len(t.Starts[0]) - 1, len(t.Starts[1]) - 1}
		*frame = ops.NewTensor(y.DType, []int{y.Dims[0], y.Dims[1],
			t.Own[0][last[0]][v].Hi, t.Own[1][last[1]][v].Hi})
	}
	f := *frame
	h, w := y.Dims[2], y.Dims[3]
	if rows.Hi-rows.At > h || cols.Hi-cols.At > w {
		return fmt.Errorf("output %q of a tile has dimensions %v, want %d rows and %d columns at least",
			v.Name(), y.Dims, rows.Hi-rows.At, cols.Hi-cols.At)
	}
	n := cols.Hi - cols.Lo
	for p := range y.Dims[0] * y.Dims[1] {
		for row := rows.Lo; row < rows.Hi; row++ {
			to := (p*f.Dims[2]+row)*f.Dims[3] + cols.Lo
			from := (p*h+row-rows.At)*w + cols.Lo - cols.At
			if y.DType.IsFloat() {
				copy(f.F32[to:to+n], y.F32[from:from+n])
			} else {
				copy(f.I64[to:to+n], y.I64[from:from+n])
			}
		}
	}
	return nil
}
