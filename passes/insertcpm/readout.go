package insertcpm

import (
	"math"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
)

// readout is one value that leaves the region.
type readout struct {
	*passes.Context
	v      *graph.Value
	from   *graph.Node // v's producer
	mark   *graph.Node // new nodes go before it; nil: at the end
	neuron bool        // v is the output of a neuron
	alone  bool        // and read by nothing inside the region
	theta  float32     // its threshold; +Inf when there is not one number yet
	node   string      // what new nodes are named after
}

func newReadout(c *passes.Context, v *graph.Value) (*readout, error) {
	from := v.Producer()
	r := &readout{Context: c, v: v, from: from, node: from.Label(), theta: float32(math.Inf(1))}
	next := false
	for n := range v.Graph().Nodes() {
		if next {
			r.mark = n
			break
		}
		next = n == from
	}
	if spiking.Steps(c.Model).Timesteps > 0 {
		return nil, op.Unsupportedf(from, "its time-major result %q leaves the spiking region: "+
			"run insert-cpm before encode-input", v.Name())
	}
	if !op.IsNeuron(from) {
		return r, nil
	}
	r.neuron = true
	r.alone = !slices.ContainsFunc(v.Uses(), func(u graph.Use) bool { return !outside(u) })
	theta, err := passes.Threshold(from)
	if err != nil {
		return nil, err
	}
	if len(theta) == 1 {
		r.theta = theta[0]
	}
	return r, nil
}

// add inserts a node behind v's producer that descends from it.
func (r *readout) add(name string, o graph.Op, attrs graph.Attrs, in []*graph.Value,
	outputs ...string) *graph.Node {
	g := r.v.Graph()
	for i, out := range outputs {
		outputs[i] = g.FreshName(r.v.Name() + out)
	}
	n := (*graph.Node)(nil)
	if r.mark != nil {
		n = r.Insert(r.mark, r.from, r.node+name, o, attrs, in, outputs...)
	} else {
		n = r.Append(r.from, r.node+name, o, attrs, in, outputs...)
	}
	for _, v := range n.Outputs() {
		v.Type = graph.TensorOf(r.v.Type.Elem, append(graph.Shape(nil), r.v.Type.Shape...))
	}
	return n
}

// analog is add of a node of the analog part behind the region.
func (r *readout) analog(name, typ string, attrs graph.Attrs, in ...*graph.Value) *graph.Value {
	n := r.add(name, graph.Op{Type: typ}, attrs, in, name)
	n.Region = graph.AnalogPost
	return n.Output(0)
}

func (r *readout) insert() error {
	if t := r.v.Type; t.Kind != graph.TensorType || t.Elem != graph.Float32 || len(t.Shape) < 2 {
		return op.Unsupportedf(r.from, "its result %v leaves the spiking region, "+
			"want a float tensor [N, C, ...]", r.v.Type)
	}
	x := r.v
	var s *graph.Node
	if r.neuron {
		x = r.from.Input(op.NeuronX)
	}
	kind := Readout.Of(r.Context)
	signed := true // o may be, where v is not
	var o *graph.Value
	var err error
	switch {
	case kind == Membrane:
		o, s = r.membrane(x)
	case kind == CPM && Residual.Of(r.Context):
		s = r.outputNeuron(x)
		o, err = r.cpm(s)
	default:
		signed = false
		o, s, err = r.rate(x)
	}
	if err != nil {
		return err
	}
	if r.neuron && Relu.Of(r.Context) == "keep" && signed {
		o = r.activation(o)
	}
	return r.redirect(o, s)
}

// outputNeuron is the IF that integrates x for the readout. A neuron whose value
// leaves the region lends it bias, threshold and metadata.
func (r *readout) outputNeuron(x *graph.Value) *graph.Node {
	in := []*graph.Value{x}
	if r.neuron && r.from.Input(op.NeuronBias) != nil {
		in = append(in, r.from.Input(op.NeuronBias))
	}
	n := r.add(".out", spiking.Op("IF"), spiking.NeuronAttrs(0), in, ".spikes", ".residual")
	switch g := n.Graph(); {
	case r.alone:
		n.SetInput(op.NeuronTheta, r.from.Input(op.NeuronTheta))
	case r.neuron:
		n.SetInput(op.NeuronTheta, g.AddInitializer(g.FreshName(n.Label()+".theta"), r.from.Input(op.NeuronTheta).Const))
	default:
		n.SetInput(op.NeuronTheta, spiking.Parameter(n, "theta", nil, []float32{r.theta}))
	}
	if r.neuron {
		n.Doc, n.Metadata = r.from.Doc, r.from.Metadata.Clone()
		n.Metadata.Delete(graph.MetaBeta)
	}
	return n
}

func (r *readout) cpm(s *graph.Node) (*graph.Value, error) {
	w, attrs, err := r.dirac(".cpm.weight")
	if err != nil {
		return nil, err
	}
	attrs = append(spiking.Attrs(op.Steps{}), attrs...)
	n := r.add(".cpm", spiking.Op("CPM"), attrs, []*graph.Value{s.Output(op.NeuronY), s.Output(op.NeuronVRes), w}, ".cpm")
	if !Conv.Of(r.Context) {
		n.Metadata.Set(graph.MetaFrozen, "true")
	}
	return n.Output(0), nil
}

// dirac is the weights and attributes of a convolution that copies its input.
func (r *readout) dirac(name string) (*graph.Value, graph.Attrs, error) {
	shape := r.v.Type.Shape
	c, known := shape[1].Size()
	if !known || len(shape) < 3 {
		return nil, nil, op.Unsupportedf(r.from, "its result %v leaves the spiking region, but a CPM needs "+
			"[N, C, ...] with a known number of channels: want --readout rate, which is insert-cpm{readout=rate}", r.v.Type)
	}
	k := Kernel.Of(r.Context)
	axes := len(shape) - 2
	dims, kernel, pads := []int64{c, c}, graph.Ints{}, graph.Ints{}
	area := int64(1)
	for range axes {
		dims, kernel = append(dims, k), append(kernel, k)
		pads = append(pads, k/2, k/2)
		area *= k
	}
	xs := make([]float32, c*c*area)
	for i := range c {
		xs[(i*c+i)*area+area/2] = 1
	}
	g := r.v.Graph()
	w := g.AddInitializer(g.FreshName(r.node+name), graph.NewFloat32(dims, xs))
	return w, graph.Attrs{{Name: "kernel_shape", Value: kernel}, {Name: "pads", Value: pads}}, nil
}

func (r *readout) activation(o *graph.Value) *graph.Value {
	if math.IsInf(float64(r.theta), 1) {
		return r.analog(".relu", "Relu", nil, o)
	}
	if r.Model.Opset("") < 11 {
		return r.analog(".clip", "Clip", graph.Attrs{
			{Name: "min", Value: graph.Float(0)}, {Name: "max", Value: graph.Float(r.theta)},
		}, o)
	}
	g := r.v.Graph()
	low := g.AddInitializer(g.FreshName(r.node+".clip.min"), graph.Scalar(0))
	high := g.AddInitializer(g.FreshName(r.node+".clip.max"), graph.Scalar(r.theta))
	return r.analog(".clip", "Clip", nil, o, low, high)
}
