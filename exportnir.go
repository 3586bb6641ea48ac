package spikingir

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"spikingir/graph"
	"spikingir/onnxio/nir"
	"spikingir/passes"
	"spikingir/passes/deadnode"
	"spikingir/passes/foldconstants"
	"spikingir/passes/foldidentity"
	"spikingir/passes/foldshapes"
	"spikingir/passes/infershapes"
	"spikingir/passes/recipes"
	"spikingir/runtime/eval"
	"spikingir/runtime/fit"
)

// NIROptions is what [NIR] is asked for.
type NIROptions struct {
	// Rows and Columns are the size of the image that the file is for; 0 takes the model's own, or 64
	// where it takes any. A model that takes multiples of a size gets the next one.
	Rows, Columns int
	// Readout is how results are read; empty takes the first of [nir.Readouts].
	Readout nir.Readout
	// MemoryLimit is the bytes that constants may take which are folded; 0 is a quarter of the
	// machine's memory, negative is no limit.
	MemoryLimit int64
}

// NIR says a spiking network in NIR, the format of neuromorphic simulators and chips, in unit form, and tells what is lost
// by that. The model does not change. An operator on spikes that NIR has no node for is an [UnsupportedError] that
// names it; its cause is then a [nir.Refused].
func NIR(ctx context.Context, m *Model, o NIROptions) (*nir.Network, *nir.Report, error) {
	if !Spiking(m) {
		return nil, nil, unsupported(errors.New("the model has no spiking neurons: convert it first"))
	}
	m = m.Clone()
	scaled := passes.UnitForm.Check(m) != nil
	if err := o.fix(m); err != nil {
		return nil, nil, unsupported(err)
	}
	p, err := recipes.Rewrite(Settings{Unit: true, Lower: recipes.None})
	if err != nil {
		return nil, nil, err
	}
	for _, pass := range []*Pass{foldshapes.Pass, foldconstants.Pass, foldidentity.Pass, deadnode.Pass, infershapes.Pass} {
		p = append(p, pass.With())
	}
	pool, err := newPool(1)
	if err != nil {
		return nil, nil, err
	}
	defer pool.Close()
	if _, err := p.Run(m, passes.Options{Context: ctx, Evaluate: evaluator(ctx, pool, o.MemoryLimit), Memory: budgetOf(o.MemoryLimit)}); err != nil {
		if ctx.Err() == nil {
			err = refused(err)
		}
		return nil, nil, err
	}
	net, r, err := nir.Export(m, cmp.Or(o.Readout, nir.Integrator))
	if err != nil {
		return nil, nil, unsupported(err)
	}
	if scaled {
		r.Reworded = append(r.Reworded, nir.Finding{What: "thresholds", Nodes: []string{},
			Text: "are 1 in the file: those of the model, of layers or channels, are in the weights, rounded where they are no powers of two"})
	}
	for _, key := range []string{graph.MetaRecipe, graph.MetaSource} {
		if v, ok := m.Metadata.Get(key); ok {
			net.Metadata.Set(key, v)
		}
	}
	net.Metadata.Set(graph.MetaVersion, Version)
	return net, r, ctx.Err()
}

// defaultSide is that of images where a model takes any: every pixel has its neurons in a NIR file.
const defaultSide = 64

// maxPixels bounds the images of a file: what differs from channel to channel is stated for every pixel.
const maxPixels = 1 << 22

// fix gives the inputs of m one size.
func (o *NIROptions) fix(m *Model) error {
	feeds, _ := fedWith(m, nil)
	outputs := m.Graph.Outputs()
	if len(outputs) == 0 {
		return errors.New("the model has no output")
	}
	// Any is as good as another: all of them are exported, whatever they are.
	ports, err := eval.FindPorts(m.Graph, feeds, outputs[0].Name())
	if err != nil {
		return err
	}
	if ports.Channels == 0 {
		return errors.New("the model leaves the channels of its image open, and NIR states them")
	}
	sizes := fit.Free(m, ports.Input)
	rows := cmp.Or(o.Rows, sizes.Rows, defaultSide)
	columns := cmp.Or(o.Columns, sizes.Columns, defaultSide)
	dims, err := sizes.Dims([]int{1, ports.Channels, rows, columns})
	if err != nil {
		return err
	}
	if dims[0] != 1 {
		return errors.New("the model runs several images at once, and NIR has no batch; export it again for one, or with dynamic axes")
	}
	if dims[2] > maxPixels/dims[3] {
		return fmt.Errorf("an image of %dx%d pixels, each of which has neurons in NIR: want %d pixels at most, and the network for a part of the image",
			dims[3], dims[2], maxPixels)
	}
	return sizes.Fix(m, dims)
}
