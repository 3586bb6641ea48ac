package spikingir

import (
	"context"
	"errors"
	"fmt"

	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
	"spikingir/runtime/exec"
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
	// runs tile by tile, to the same bits. 0 is 1 GiB, negative is no limit.
	MemoryLimit int64
	// EachChannel makes [Network.Restore] take red, green and blue of a colour image one
	// by one to a network of one channel. Otherwise luma is restored and chroma kept.
	EachChannel bool
}

// The precisions of [RunOptions].
const (
	FixedPoint = exec.FixedPoint
	Float32    = exec.Float32
)

// A Network is a model made ready to run, spiking or not, with threads of its own. It
// may serve several goroutines at once, which share its threads.
type Network struct {
	model    *Model
	program  *exec.Program
	pool     *machine.Pool
	each     bool
	input    string
	channels int
	noImage  error // why it takes no image
}

// Open prepares a model to run, on images of any size even where the model states
// one. It works on a copy: the model may change afterwards. What cannot be run is an
// [UnsupportedError] that names the node.
func Open(m *Model, o RunOptions) (*Network, error) {
	n := &Network{model: m.Clone(), each: o.EachChannel}
	ports, err := eval.PortsOf(m.Graph)
	n.input, n.channels, n.noImage = ports.Input, ports.Channels, err
	eval.FreeSize(n.model.Graph)
	if n.pool, err = newPool(o.Threads); err != nil {
		return nil, err
	}
	n.program, err = exec.Compile(n.model, exec.Options{Pool: n.pool, Timesteps: o.Timesteps,
		Precision: o.Precision, MemoryLimit: o.MemoryLimit})
	if err != nil {
		n.Close()
		return nil, unsupported(err)
	}
	return n, nil
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
func (n *Network) Channels() int { return n.channels }

// Run computes the outputs, in the order of the model's, at the largest T. Inputs are
// in the order of the model's too, images [N,C,H,W]. A tensor that does not fit is an
// error that says what was wanted.
func (n *Network) Run(ctx context.Context, inputs ...*Tensor) ([]*Tensor, error) {
	want := n.program.Inputs()
	if len(inputs) != len(want) {
		return nil, fmt.Errorf("%d inputs, the model wants %d", len(inputs), len(want))
	}
	named := make(map[string]*ops.Tensor, len(inputs))
	for i, v := range want {
		named[v.Name()] = inputs[i]
	}
	r, err := n.program.Run(ctx, named, exec.RunOptions{})
	if err != nil {
		return nil, n.fault(err)
	}
	return r.Outputs, nil
}

// fault is an error of a run, which is the model's where a node is named: of one that is
// not valid if inference finds so too.
func (n *Network) fault(err error) error {
	var node *op.Error
	if !errors.As(err, &node) {
		return err
	}
	if wrong := infer.Model(n.model.Clone()); wrong != nil && isInvalid(wrong) {
		return &InvalidError{err}
	}
	return unsupported(err)
}

// Fit makes an image gray or RGB as the network takes it.
func (n *Network) Fit(m Image) (Image, error) { return fitChannels(m, n.channels) }

// Tiling tells how an image of w x h pixels will be restored: in tiles, where it takes
// more than the memory limit.
func (n *Network) Tiling(w, h int) Tiling {
	return n.program.Tiling([]int{1, n.fed(), h, w})
}

// fed is the channels of what Restore feeds.
func (n *Network) fed() int {
	if n.channels == 3 {
		return 3
	}
	return 1
}

// Restore runs the network on an image, gray or colour, of any size. A gray image is
// made RGB for a network of three channels; for one of a single channel a colour image
// is taken apart as EachChannel says. The result has the size that the network gives, and
// values that may lie a little outside of 0 to 1. An image that no tiles bring under
// the memory limit is refused.
func (n *Network) Restore(ctx context.Context, m Image) (Image, error) {
	if n.noImage != nil {
		return Image{}, unsupported(n.noImage)
	}
	if t := n.Tiling(m.W, m.H); !t.Fits() {
		return Image{}, fmt.Errorf("%dx%d pixels take %d bytes between input and output, in tiles too, and MemoryLimit allows %d: "+
			"want that many or a smaller image", m.W, m.H, t.Bytes, t.Limit)
	}
	switch {
	case n.channels == 3:
		return n.restore(ctx, m.Color())
	case m.C == 1:
		return n.restore(ctx, m)
	case n.each:
		return n.eachChannel(ctx, m)
	}
	return n.luma(ctx, m)
}

func (n *Network) restore(ctx context.Context, m Image) (Image, error) {
	out, err := n.Run(ctx, ImageTensor(m))
	if err != nil {
		return Image{}, err
	}
	return TensorImage(out[0])
}

// eachChannel restores red, green and blue as three gray images.
func (n *Network) eachChannel(ctx context.Context, m Image) (Image, error) {
	var out Image
	for c := range m.C {
		y, err := n.restore(ctx, Image{C: 1, H: m.H, W: m.W, Pix: m.Plane(c)})
		if err != nil {
			return out, err
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
	if y.H != ycc.H || y.W != ycc.W {
		if ycc, err = dataset.Resize(ycc, y.H, y.W); err != nil {
			return m, err
		}
	}
	copy(ycc.Plane(0), y.Pix)
	return ycc.RGB()
}
