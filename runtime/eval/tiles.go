package eval

import (
	"context"

	"spikingir/runtime/dataset"
	"spikingir/runtime/exec"
	"spikingir/runtime/fit"
	"spikingir/runtime/metric"
	"spikingir/runtime/ops"
)

// A Tile is the only size of images that a model takes, of which larger ones are joined; the zero
// Tile is a model of any size.
type Tile struct{ Rows, Columns int }

// outcome is what a model gave for an image at one number of timesteps: the image, and what its
// neurons and layers did, in all tiles.
type outcome struct {
	timesteps int
	out       dataset.Image
	neurons   []exec.NeuronReport
	rows      []metric.LayerOps
}

// execute runs a model on an image, whole or in tiles.
func execute(ctx context.Context, p *exec.Program, ports Ports, m dataset.Image, tile Tile) ([]outcome, error) {
	list := make([]outcome, len(p.Timesteps))
	sums := make([]metric.MeanOps, len(list))
	once := func(x *ops.Tensor) ([]*ops.Tensor, error) {
		inputs, err := ports.Inputs(x)
		if err != nil {
			return nil, err
		}
		results, err := p.RunAll(ctx, inputs, exec.RunOptions{Measure: true})
		if err != nil {
			return nil, err
		}
		var images []*ops.Tensor
		for i, r := range results {
			images = append(images, r.Outputs[ports.Output])
			list[i].timesteps = r.Timesteps
			if list[i].neurons, err = merge(list[i].neurons, r.Neurons); err != nil {
				return nil, err
			}
			if err := sums[i].Add(LayerOps(r)); err != nil {
				return nil, err
			}
		}
		return images, nil
	}
	x := Tensor(m)
	var images []*ops.Tensor
	var err error
	if tile == (Tile{}) {
		images, err = once(x)
	} else {
		images, err = fit.Tiled(x, tile.Rows, tile.Columns, once)
	}
	for i, y := range images {
		if err == nil {
			list[i].rows = sums[i].Sum()
			list[i].out, err = Image(y)
		}
	}
	return list, err
}
