package main

import (
	"bytes"
	"context"
	"fmt"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/passes"
	"spikingir/passes/recipes"
	"spikingir/runtime/calib"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
)

// images is a set to calibrate on.
type images struct {
	n  int
	at func(i int) (dataset.Image, error)
}

func (s images) Len() int { return s.n }

func (s images) Input(i int) (*ops.Tensor, error) {
	m, err := s.at(i)
	if err != nil {
		return nil, err
	}
	return eval.Tensor(m), nil
}

func (s images) SHA256() string { return "" }

// convert runs a recipe over m in place.
func (a *lab) convert(ctx context.Context, m *graph.Model, recipe string, s recipes.Settings, set images) error {
	p, err := recipes.New(recipe, s)
	if err != nil {
		return err
	}
	_, err = p.Run(m, passes.Options{
		Calibrate: func(m *graph.Model, values []string) (*graph.Stats, error) {
			m = m.Clone()
			eval.FreeSize(m.Graph)
			return calib.Collect(ctx, m, values, set, a.Kernels(), nil)
		},
		Evaluate: a.evaluate,
	})
	return err
}

// evaluate computes a constant node.
func (a *lab) evaluate(n *graph.Node, opset int64) ([]*graph.Tensor, error) {
	op, err := ops.Bind(n, opset)
	if err != nil {
		return nil, err
	}
	in := make([]*ops.Tensor, n.NumInputs())
	for i, v := range n.Inputs() {
		if v == nil {
			continue
		}
		if in[i], err = ops.FromGraph(v.Const); err != nil {
			return nil, err
		}
	}
	out, err := op.Run(&ops.Env{Pool: a.Kernels(), Alloc: ops.NewTensor}, in)
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

// spikingForm converts m in place by the default recipe, calibrated on the
// embedded images: the speed hardly depends on thresholds.
func (a *lab) spikingForm(ctx context.Context, path string, m *graph.Model, timesteps int, lower recipes.Form) error {
	s := recipes.Defaults()
	s.Timesteps, s.Lower = timesteps, lower
	ports, err := eval.PortsOf(m.Graph)
	if err != nil {
		return err
	}
	files, err := fixtures.Images(fixtures.Calib)
	if err != nil {
		return err
	}
	set := images{len(files), func(i int) (dataset.Image, error) {
		img, err := dataset.Decode(bytes.NewReader(files[i].Data))
		if err == nil && ports.Channels == 1 {
			return img.Gray(), nil
		}
		return img.Color(), err
	}}
	if err := a.convert(ctx, m, recipes.Names()[0], s, set); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// compileOn plans a model on a pool of its own; channels are those of its image.
func compileOn(m *graph.Model, pool *machine.Pool, precision exec.Precision) (p *exec.Program, channels int, err error) {
	ports, err := eval.PortsOf(m.Graph)
	if err != nil {
		return nil, 0, err
	}
	eval.FreeSize(m.Graph)
	p, err = exec.Compile(m, exec.Options{Pool: pool, Precision: precision})
	return p, max(ports.Channels, 1), err
}
