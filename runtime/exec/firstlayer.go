package exec

import (
	"sync/atomic"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/count"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/neuron"
	"spikingir/runtime/ops"
)

// firstLayer is the convolution of the image with the Encode and the neuron that alone read
// it, which gives counts: some rows at a time, whose currents stay in the caches. All of them
// would be twice what the counts of two layers take.
type firstLayer struct {
	encodedNeuron
	conv   *analog
	shape  kernel.ConvShape // without rows of padding
	packed *kernel.Conv
	top    int // rows of padding above the image, and below it
	bottom int
}

// firstLayers joins such layers.
func (p *plan) firstLayers(owner map[*graph.Node]unit) error {
	for n := range p.graph.Nodes() {
		k, ok := owner[n].(encodedNeuron)
		if !ok || n != k.node || !k.counts || len(p.timing.results) > 1 || used(n.Output(op.NeuronVRes)) {
			continue
		}
		u, err := p.firstLayer(k, owner)
		if err != nil {
			return err
		}
		if u == nil {
			continue
		}
		for _, n := range u.nodes() {
			owner[n] = u
		}
	}
	return nil
}

// firstLayer binds one; nil when the neuron reads something else.
func (p *plan) firstLayer(k encodedNeuron, owner map[*graph.Node]unit) (*firstLayer, error) {
	v := k.encoded.from
	n := v.Producer()
	if n == nil || v.IsOutput() || v.NumUses() != 1 || v.Uses()[0].Node.Output(0).NumUses() != 1 {
		return nil, nil
	}
	conv, ok := owner[n].(*analog)
	g, fits := p.geometry(n)
	if !ok || !fits || g.transposed || !p.floats(n.Input(1)) {
		return nil, nil
	}
	s := g.shape.ConvShape
	u := &firstLayer{encodedNeuron: k, conv: conv, top: s.PadTop, bottom: s.PadBottom}
	var bias []float32
	if b := n.Input(2); b != nil {
		if !p.floats(b) || len(p.consts[b].F32) != s.OutC {
			return nil, nil
		}
		bias = p.consts[b].F32
	}
	s.PadTop, s.PadBottom = 0, 0
	u.shape = s
	var err error
	u.packed, err = kernel.PackConv(s, ops.NormalWeights(g.weights), bias)
	return u, err
}

func (u *firstLayer) nodes() []*graph.Node {
	return append([]*graph.Node{u.conv.node}, u.encoded.all...)
}

func (u *firstLayer) reads() []*graph.Value {
	return append(u.conv.reads(), u.encodedNeuron.reads()[1:]...)
}

func (u *firstLayer) run(r *run) error {
	if r.o.Measure || r.o.Observe != nil { // what lies between is wanted
		if err := u.conv.run(r); err != nil {
			return err
		}
		return u.encodedNeuron.run(r)
	}
	x := r.analogValue(u.conv.node.Input(0))
	if x == nil || len(x.Dims) != 4 || x.DType != graph.Float32 || x.Dims[1] != u.shape.InC {
		return op.Errorf(u.conv.node, "input is %v, want [N,%d,H,W]", x, u.shape.InC)
	}
	h, w := u.shape.OutSize(x.Dims[2]+u.top+u.bottom, x.Dims[3])
	if h*w == 0 {
		return op.Errorf(u.conv.node, "the kernel does not fit in an image of %d x %d", x.Dims[2], x.Dims[3])
	}
	dims := []int{x.Dims[0], u.shape.OutC, h, w}
	p, err := u.sink.parameters(r, dims)
	if err != nil {
		return op.Wrap(u.node, err)
	}
	out := r.newCounts(dims, r.timing.steps+r.timing.post, p.Threshold)
	if r.areas == nil {
		if err := p.Check(u.shape.OutC); err != nil {
			return op.Wrap(u.node, err)
		}
		t := neuron.TwoPhase{Params: p, Steps: int(r.steps()), Post: r.timing.post > 0, Gain: u.encoded.sign * r.steps(), C: u.shape.OutC}
		if err := u.bands(r, x, out, t); err != nil {
			return err
		}
	}
	r.putCounts(u.node.Output(op.NeuronY), out)
	return nil
}

// bandCurrents is the number of currents of a band: they fit in the second-level cache, unless one
// row has more.
const bandCurrents = 1 << 16

// bandScratches are the workers' memory, and a pool of one thread for each.
var bandScratches machine.Slot[bandScratch]

type bandScratch struct {
	pool            *machine.Pool
	image, currents []float32
}

// bands computes all rows, a band at a time.
func (u *firstLayer) bands(r *run, x *ops.Tensor, out *counted, t neuron.TwoPhase) error {
	rows := max(1, bandCurrents/(out.C*out.W))
	each := machine.CeilDiv(out.H, rows)
	total := out.N * each
	var next atomic.Int64
	r.pool.Run(min(r.pool.Threads(), total), func(worker, _, _ int) {
		s := bandScratches.Of(r.pool, worker)
		if s.pool == nil {
			s.pool = machine.NewPool(1)
		}
		for i := int(next.Add(1)) - 1; i < total && r.ctx.Err() == nil; i = int(next.Add(1)) - 1 {
			first := i % each * rows
			u.band(s, x, out, t, i/each, first, min(rows, out.H-first))
		}
	})
	return r.ctx.Err()
}

// band computes some rows of an image.
func (u *firstLayer) band(s *bandScratch, x *ops.Tensor, out *counted, t neuron.TwoPhase, image, first, rows int) {
	height := (rows-1)*u.shape.StrideH + (u.shape.KH-1)*u.shape.DilationH + 1
	h, w := x.Dims[2], x.Dims[3]
	s.image = machine.Grow(s.image, u.shape.InC*height*w)
	for c := range u.shape.InC {
		for y := range height {
			to, from := s.image[(c*height+y)*w:][:w], first*u.shape.StrideH-u.top+y
			if from < 0 || from >= h {
				clear(to)
				continue
			}
			copy(to, x.F32[((image*u.shape.InC+c)*h+from)*w:])
		}
	}
	t.Plane = rows * out.W
	s.currents = machine.Grow(s.currents, out.C*t.Plane)
	u.packed.Run(s.pool, s.currents, s.image, height, w)
	t.Sum = s.currents
	t.Counts = &count.Tensor{N: 1, C: out.C, H: rows, W: out.W, Data: out.Data[(image*out.H+first)*out.W*out.C:][:t.Plane*out.C]}
	_ = t.Run(s.pool) // what it could refuse, run has
}
