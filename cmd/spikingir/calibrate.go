package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"math"

	"spikingir/cmd/internal/cli"
	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/passes"
	"spikingir/runtime/calib"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
	"spikingir/runtime/ops"
)

// calibration is a set of model inputs; it is hashed as it is read.
type calibration struct {
	n    int
	at   func(i int) (dataset.Image, error)
	task string
	hash hash.Hash
	err  error // of the images, not of the model
}

func newCalibration(n int, task string, at func(i int) (dataset.Image, error)) *calibration {
	return &calibration{n: n, at: at, task: task, hash: sha256.New()}
}

// Len is the number of images.
func (c *calibration) Len() int { return c.n }

// Input makes image i as the model's input.
func (c *calibration) Input(i int) (*ops.Tensor, error) {
	m, err := c.at(i)
	if err != nil {
		c.err = err
		return nil, err
	}
	if i == 0 {
		c.hash.Reset()
		c.hash.Write([]byte(c.task))
	}
	var b []byte
	for _, d := range []int{m.C, m.H, m.W} {
		b = binary.LittleEndian.AppendUint32(b, uint32(d))
	}
	for _, x := range m.Pix {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	c.hash.Write(b)
	return eval.Tensor(m), nil
}

// SHA256 identifies the inputs read since the first.
func (c *calibration) SHA256() string { return hex.EncodeToString(c.hash.Sum(nil)) }

// calibrationSet is the images that `convert` calibrates on: those of dir,
// degraded as the task says, or the embedded ones.
func (a *app) calibrationSet(dir string, t *taskFlags, channels int) (*calibration, error) {
	task, err := t.task(channels)
	if err != nil {
		return nil, err
	}
	if dir == "" && t.kind != string(dataset.Pairs) {
		return a.embedded(task, t.limit)
	}
	set, err := dataset.Open(task, dataset.Dirs{Data: dir, Input: t.input, Target: t.target}, t.limit, a.Seed)
	if err != nil {
		return nil, err
	}
	return newCalibration(set.Len(), task.String(), func(i int) (dataset.Image, error) {
		s, err := set.At(i)
		if err != nil {
			return s.Input, err
		}
		return fitChannels(s.Input, channels)
	}), nil
}

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
func (a *app) embedded(task dataset.Task, limit int) (*calibration, error) {
	name := fixtures.Calib
	if task.Kind == dataset.Dehaze {
		name = fixtures.CalibHazy
		task.Kind = dataset.None
	}
	files, err := fixtures.Images(name)
	if err != nil {
		return nil, err
	}
	if limit > 0 && limit < len(files) {
		files = files[:limit]
	}
	return newCalibration(len(files), task.String(), func(i int) (dataset.Image, error) {
		return degraded(files[i], task, dataset.SampleSeed(a.Seed, i))
	}), nil
}

// degraded decodes an embedded image and degrades it as the task says.
func degraded(f fixtures.File, task dataset.Task, seed uint64) (dataset.Image, error) {
	m, err := dataset.Decode(bytes.NewReader(f.Data))
	if err != nil {
		return m, fmt.Errorf("embedded image %s: %w", f.Name, err)
	}
	if m, err = task.Prepare(m); err != nil {
		return m, err
	}
	return task.Degrade(m, seed)
}

// calibrator runs the model of the moment over the set. The statistics of the
// last call stay in stats.
func (a *app) calibrator(ctx context.Context, set *calibration, stats **graph.Stats) passes.Calibrator {
	return func(m *graph.Model, values []string) (*graph.Stats, error) {
		step, end := a.Progress("calibrating")
		defer end()
		m = m.Clone()
		eval.FreeSize(m.Graph)
		s, err := calib.Collect(ctx, m, values, set, a.Kernels(), step)
		*stats = s
		if err != nil && set.err == nil && ctx.Err() == nil {
			err = cli.Unsupported(err)
		}
		return s, err
	}
}

// evaluate computes a constant node.
func (a *app) evaluate(n *graph.Node, opset int64) ([]*graph.Tensor, error) {
	op, err := ops.Bind(n, opset)
	if err != nil {
		return nil, err
	}
	env := &ops.Env{Pool: a.Kernels(), Alloc: ops.NewTensor}
	in := make([]*ops.Tensor, n.NumInputs())
	for i, v := range n.Inputs() {
		if v == nil {
			continue
		}
		if in[i], err = ops.FromGraph(v.Const); err != nil {
			return nil, err
		}
	}
	out, err := op.Run(env, in)
	if err != nil {
		return nil, err
	}
	var list []*graph.Tensor
	for _, t := range out {
		c, err := t.Graph()
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}
