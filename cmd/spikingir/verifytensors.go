package main

import (
	"fmt"
	"math"
	"slices"

	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// The words of --tensors that are no names.
const (
	allSpikes = "spikes"
	noTensors = "none"
)

// tensorComparison is what was found of one tensor, over all images.
type tensorComparison struct {
	Tensor    string  `json:"tensor"`
	Node      string  `json:"node"` // of the original
	Spikes    bool    `json:"spikes"`
	Elements  int64   `json:"elements"`
	Different int64   `json:"different"`
	Share     float64 `json:"share"`
	Largest   float64 `json:"largest_difference"`
}

// mean is an output with the mean over time of a tensor, which is its sum by so many steps.
type mean struct {
	output string
	op.Steps
}

// between lists the tensors of a model that are asked for, in the order of evaluation.
func between(m *graph.Model, asked []string) ([]tensorComparison, error) {
	list := []tensorComparison{}
	named := map[string]bool{}
	for _, name := range asked {
		named[name] = true
	}
	for n := range m.Graph.Nodes() {
		for i, v := range n.Outputs() {
			if v == nil {
				continue
			}
			spikes := op.IsNeuron(n) && i == op.NeuronY
			if named[v.Name()] || spikes && named[allSpikes] {
				list = append(list, tensorComparison{Tensor: v.Name(), Node: n.OriginLabel(), Spikes: spikes})
			}
			delete(named, v.Name())
		}
	}
	for _, name := range asked {
		if named[name] && name != allSpikes && name != noTensors {
			return nil, fmt.Errorf("--tensors %s: no node of A gives a value of that name; want %s, %s or names of values, as convert --print-ir-after shows them",
				cli.Shown(name), allSpikes, noTensors)
		}
	}
	return list, nil
}

// withOutputs is a model that gives some of its values too.
func withOutputs(m *graph.Model, names []string) *graph.Model {
	if len(names) == 0 {
		return m
	}
	m = m.Clone()
	// Types are for who reads the file; a value without one is an output as well.
	_ = infer.Model(m)
	for _, name := range names {
		if v := m.Graph.Value(name); !v.IsOutput() {
			m.Graph.AddOutput(v)
		}
	}
	return m
}

// withMeans is withOutputs for a run here: what neurons of two phases give is summed over time, and so
// its mean is the output.
func withMeans(m *graph.Model, names []string) (*graph.Model, map[string]mean) {
	means := map[string]mean{}
	var plain []string
	whole := m.Clone()
	for _, name := range names {
		v := whole.Graph.Value(name)
		n := v.Producer()
		if !op.IsNeuron(n) || op.ScheduleOf(n) != op.TwoPhase {
			plain = append(plain, name)
			continue
		}
		steps, err := op.NeuronOf(n)
		if err != nil { // which opening the model says
			plain = append(plain, name)
			continue
		}
		d := whole.Graph.AddNode(graph.Op{Domain: graph.Spiking, Type: "Decode"}, graph.Attrs{
			{Name: "timesteps", Value: graph.Int(steps.Timesteps)}, {Name: "post", Value: graph.Int(steps.Post)}}, []*graph.Value{v}, whole.Graph.FreshName(name+".mean"))
		d.Region = graph.AnalogPost
		whole.Graph.AddOutput(d.Output(0))
		means[name] = mean{d.Output(0).Name(), steps.Steps}
	}
	return withOutputs(whole, plain), means
}

// tensors adds what is found of the tensors in between on one image.
func (e *elsewhere) tensors(here map[string]*ops.Tensor, there map[string]*graph.Tensor) error {
	for i := range e.report.Tensors {
		t := &e.report.Tensors[i]
		other := there[t.Tensor]
		if other == nil {
			e.lack(t.Tensor)
			continue
		}
		z, err := ops.FromGraph(other)
		if err != nil {
			return err
		}
		y := here[t.Tensor]
		if m, summed := e.means[t.Tensor]; summed {
			y, z = times(here[m.output], float32(m.Timesteps)), folded(z, int(m.Slices()))
		}
		if y == nil || !slices.Equal(y.Dims, z.Dims) || !y.DType.IsFloat() || !z.DType.IsFloat() {
			e.lack(t.Tensor)
			continue
		}
		different, largest := apart(y, z)
		t.Elements += int64(len(y.F32))
		t.Different += different
		t.Share = float64(t.Different) / float64(max(t.Elements, 1))
		t.Largest = max(t.Largest, largest)
	}
	e.report.First = ""
	if i := slices.IndexFunc(e.report.Tensors, func(t tensorComparison) bool { return t.Different > 0 }); i >= 0 {
		e.report.First = e.report.Tensors[i].Tensor
	}
	return nil
}

// times is a tensor times a number.
func times(x *ops.Tensor, k float32) *ops.Tensor {
	y := ops.Floats(slices.Clone(x.F32), x.Dims...)
	for i := range y.F32 {
		y.F32[i] *= k
	}
	return y
}

// folded is the sum over time of a tensor of so many slices of one image each; one without time is left as it is.
func folded(x *ops.Tensor, count int) *ops.Tensor {
	if !x.DType.IsFloat() || len(x.Dims) == 0 || x.Dims[0] != count || count == 1 {
		return x
	}
	dims := slices.Clone(x.Dims)
	dims[0] = 1
	y := ops.Floats(make([]float32, len(x.F32)/count), dims...)
	for i, v := range x.F32 {
		y.F32[i%len(y.F32)] += v
	}
	return y
}

// lack notes a tensor that cannot be compared, once.
func (e *elsewhere) lack(name string) {
	if !slices.Contains(e.report.Without, name) {
		e.report.Without = append(e.report.Without, name)
	}
}

// flip is the difference, relative to the greater of two numbers or to small, above which they are not the same
// up to rounding: spikes are 0 or an amplitude, and counts of them lie further apart.
const (
	flip  = 1e-3
	small = 1e-3
)

// apart counts the elements that are not the same up to rounding, and gives the largest difference.
func apart(y, z *ops.Tensor) (different int64, largest float64) {
	for i := range y.F32 {
		a, b := float64(y.F32[i]), float64(z.F32[i])
		d := math.Abs(a - b)
		if d > flip*max(math.Abs(a), math.Abs(b), small) {
			different++
		}
		largest = max(largest, d)
	}
	return different, largest
}
