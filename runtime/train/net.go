package train

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/eval"
	"spikingir/runtime/fit"
	"spikingir/runtime/ops"
)

// Net is a network made ready for training on patches of one size: a tape of
// layers, run forwards and backwards by Workers, one patch each at a time.
type Net struct {
	Timesteps int // T; 0 for a network without timed neurons
	Post      int // 1 when a post step follows
	// Schedule is that of the neurons. Mode Rates is what a two-phase network computes.
	Schedule op.Schedule
	// Threads is how many goroutines Refresh and Gradients work on; their results do not
	// depend on it. 0 is one.
	Threads int

	options Options
	model   *graph.Model
	feeds   map[string]eval.Feed
	values  map[*graph.Value]*value
	order   []*value
	layers  []layer
	neurons []*neuronLayer
	params  []*Param
	index   map[*graph.Value]*Param
	consts  map[*graph.Value]*ops.Tensor
	// roundings are the layers whose weights are rounded, following the thresholds that they move.
	roundings []*rounding
	following []following
	input     *value
	output    *value
	target    *graph.Value // the output of the graph that is trained
}

// A value is one tensor of the graph as workers hold it: slices of one shape,
// rank 4 channel-last, others row-major.
type value struct {
	id    int
	of    *graph.Value
	timed bool
	dims  []int // as ONNX has them, the first one being that of one slice
	elems int   // of a slice
	grad  bool  // some parameter lies before it
	dense bool  // some reader wants amplitudes, not spikes
	kept  bool  // the layer that makes it reads it on the way back
	// neuron is what emits it, nil for what is not spikes.
	neuron *neuronLayer
	// reads counts the layers that read it.
	reads int
}

// channels, height and width are those of a value of rank 4.
func (v *value) channels() int { return v.dims[1] }
func (v *value) height() int   { return v.dims[2] }
func (v *value) width() int    { return v.dims[3] }

// A layer is one node of the tape.
type layer interface {
	// forward computes the layer's outputs into the worker's slots.
	forward(w *Worker) error
	// backward adds to the gradients of the layer's inputs and parameters; those of
	// its outputs are complete.
	backward(w *Worker) error
	// refresh follows new values of the parameters.
	refresh()
	reads() []*value
	writes() []*value
}

// checkPatch refuses patches of a size that the network does not take.
func checkPatch(m *graph.Model, height, width int) error {
	sizes := fit.Free(m.Clone(), "")
	dims, err := sizes.Dims([]int{1, 1, height, width})
	if err != nil {
		return fmt.Errorf("patches: %w", err)
	}
	if dims[0] != 1 || dims[2] != height || dims[3] != width {
		return fmt.Errorf("patches of %dx%d pixels at the network's input, and it takes %v; want patches that fit", width, height, sizes)
	}
	return nil
}

// Compile makes a network ready for patches of that many pixels. The model is kept:
// Store writes trained parameters to it. Errors name the node that has no gradient.
func Compile(m *graph.Model, height, width int, o Options) (*Net, error) {
	return CompileFed(m, height, width, o, nil)
}

// CompileFed is Compile of a model that takes more than an image: what is fed beside it, by the
// names of the inputs, follows the size of the patches.
func CompileFed(m *graph.Model, height, width int, o Options, feeds map[string]eval.Feed) (*Net, error) {
	n := &Net{options: o, model: m, feeds: feeds, values: map[*graph.Value]*value{}, index: map[*graph.Value]*Param{},
		consts: map[*graph.Value]*ops.Tensor{}}
	if err := o.Check(); err != nil {
		return nil, err
	}
	if err := checkPatch(m, height, width); err != nil {
		return nil, err
	}
	for _, v := range m.Graph.Initializers() {
		if v.Sparse != nil {
			return nil, fmt.Errorf("initializer %q is sparse; sparse initializers cannot be trained", v.Name())
		}
		if v.Const.DType == graph.StringType {
			continue
		}
		t, err := ops.FromGraph(v.Const)
		if err != nil {
			return nil, fmt.Errorf("initializer %q: %w", v.Name(), err)
		}
		n.consts[v] = t
	}
	if err := n.time(); err != nil {
		return nil, err
	}
	if err := n.ports(height, width); err != nil {
		return nil, err
	}
	if err := n.tape(); err != nil {
		return nil, err
	}
	if err := n.bindRoundings(); err != nil {
		return nil, err
	}
	n.Refresh()
	return n, nil
}

// time finds T, whether a post step follows, and the schedule.
func (n *Net) time() error {
	timing, err := op.TimingOf(n.model.Graph)
	if err != nil {
		return err
	}
	n.Timesteps, n.Post, n.Schedule = int(timing.Timesteps), int(timing.Post), timing.Schedule
	for node := range n.model.Graph.Nodes() {
		if !op.IsNeuron(node) {
			continue
		}
		s, err := op.NeuronOf(node)
		if err != nil {
			return err
		}
		if s.Timesteps != 0 && s.Steps != timing.Steps {
			return op.Errorf(node, "runs %d timesteps and %d post steps, others run %d and %d: want one time for all",
				s.Timesteps, s.Post, n.Timesteps, n.Post)
		}
	}
	return nil
}

// ports finds the image input.
func (n *Net) ports(height, width int) error {
	var inputs []*graph.Value
	for _, v := range n.model.Graph.Inputs() {
		if _, fed := n.feeds[v.Name()]; !fed && !v.IsInitializer() {
			inputs = append(inputs, v)
		}
	}
	outputs := n.model.Graph.Outputs()
	if len(inputs) != 1 {
		return fmt.Errorf("the model has %d inputs, want one, for the image", len(inputs))
	}
	at := 0
	if n.options.OutputName != "" {
		at = slices.IndexFunc(outputs, func(v *graph.Value) bool { return v.Name() == n.options.OutputName })
	}
	if at < 0 || n.options.OutputName == "" && len(outputs) != 1 {
		return fmt.Errorf("the model has %d outputs and none is called %q, want the one to train", len(outputs), n.options.OutputName)
	}
	n.target = outputs[at]
	shape := inputs[0].Type.Shape
	if len(shape) != 4 {
		return fmt.Errorf("input %q has shape %v, want [N,C,H,W]", inputs[0].Name(), shape)
	}
	c, ok := shape[1].Size()
	if !ok {
		return fmt.Errorf("input %q leaves its channels open, want a number", inputs[0].Name())
	}
	if height < 1 || width < 1 {
		return fmt.Errorf("patches of %dx%d pixels, want 1x1 at least", height, width)
	}
	n.input = n.add(inputs[0], []int{1, int(c), height, width}, false)
	return n.beside()
}

// beside gives the inputs beside the image what they are fed with a patch: the same with each,
// so that it is a constant.
func (n *Net) beside() error {
	if len(n.feeds) == 0 {
		return nil
	}
	ports, err := eval.Bind(n.model.Graph, n.feeds, n.target.Name())
	if err != nil {
		return err
	}
	fed, err := ports.Inputs(ops.NewTensor(graph.Float32, n.input.dims))
	if err != nil {
		return err
	}
	for _, name := range ports.Beside() {
		n.consts[n.model.Graph.Value(name)] = fed[name]
	}
	return nil
}

// add enters a value of the graph.
func (n *Net) add(v *graph.Value, dims []int, timed bool) *value {
	elems := 1
	for _, d := range dims {
		elems *= d
	}
	x := &value{id: len(n.order), of: v, dims: dims, elems: elems, timed: timed}
	n.values[v] = x
	n.order = append(n.order, x)
	return x
}

// tape binds the nodes that the output depends on, in order.
func (n *Net) tape() error {
	needed := n.needed()
	for node := range n.model.Graph.Nodes() {
		if !needed[node] {
			continue
		}
		l, err := n.bind(node)
		if err != nil {
			return err
		}
		if l == nil {
			continue
		}
		if c, ok := l.(*convLayer); ok {
			c.unit = len(n.layers)
		}
		n.layers = append(n.layers, l)
		for _, v := range l.reads() {
			v.reads++
		}
	}
	n.output = n.values[n.target]
	if n.output == nil || n.output.timed {
		return fmt.Errorf("output %q does not depend on the input, or is not read out", n.target.Name())
	}
	if len(n.params) == 0 {
		return fmt.Errorf("the model has no parameters that can be trained")
	}
	return nil
}

// needed marks the nodes that the output depends on.
func (n *Net) needed() map[*graph.Node]bool {
	needed := map[*graph.Node]bool{}
	var visit func(v *graph.Value)
	visit = func(v *graph.Value) {
		if v == nil || v.Producer() == nil || needed[v.Producer()] {
			return
		}
		needed[v.Producer()] = true
		for _, in := range v.Producer().Inputs() {
			visit(in)
		}
	}
	visit(n.target)
	return needed
}

// bind makes the layer of a node; nil where all its inputs are constants.
func (n *Net) bind(node *graph.Node) (layer, error) {
	if node.Op().Domain == graph.Spiking {
		switch node.Op().Type {
		case "Encode":
			return n.bindEncode(node)
		case "Bias":
			return n.bindBias(node)
		case "IF", "MPRN", "TwoPhaseIF", "TwoPhaseMPRN", "BurstIF", "MultiThresholdIF", "SignedIF":
			return n.bindNeuron(node)
		case "CPM":
			return n.bindCPM(node)
		case "Decode":
			return n.bindDecode(node)
		}
	}
	switch {
	case node.Is("Conv") && n.fastConv(node):
		return n.bindConv(node)
	case node.Is("Concat") && n.fastConcat(node):
		return n.bindConcat(node)
	}
	return n.bindStandard(node)
}

// of is the value that node reads as input i, or an error.
func (n *Net) of(node *graph.Node, i int) (*value, error) {
	v := n.values[node.Input(i)]
	if v == nil {
		return nil, op.Errorf(node, "input %d does not depend on the image, want one that does", i)
	}
	return v, nil
}

// Own is the mode in which the spiking network itself is computed: on a slice of rates where
// neurons integrate before they fire, else through all timesteps.
func (n *Net) Own() Mode {
	if n.Schedule == op.TwoPhase {
		return Rates
	}
	return Spikes
}

// slices is the number of slices of a value in the given mode.
func (n *Net) slices(v *value, mode Mode) int {
	if v.timed && mode == Spikes {
		return n.Timesteps + n.Post
	}
	return 1
}
