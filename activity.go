package spikingir

import (
	"context"
	"errors"

	"spikingir/runtime/eval"
)

// MeasureActivity runs a spiking network over images, as [Convert] takes them for
// calibration, and tells of each layer of neurons how often it fires, and which of its neurons
// and channels never do or always. The network is run at its T, the largest where it was
// opened with several.
func MeasureActivity(ctx context.Context, n *Network, d Data, progress func(done, total int)) ([]Activity, error) {
	switch {
	case n.noImage != nil:
		return nil, unsupported(n.noImage)
	case n.program.T == 0:
		return nil, unsupported(errors.New("the network has no neurons in time, so nothing fires: want a converted network, " +
			"not of a form of standard operators"))
	}
	set, err := d.Samples(n.ports.Channels)
	if err != nil {
		return nil, err
	}
	list, err := eval.MeasureActivity(ctx, n.program, n.ports, middles{set, n}, progress)
	if err != nil {
		return nil, n.Fault(err)
	}
	return list, nil
}
