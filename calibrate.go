package spikingir

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/passes"
	"spikingir/runtime/calib"
	"spikingir/runtime/cluster"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
	"spikingir/runtime/fit"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// calibration is a set of model inputs; it is hashed as it is read.
type calibration struct {
	Samples
	channels int
	feeds    map[string]Feed // of the inputs beside the image
	ports    eval.Ports
	hash     hash.Hash
	err      error // of the images, not of the model
	pool     *machine.Pool
	sizes    *fit.Sizes // of the model that was calibrated
	progress func(done, total int)
	memory   int64 // as Options.MemoryLimit
	cluster  cluster.Comm
}

// newCalibration opens the images that a conversion calibrates on.
func newCalibration(d Data, channels int) (*calibration, error) {
	d, err := d.OrEmbedded()
	if err != nil {
		return nil, err
	}
	set, err := d.Samples(channels)
	return &calibration{Samples: set, channels: channels, hash: sha256.New()}, err
}

// Input makes image i as the model's input.
func (c *calibration) Input(i int) (*ops.Tensor, error) {
	m, err := c.at(i)
	if err != nil {
		c.err = err
		return nil, err
	}
	if i == 0 {
		c.hash.Reset()
		c.hash.Write([]byte(c.Task().String()))
	}
	b := make([]byte, 0, 1<<16)
	for _, d := range []int{m.C, m.H, m.W} {
		b = binary.LittleEndian.AppendUint32(b, uint32(d))
	}
	for _, x := range m.Pix {
		if len(b)+4 > cap(b) {
			c.hash.Write(b)
			b = b[:0]
		}
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	c.hash.Write(b)
	return eval.Tensor(m), nil
}

func (c *calibration) at(i int) (dataset.Image, error) {
	s, err := c.At(i)
	if err != nil {
		return s.Input, err
	}
	return fitChannels(s.Input, c.channels)
}

// Inputs is what the model is fed for an image x, of which it takes what fits.
func (c *calibration) Inputs(x *ops.Tensor) (map[string]*ops.Tensor, error) {
	return c.ports.Inputs(c.sizes.Crop(x))
}

// SHA256 identifies the inputs read since the first.
func (c *calibration) SHA256() string { return hex.EncodeToString(c.hash.Sum(nil)) }

// fitChannels makes an image gray or RGB as the model wants it.
func fitChannels(m dataset.Image, channels int) (dataset.Image, error) {
	switch {
	case channels == 0 || m.C == channels:
		return m, nil
	case channels == 1:
		return m.Gray(), nil
	case channels == 3:
		return m.Color(), nil
	}
	return m, fmt.Errorf("the model wants %d channels; images have 1 or 3", channels)
}

// embedded is the fixture images as a calibration set.
func (d Data) embedded() (Data, error) {
	name := fixtures.Calib
	if d.Task.Kind == dataset.Dehaze {
		name = fixtures.CalibHazy
		d.Task.Kind = dataset.None
	}
	files, err := fixtures.Images(name)
	if err != nil {
		return d, err
	}
	for _, f := range files {
		m, err := dataset.Decode(bytes.NewReader(f.Data))
		if err != nil {
			return d, fmt.Errorf("embedded image %s: %w", f.Name, err)
		}
		d.Images = append(d.Images, m)
	}
	return d, nil
}

// calibrator runs the model of the moment over the set. The statistics of the
// last call stay in stats.
func (c *calibration) calibrator(ctx context.Context, stats **graph.Stats) passes.Calibrator {
	return func(m *graph.Model, values []string) (*graph.Stats, error) {
		if err := c.takesImages(m); err != nil {
			return nil, err
		}
		m = m.Clone()
		var err error
		if c.ports, err = eval.Bind(m.Graph, c.feeds, ""); err != nil {
			return nil, unsupported(err)
		}
		c.sizes = fit.Free(m, c.ports.Input)
		s, err := calib.CollectWithin(ctx, calib.Limits{Memory: c.memory, Cluster: c.cluster}, m, values, c, c.pool, c.progress)
		*stats = s
		if err != nil && c.err == nil && ctx.Err() == nil {
			err = unsupported(err)
		}
		return s, err
	}
}

// takesImages refuses a model of volumes: calibration has images, and values that are fed
// beside them.
func (c *calibration) takesImages(m *graph.Model) error {
	for _, v := range m.Graph.Inputs() {
		if _, fed := c.feeds[v.Name()]; fed || v.IsInitializer() || len(v.Type.Shape) != 5 {
			continue
		}
		return unsupported(fmt.Errorf("input %q is %v, want images [N,C,H,W]: a network over volumes (Conv3d) "+
			"or sequences of images cannot be converted", v.Name(), v.Type))
	}
	return nil
}

// evaluator computes constant nodes, within a context and a limit of memory.
func evaluator(ctx context.Context, pool *machine.Pool, memory int64) passes.Evaluator {
	return func(n *graph.Node, opset int64) ([]*graph.Tensor, error) {
		out, err := ops.Evaluate(&ops.Env{Pool: pool, Claim: ops.Within(budgetOf(memory)), Stop: ctx.Err}, n, opset, nil)
		if err != nil {
			err = unsupported(err)
		}
		return out, err
	}
}
