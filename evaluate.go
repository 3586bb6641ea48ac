package spikingir

import (
	"context"

	"spikingir/runtime/cluster"
	"spikingir/runtime/eval"
	"spikingir/runtime/metric"
)

// EvaluateOptions is what [Evaluate] is asked for; the zero value measures the network
// alone.
type EvaluateOptions struct {
	// Reference is, as a rule, the ANN that the network was converted from. With it the
	// report has the conversion rate, the agreement and the energy saved.
	Reference *Network
	// SSIM is its window: "gaussian" (11x11, sigma 1.5; the default) or "uniform7".
	SSIM metric.Window
	// Energy is the energy model, "paper" (the default) or "exact", and FirstLayer says
	// whether the first layer is charged "once" (the default) or "per-step".
	Energy     metric.Mode
	FirstLayer metric.FirstLayer
	// Crop measures the central Crop x Crop pixels of each input; 0 takes the whole.
	Crop int
	// Blind measures what needs no ground truth, agreement, firing rates and energy, with any
	// task; qualities are left zero. A network of one size of images is given the middle of
	// each, as [Convert] does when it calibrates.
	Blind bool
	// Cluster is the processes that share out the images; nil for this one alone. All of them
	// measure the same network, and get the same report. With Each nothing is shared out.
	Cluster cluster.Comm
	// Accept, when not nil, may refuse an image of w x h pixels before it is run.
	Accept func(w, h int) error
	// Each, when not nil, is shown each image with what came of it, which it must not change.
	Each func(Outcome) error
	// Progress, when not nil, is called after each image.
	Progress func(done, total int)
}

// Evaluate measures a network on images with a ground truth, one report for each
// number of timesteps that it was opened with: PSNR and SSIM against the truth, firing
// rates and residual potentials layer by layer, and energy by the models of the
// SpikingIR paper. The task must be one that has a truth, which [AsIs] has not, unless Blind
// asks for none.
// Quality alone misleads as a measure of conversion, for quantisation may move an image
// closer to the truth: the agreement with the reference does not.
func Evaluate(ctx context.Context, n *Network, d Data, o EvaluateOptions) ([]*Report, error) {
	if n.noImage != nil {
		return nil, unsupported(n.noImage)
	}
	c := eval.Config{Model: n.program, Ports: n.ports, Tile: n.tiles(), Window: o.SSIM, Crop: o.Crop, Blind: o.Blind, Each: o.Each, Progress: o.Progress, Cluster: o.Cluster,
		Energy: metric.EnergyOptions{Mode: o.Energy, FirstLayer: o.FirstLayer}}
	if o.Reference != nil {
		c.Ref, c.RefPorts, c.RefTile = o.Reference.program, o.Reference.ports, o.Reference.tiles()
	}
	if o.Accept != nil {
		c.Accept = func(dims []int) error { return o.Accept(dims[3], dims[2]) }
	}
	gives := n.ports.Gives
	if o.Blind {
		gives = n.ports.Channels
	}
	var err error
	if c.Set, err = d.samples(n.ports.Channels, gives); err != nil {
		return nil, err
	}
	if o.Blind {
		c.Set = middles{c.Set, n}
	}
	all, err := eval.RunAll(ctx, c)
	if err != nil {
		return nil, n.Fault(err)
	}
	return all, nil
}

// middles is samples of which a network takes the inputs, whatever their size.
type middles struct {
	Samples
	network *Network
}

func (s middles) At(i int) (Sample, error) {
	x, err := s.Samples.At(i)
	if err != nil {
		return x, err
	}
	if x.Input, err = s.network.Fit(x.Input); err != nil {
		return x, err
	}
	x.Input, err = s.network.Middle(x.Input)
	return x, err
}
