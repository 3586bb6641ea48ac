package spikingir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/channelsfirst"
	"spikingir/passes/deadnode"
	"spikingir/passes/foldidentity"
	"spikingir/passes/infershapes"
	"spikingir/passes/recipes"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
	"spikingir/runtime/exec"
	"spikingir/runtime/fit"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// RunOptions is what [Open] is asked for; the zero value suits most.
type RunOptions struct {
	// Timesteps are rising numbers of timesteps T to give results for; the largest
	// decides what a run costs. Empty takes the model's own. They need a spiking model.
	Timesteps []int
	// Threads is how many threads work; 0 takes every core. Results do not depend on it.
	Threads int
	// Precision is what spiking layers are computed in: FixedPoint, the default, gives
	// the same bits on every machine; Float32 is what the file says.
	Precision Precision
	// MemoryLimit is the bytes that may lie between input and output. A larger image
	// runs tile by tile, to the same bits; where that does not help, the node that would take
	// more by a quarter ends the run with an error. 0 cuts images at 1 GiB, and ends runs at a
	// quarter of the machine's memory; negative is no limit.
	MemoryLimit int64
	// EachChannel makes [Network.Restore] take red, green and blue of a colour image one
	// by one to a network of one channel. Otherwise luma is restored and chroma kept.
	EachChannel bool
	// Tile makes [Network.Restore] and [Evaluate] cut images into tiles of the only size that the network takes,
	// where it takes one alone; without it such images are refused. Neighbours share half of a
	// tile: pixels near the seams are right for a network that looks no more than a quarter of
	// a tile around each.
	Tile bool
	// Inputs is what the network is fed beside the image, by the names of its inputs, such
	// as the strength of the noise. What is not here has the value that the network was
	// converted with.
	Inputs map[string]Feed
	// Output is the name of the output that is taken as the image; empty takes the first
	// that may be one.
	Output string
	// AsFiled leaves the inputs and outputs of a network of channels last as its file states them,
	// [N,H,W,C], for [Network.Run]; images go to [Network.Restore] without it.
	AsFiled bool
}

// The precisions of [RunOptions].
const (
	FixedPoint = exec.FixedPoint
	Float32    = exec.Float32
)

// A Network is a model made ready to run, spiking or not, with threads of its own. It
// may serve several goroutines at once, which share its threads.
type Network struct {
	model   *Model
	program *exec.Program
	pool    *machine.Pool
	each    bool
	ports   eval.Ports
	fed     map[string]Feed // what the model states, and was not given
	noImage error           // why it takes no image
	sizes   *fit.Sizes
	tile    bool
}

// Open prepares a model to run, on images of any size even where the model states
// one, unless its operators state it too: then others are refused. Where only multiples of a
// size run, images are mirrored at the right and the bottom up to one, and results cut. It works on a copy: the model may change afterwards. What cannot be run is an
// [UnsupportedError] that names the node.
func Open(m *Model, o RunOptions) (*Network, error) {
	var err error
	if !o.AsFiled {
		if m, err = ChannelsFirst(m); err != nil {
			return nil, err
		}
	}
	n := &Network{model: m.Clone(), each: o.EachChannel, tile: o.Tile}
	if n.pool, err = newPool(o.Threads); err != nil {
		return nil, err
	}
	if err := n.prepare(o); err != nil {
		n.Close()
		return nil, err
	}
	n.program, err = exec.Compile(n.model, exec.Options{Pool: n.pool, Timesteps: o.Timesteps,
		Precision: o.Precision, MemoryLimit: o.MemoryLimit, Budget: exec.BudgetFor(o.MemoryLimit), Sizes: n.sizes})
	if err != nil {
		n.Close()
		return nil, unsupported(err)
	}
	return n, nil
}

// prepare finds the ports, and brings the model to what can be run.
func (n *Network) prepare(o RunOptions) (err error) {
	var feeds map[string]Feed
	feeds, n.fed = fedWith(n.model, o.Inputs)
	n.ports, n.noImage = eval.Bind(n.model.Graph, feeds, o.Output)
	if n.noImage != nil && (len(o.Inputs) > 0 || o.Output != "") {
		return unsupported(n.noImage)
	}
	if _, err := recipes.Runnable().Run(n.model, passes.Options{}); err != nil {
		return refused(err)
	}
	n.sizes = fit.Free(n.model, n.ports.Input)
	return nil
}

// ChannelsFirst is a model whose images have their channels last, [N,H,W,C], as one of
// images [N,C,H,W]; any other model is given back as it is.
func ChannelsFirst(m *Model) (*Model, error) {
	if len(channelsfirst.Inputs(m.Graph)) == 0 {
		return m, nil
	}
	m = m.Clone()
	p := Pipeline{infershapes.Pass.With(), channelsfirst.Pass.With(), foldidentity.Pass.With(), deadnode.Pass.With()}
	if _, err := p.Run(m, passes.Options{}); err != nil {
		return nil, refused(err)
	}
	return m, nil
}

// Close ends the threads of the network, which must not be used any more.
func (n *Network) Close() { n.pool.Close() }

// Model is the model that runs.
func (n *Network) Model() *Model { return n.model }

// Program is what runs the model, for what this package has no word for; it is not
// stable.
func (n *Network) Program() *exec.Program { return n.program }

// Timesteps is T, the largest where there are several; 0 where nothing spikes.
func (n *Network) Timesteps() int { return n.program.T }

// Channels is the number of channels of the image that the network takes; 0 where it
// is open, or where it takes no image.
func (n *Network) Channels() int { return n.ports.Channels }

// Gives is the number of channels of the image that the network gives; 0 where it does not
// state them.
func (n *Network) Gives() int { return n.ports.Gives }

// Outputs is the names of the outputs, and which of them is taken as the image.
func (n *Network) Outputs() (names []string, image int) {
	for _, v := range n.model.Graph.Outputs() {
		names = append(names, v.Name())
	}
	return names, n.ports.Output
}

// Stated is what the model itself states for inputs beside the image, and the options did
// not: the values that it was converted with.
func (n *Network) Stated() map[string]Feed { return maps.Clone(n.fed) }

// Middle is the part in the middle of an image that the network takes where it takes one size
// alone, mirrored at the borders of a smaller one; else the image.
func (n *Network) Middle(m Image) (Image, error) {
	if !n.sizes.Fixed() {
		return m, nil
	}
	x := n.sizes.Crop(ImageTensor(m))
	x.Dims[0] = 1 // of images that are repeated
	x.F32 = x.F32[:x.Len()]
	return TensorImage(x)
}

// Size is the only size of images that the network takes; 0 by 0 for any.
func (n *Network) Size() (w, h int) { return n.sizes.Columns, n.sizes.Rows }

// Ignores says which size of the image that the network gives does not follow that of the one it takes; it is
// empty where all do, and where one size alone is taken.
func (n *Network) Ignores() string {
	if n.noImage != nil || n.sizes.Fixed() {
		return ""
	}
	return fit.Ignored(n.model, n.ports.Input, n.ports.Output)
}

// Run computes the outputs, in the order of the model's, at the largest T. Inputs are
// in the order of the model's too, images [N,C,H,W]; those that [RunOptions] or the model
// state are left out. A tensor that does not fit is an error that says what was wanted.
func (n *Network) Run(ctx context.Context, inputs ...*Tensor) ([]*Tensor, error) {
	beside := n.ports.Beside()
	want := slices.DeleteFunc(n.program.Inputs(), func(v *graph.Value) bool { return slices.Contains(beside, v.Name()) })
	if len(inputs) != len(want) {
		return nil, fmt.Errorf("%d inputs, the model wants %d", len(inputs), len(want))
	}
	named := make(map[string]*ops.Tensor, len(inputs))
	for i, v := range want {
		named[v.Name()] = inputs[i]
	}
	if n.noImage == nil && len(want) == 1 && inputs[0].DType.IsFloat() {
		var err error
		if named, err = n.ports.Inputs(inputs[0]); err != nil {
			return nil, err
		}
	}
	r, err := n.program.Run(ctx, named, exec.RunOptions{})
	if err != nil {
		return nil, n.Fault(err)
	}
	return r.Outputs, nil
}

// Feeds is what [Network.Program] is given for an image [N,C,H,W], by the names of the model's inputs: the image, mirrored at the
// right and the bottom up to a size that runs, and what [RunOptions] or the model state beside it.
func (n *Network) Feeds(x *Tensor) (map[string]*Tensor, error) {
	if n.noImage != nil {
		return nil, unsupported(n.noImage)
	}
	x, err := n.sizes.Fit(x)
	if err != nil {
		return nil, unsupported(err)
	}
	return n.ports.Inputs(x)
}

// Fault is an error of a run of [Network.Program] as [Network.Run] gives it: the model's
// where a node is named, of one that is not valid if inference finds so too.
func (n *Network) Fault(err error) error {
	var node *op.Error
	var noImage *eval.NoImageError
	if errors.As(err, &noImage) {
		return unsupported(err)
	}
	if !errors.As(err, &node) {
		return err
	}
	if wrong := infer.Model(n.model.Clone()); wrong != nil && isInvalid(wrong) {
		return &InvalidError{err}
	}
	return unsupported(err)
}

// Fit makes an image gray or RGB as the network takes it.
func (n *Network) Fit(m Image) (Image, error) { return fitChannels(m, n.ports.Channels) }

// Tiling tells how an image of w x h pixels will be restored: in tiles, where it takes
// more than the memory limit.
func (n *Network) Tiling(w, h int) Tiling {
	return n.program.Tiling([]int{1, n.takes(), h, w})
}

// takes is the channels of what Restore feeds.
func (n *Network) takes() int {
	if n.ports.Channels == 3 {
		return 3
	}
	return 1
}

// Restore runs the network on an image, gray or colour, of any size. A gray image is
// made RGB for a network of three channels. For one that takes a single channel and gives
// one a colour image is taken apart as EachChannel says; for one that gives three it is made
// gray. The result has the size and the channels that the network gives, and
// values that may lie a little outside of 0 to 1. An image that no tiles bring under
// the memory limit is refused.
func (n *Network) Restore(ctx context.Context, m Image) (Image, error) {
	if err := n.Restores(); err != nil {
		return Image{}, err
	}
	if t := n.Tiling(m.W, m.H); !t.Fits() {
		return Image{}, fmt.Errorf("%dx%d pixels take %d bytes between input and output, in tiles too, and MemoryLimit allows %d: "+
			"want that many or a smaller image", m.W, m.H, t.Bytes, t.Limit)
	}
	switch {
	case n.ports.Channels == 3:
		return n.restore(ctx, m.Color())
	case m.C == 1:
		return n.restore(ctx, m)
	case n.ports.Gives == 3:
		return n.restore(ctx, m.Gray())
	case n.each:
		return n.eachChannel(ctx, m)
	}
	return n.luma(ctx, m)
}

// NoImage says why the network takes or gives no image; it is nil where it does.
func (n *Network) NoImage() error { return n.noImage }

// Restores says why [Network.Restore] takes no image: an [UnsupportedError], or an [InvalidError]
// where the model contradicts itself, whatever it is fed.
func (n *Network) Restores() error {
	err := cmp.Or(n.noImage, n.restores())
	if err == nil {
		return nil
	}
	if wrong := infer.Model(n.model.Clone()); wrong != nil && isInvalid(wrong) {
		return &InvalidError{wrong}
	}
	return unsupported(err)
}

// restores says why images cannot be restored: those that are read and written have one
// channel or three.
func (n *Network) restores() error {
	p := n.ports
	switch {
	case p.Channels > 1 && p.Channels != 3:
		return fmt.Errorf("the model takes %q of %d channels, and images have 1 (gray) or 3 (RGB)", p.Input, p.Channels)
	case p.Gives > 1 && p.Gives != 3:
		return fmt.Errorf("the model gives %q of %d channels, and images have 1 (gray) or 3 (RGB)",
			n.model.Graph.Outputs()[p.Output].Name(), p.Gives)
	case n.each && n.takes() == 1 && p.Gives == 3:
		return fmt.Errorf("the model makes 3 channels of one: want the gray of a colour image, not each of its channels (--colour channels)")
	}
	return nil
}

func (n *Network) restore(ctx context.Context, m Image) (Image, error) {
	whole := func(x *Tensor) ([]*Tensor, error) {
		out, err := n.Run(ctx, x)
		if err != nil {
			return nil, err
		}
		return out[n.ports.Output:][:1], nil
	}
	var out []*Tensor
	var err error
	if t := n.tiles(); t == (eval.Tile{}) {
		out, err = whole(ImageTensor(m))
	} else {
		out, err = fit.Tiled(ImageTensor(m), t.Rows, t.Columns, whole)
	}
	if err != nil {
		return Image{}, err
	}
	restored, err := TensorImage(out[0])
	if err != nil {
		return Image{}, unsupported(fmt.Errorf("%q: %w", n.model.Graph.Outputs()[n.ports.Output].Name(), err))
	}
	return restored, nil
}

// tiles is the tiles that images are cut into, where the network takes one size alone and may cut
// them.
func (n *Network) tiles() eval.Tile {
	if !n.tile || !n.sizes.Fixed() {
		return eval.Tile{}
	}
	return eval.Tile{Rows: n.sizes.Rows, Columns: n.sizes.Columns}
}

// eachChannel restores red, green and blue as three gray images.
func (n *Network) eachChannel(ctx context.Context, m Image) (Image, error) {
	var out Image
	for c := range m.C {
		y, err := n.restore(ctx, Image{C: 1, H: m.H, W: m.W, Pix: m.Plane(c)})
		if err != nil {
			return out, err
		}
		if y.C != 1 {
			return out, unsupported(fmt.Errorf("the model makes %d channels of one: want --colour luma", y.C))
		}
		if c == 0 {
			out = dataset.NewImage(m.C, y.H, y.W)
		}
		copy(out.Plane(c), y.Pix)
	}
	return out, nil
}

// luma restores Y and keeps Cb and Cr, enlarged where the network enlarges.
func (n *Network) luma(ctx context.Context, m Image) (Image, error) {
	ycc, err := m.YCbCr()
	if err != nil {
		return m, err
	}
	y, err := n.restore(ctx, Image{C: 1, H: m.H, W: m.W, Pix: ycc.Plane(0)})
	if err != nil {
		return m, err
	}
	if y.C == 3 { // which the model did not state
		return n.restore(ctx, m.Gray())
	}
	if y.H != ycc.H || y.W != ycc.W {
		if ycc, err = dataset.Resize(ycc, y.H, y.W); err != nil {
			return m, err
		}
	}
	copy(ycc.Plane(0), y.Pix)
	return ycc.RGB()
}
