package exec

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"spikingir/graph"
	"spikingir/runtime/kernel/spike"
	"spikingir/runtime/ops"
	"spikingir/runtime/tile"
)

// DefaultMemoryLimit is the bytes that a run may take for what lies between
// input and output unless [Options] say otherwise.
const DefaultMemoryLimit = 1 << 30

// BudgetFor is the Budget that goes with a MemoryLimit: tiles are chosen by a forecast that
// knows no scratch, so a run may take a quarter more.
func BudgetFor(limit int64) int64 {
	if limit > 0 {
		limit += limit / 4
	}
	return limit
}

// tiles is how a program runs tile by tile.
type tiles struct {
	limit  int64
	fields *tile.Fields
	reason error // why images are not cut

	mu    sync.Mutex
	plans map[bool]*framePlan // the last ones, by whether a run is measured
}

// A framePlan is how images of some dimensions run.
type framePlan struct {
	dims   []int
	grid   *tile.Grid // nil when they run whole
	size   int64      // what the whole image takes
	failed error      // why it is not cut, though it takes more than the limit
}

func (t *tiles) init(p *plan, opset, limit int64) {
	t.limit, t.plans = limit, map[bool]*framePlan{}
	if limit == 0 {
		t.limit = DefaultMemoryLimit
	}
	t.fields, t.reason = tile.New(tile.Network{Graph: p.graph, Opset: opset, Inputs: p.inputs,
		Winograd: p.winograd, TimeMajor: p.timing.timed})
}

// A Tiling says how an image runs. The JSON form is a contract of the command line.
type Tiling struct {
	Rows    int `json:"rows"` // of tiles; 1 by 1 for the whole image
	Columns int `json:"columns"`
	Width   int `json:"width"` // of a tile
	Height  int `json:"height"`
	// OverlapRows and OverlapColumns are what neighbouring tiles have in common; the
	// last ones, shifted back inside the image, have more.
	OverlapRows    int `json:"overlap_rows"`
	OverlapColumns int `json:"overlap_columns"`
	// Bytes is what a run takes between input and output: a tile's share
	// where the image is cut. It is above Limit where no tiles are small enough. 0
	// means not known.
	Bytes int64 `json:"bytes"`
	// WholeBytes is what the image takes when it is not cut; 0 means not known.
	WholeBytes int64 `json:"whole_bytes"`
	// Limit is the bytes that were allowed; negative for any number.
	Limit int64 `json:"-"`
	// Whole says why an image that takes more than the limit, or an unknown amount, is not cut; it
	// names the node. nil otherwise.
	Whole error `json:"-"`
}

// Tiling tells how an input of dimensions [N,C,H,W] will run, when nothing is
// measured or observed. An image is cut where it takes more memory than the
// limit and every operator looks at a neighbourhood of each pixel only:
// convolutions, pooling, resizing by integer factors and whatever works on pixels
// or their channels. Normalisation over the image, global pooling and shapes that are
// computed with are among what needs the whole image.
func (p *Program) Tiling(dims []int) Tiling {
	t := Tiling{Rows: 1, Columns: 1, Limit: p.tiles.limit, Whole: p.tiles.reason}
	dims, err := p.sizes.Dims(dims)
	if err != nil {
		t.Whole = err
	}
	if len(dims) != 4 {
		return t
	}
	t.Height, t.Width = dims[2], dims[3]
	if t.Whole != nil {
		return t
	}
	f := p.planTiles(dims, false)
	t.Bytes, t.WholeBytes, t.Whole = f.size, f.size, f.failed
	if g := f.grid; g != nil {
		t.Rows, t.Columns = len(g.Starts[0]), len(g.Starts[1])
		t.Height, t.Width, t.Bytes = g.Size[0], g.Size[1], g.Bytes
		t.OverlapRows, t.OverlapColumns = g.Shared[0], g.Shared[1]
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
	t.mu.Lock()
	defer t.mu.Unlock()
	if last := t.plans[measured]; last == nil || !slices.Equal(last.dims, dims) {
		t.plans[measured] = p.newFramePlan(slices.Clone(dims), measured)
	}
	return t.plans[measured]
}

func (p *Program) newFramePlan(dims []int, measured bool) *framePlan {
	t := &p.tiles
	f := &framePlan{dims: dims}
	bytes := func(h, w int) (int64, error) {
		areas, err := t.fields.Areas(tile.Image(dims[0], dims[1], h, w))
		if err != nil {
			return 0, err
		}
		return p.plan.need(t.fields.Input, areas, measured)
	}
	if f.size, f.failed = bytes(dims[2], dims[3]); f.failed != nil || f.size <= t.limit || t.limit < 0 {
		return f
	}
	whole := tile.Image(dims[0], dims[1], dims[2], dims[3])
	f.grid, f.failed = t.fields.Cut(whole, t.limit, func(h, w int) (int64, error) {
		n, err := bytes(h, w)
		return n + 4*int64(dims[0])*int64(dims[1])*int64(h)*int64(w), err // a tile's part of the input is a copy
	})
	if g := f.grid; g != nil && (g.Count() == 1 || measured && !p.measurable(g)) {
		f.grid = nil
	}
	return f
}

// measurable reports whether tiles can be measured: layers that run step by step, and
// values whose tiles leave gaps, are not.
func (p *Program) measurable(g *tile.Grid) bool {
	return !g.Gaps && !slices.ContainsFunc(p.plan.units, func(u unit) bool {
		_, steps := u.(*layer)
		return steps
	})
}

// cut decides on tiles for a run: the image and how it is cut, nil when it runs
// whole. Inputs that do not fit the model run whole, into their error.
func (p *Program) cut(inputs map[string]*ops.Tensor, o RunOptions) (*ops.Tensor, *tile.Grid) {
	if p.tiles.reason != nil || p.tiles.limit < 0 || o.Observe != nil || o.Fired != nil || len(inputs) != 1 {
		return nil, nil
	}
	v := p.tiles.fields.Input
	x := inputs[v.Name()]
	if x == nil || len(x.Dims) != 4 || x.Len() == 0 || !x.DType.IsFloat() || fits(v, x) != nil {
		return nil, nil
	}
	return x, p.planTiles(x.Dims, o.Measure).grid
}

// runTiles runs the model tile by tile and puts the outputs together. When it measures,
// it leaves no buffers: who measures a network does so with its reference too, and both
// would keep as much as they may take.
func (p *Program) runTiles(ctx context.Context, x *ops.Tensor, g *tile.Grid, o RunOptions) ([]*Result, error) {
	results := make([]*Result, len(p.Timesteps))
	for at, k := range p.Timesteps {
		results[at] = &Result{Timesteps: k, Outputs: make([]*ops.Tensor, len(p.plan.graph.Outputs()))}
	}
	if o.Measure {
		defer p.arenas.drop()
	}
	part := ops.NewTensor(x.DType, []int{x.Dims[0], x.Dims[1], g.Size[0], g.Size[1]})
	inputs := map[string]*ops.Tensor{p.tiles.fields.Input.Name(): part}
	done, sums := 0, map[*graph.Node][]*spike.PotentialSums{}
	if progress := o.Progress; progress != nil {
		o.Progress = func(i, n int) { progress(done*n+i, g.Count()*n) }
	}
	for i, top := range g.Starts[0] {
		for j, left := range g.Starts[1] {
			copyPart(part, x, 0, 0, top, left, g.Size[0], g.Size[1])
			f := &frame{own: [2]tile.Ownership{g.Own[0][i], g.Own[1][j]}, sums: sums, summed: map[int]bool{}}
			if err := p.execute(ctx, inputs, o, f, func(r *run) error { return r.give(results) }); err != nil {
				return nil, err
			}
			done++
		}
	}
	return results, nil
}

// give adds the outputs of a tile, and what was measured of it, to the image's results.
func (r *run) give(results []*Result) error {
	for at, res := range results {
		r.at = at
		for k, v := range r.graph.Outputs() {
			err := within(v.Producer(), func() error {
				y := r.analogValue(v)
				if y == nil {
					return fmt.Errorf("output %q was not computed", v.Name())
				}
				return r.place(&res.Outputs[k], y, v)
			})
			if err != nil {
				return err
			}
		}
		if r.o.Measure {
			res.absorb(r.neurons[at], r.worked(at), r.frame)
		}
	}
	return nil
}

// copyPart copies h rows of w elements of each channel of src, from (y, x) on, to those
// of dst from (top, left) on.
func copyPart(dst, src *ops.Tensor, top, left, y, x, h, w int) {
	for i := range src.Dims[0] * src.Dims[1] {
		for row := range h {
			to, from := (i*dst.Dims[2]+top+row)*dst.Dims[3]+left, (i*src.Dims[2]+y+row)*src.Dims[3]+x
			if src.DType.IsFloat() {
				copy(dst.F32[to:to+w], src.F32[from:])
			} else {
				copy(dst.I64[to:to+w], src.I64[from:])
			}
		}
	}
}

// place copies what a tile gives of output v into the whole image's, made with the
// first tile.
func (r *run) place(image **ops.Tensor, y *ops.Tensor, v *graph.Value) error {
	rows, cols := r.frame.own[0][v], r.frame.own[1][v]
	if len(y.Dims) != 4 {
		return fmt.Errorf("output %q of a tile has dimensions %v, want an image", v.Name(), y.Dims)
	}
	if rows.Hi-rows.At > y.Dims[2] || cols.Hi-cols.At > y.Dims[3] {
		return fmt.Errorf("output %q of a tile has dimensions %v, want %d rows and %d columns at least",
			v.Name(), y.Dims, rows.Hi-rows.At, cols.Hi-cols.At)
	}
	if *image == nil {
		*image = ops.NewTensor(y.DType, []int{y.Dims[0], y.Dims[1], rows.Full, cols.Full})
	}
	copyPart(*image, y, rows.Lo, cols.Lo, rows.Lo-rows.At, cols.Lo-cols.At, rows.Hi-rows.Lo, cols.Hi-cols.Lo)
	return nil
}
