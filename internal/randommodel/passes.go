package randommodel

import (
	"context"

	"spikingir/graph"
	"spikingir/passes"
	"spikingir/runtime/calib"
	"spikingir/runtime/ops"
)

// Image is the image that the model takes, and whether it is all that it takes.
func (m *Model) Image() (x *ops.Tensor, alone bool) {
	for _, t := range m.Inputs {
		if len(m.Inputs) != 1 || t.DType != graph.Float32 || len(t.Dims) != 4 {
			return nil, false
		}
		return must(ops.FromGraph(t)), true
	}
	return nil, false
}

// PassOptions is what passes need of the runtime. They calibrate on the image, which is
// nil for models that take something else.
func PassOptions(image *ops.Tensor) passes.Options {
	o := passes.Options{Evaluate: func(n *graph.Node, opset int64) ([]*graph.Tensor, error) {
		return ops.Evaluate(&ops.Env{}, n, opset, nil)
	}}
	if image != nil {
		o.Calibrate = func(m *graph.Model, values []string) (*graph.Stats, error) {
			return calib.Collect(context.Background(), m, values, set{image}, nil, nil)
		}
	}
	return o
}

// set is a calibration set of one image.
type set struct{ image *ops.Tensor }

func (set) Len() int                         { return 1 }
func (s set) Input(int) (*ops.Tensor, error) { return s.image, nil }
func (set) SHA256() string                   { return "" }
