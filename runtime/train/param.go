package train

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
)

// Role is what a parameter is to its layer.
type Role string

// The roles.
const (
	Weight    Role = "weight"
	Bias      Role = "bias"
	Beta      Role = "beta"      // of an MPRN: alpha = sigmoid(beta)/2 + 1/2, Eq. 15
	Threshold Role = "threshold" // kept as softplus^-1(theta), so that theta stays positive
	V0        Role = "v0"        // initial potential, in units of theta
	CPM       Role = "cpm"       // weights and bias of a CPM
)

// A Param is a group of numbers that are trained together: a tensor of the
// model, or the initial potential of a neuron layer.
type Param struct {
	Name string
	Role Role
	// Data is what an optimiser changes. It is the tensor's elements, but beta for
	// alpha and softplus^-1(theta) for a threshold.
	Data []float32

	value *graph.Value
	given []float32   // the tensor's elements as Compile found them
	from  []float32   // Data as Compile made them
	node  *graph.Node // of a V0
	grad  int         // index of its gradient in a worker
	// first is the first layer that reads it, the last one on the way back; layers is how many do.
	first, layers int
	elems         []float32 // what layers read: of the tensor's own kind, by refresh
}

// rows are the output channels of the weights of a convolution, 0 of all else.
func (p *Param) rows() int {
	if p.Role != Weight || p.value == nil || len(p.value.Const.Dims) < 2 {
		return 0
	}
	return int(p.value.Const.Dims[0])
}

// refresh computes what layers read from Data. What has not changed since Compile is
// the tensor's own number, which the way there and back may miss by a bit.
func (p *Param) refresh() {
	if p.Role != Beta && p.Role != Threshold {
		copy(p.elems, p.Data)
		return
	}
	for i, x := range p.Data {
		if p.from != nil && x == p.from[i] {
			p.elems[i] = p.given[i]
			continue
		}
		if p.Role == Beta {
			p.elems[i] = float32(0.5*sigmoid(float64(x)) + 0.5)
		} else {
			p.elems[i] = max(softplus(x), leastThreshold)
		}
	}
}

// leastThreshold keeps a threshold above 0 where softplus is too small for a float32.
const leastThreshold = 0x1p-126

// project takes what an update brought out of its range back to the end of it: initial
// potentials.
func (n *Net) project() {
	for _, p := range n.params {
		if p.Role != V0 {
			continue
		}
		for i, x := range p.Data {
			if x == x { // else training has diverged
				p.Data[i] = min(max(x, op.LeastV0), op.MostV0)
			}
		}
	}
}

// chain turns a gradient by the elements into one by Data.
func (p *Param) chain(g []float32) {
	switch p.Role {
	case Beta:
		for i, x := range p.Data {
			s := sigmoid(float64(x))
			g[i] *= float32(0.5 * s * (1 - s))
		}
	case Threshold:
		for i, x := range p.Data {
			if math.IsInf(float64(x), 1) {
				g[i] = 0
				continue
			}
			g[i] *= float32(sigmoid(float64(x)))
		}
	}
}

func sigmoid(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// formatBeta is beta as metadata: one number, or one a channel.
func formatBeta(beta []float32) string {
	text := make([]string, len(beta))
	for i, b := range beta {
		text[i] = strconv.FormatFloat(float64(b), 'g', -1, 32)
	}
	return strings.Join(text, ",")
}

// softplus is log(1 + e^x), and x itself where that is the same.
func softplus(x float32) float32 {
	if x > 30 {
		return x
	}
	return float32(math.Log1p(math.Exp(float64(x))))
}

// invSoftplus is the x of softplus(x) = y > 0.
func invSoftplus(y float32) float32 {
	if y > 30 {
		return y
	}
	return float32(math.Log(math.Expm1(float64(y))))
}

// betaOf is the beta of alpha, within what float32 can tell apart.
func betaOf(alpha float32) float32 {
	s := min(max(2*float64(alpha)-1, 1e-7), 1-1e-7)
	return float32(math.Log(s / (1 - s)))
}

// param enters the tensor that node reads as input i as a parameter, or finds it
// again; nil where it is not a constant of floats.
func (n *Net) param(node *graph.Node, i int, role Role) *Param {
	v := node.Input(i)
	t := n.consts[v]
	if t == nil || !v.IsConstant() || !t.DType.IsFloat() || t.Len() == 0 {
		return nil
	}
	if p := n.index[v]; p != nil {
		p.layers++
		return p
	}
	p := &Param{Name: v.Name(), Role: role, value: v, elems: slices.Clone(t.F32)}
	p.Data = slices.Clone(t.F32)
	for k, x := range p.Data {
		switch role {
		case Beta:
			p.Data[k] = betaOf(x)
		case Threshold:
			p.Data[k] = invSoftplus(x)
		}
	}
	if role == Beta || role == Threshold {
		p.given, p.from = t.F32, slices.Clone(p.Data)
	}
	n.index[v] = p
	return n.enter(p)
}

// enter adds a parameter to the list.
func (n *Net) enter(p *Param) *Param {
	p.grad, p.first, p.layers = len(n.params), len(n.layers), 1
	n.params = append(n.params, p)
	return p
}

// constant is the tensor of input i of node where the shape of one number or one for
// each of c channels is wanted, [..., c, 1, ...] as it broadcasts to a slice.
func (n *Net) constant(node *graph.Node, i, c int) ([]float32, error) {
	t := n.consts[node.Input(i)]
	if t == nil {
		return nil, op.Errorf(node, "input %d is computed, want a constant to train with", i)
	}
	if !t.DType.IsFloat() {
		return nil, op.Errorf(node, "input %d is of type %v, want numbers of floating point", i, t.DType)
	}
	if t.Len() != 1 && !(t.Len() == c && perChannel(t.Dims, c)) {
		return nil, op.Errorf(node, "input %d has dimensions %v, want one number or one for each of %d channels",
			i, t.Dims, c)
	}
	return t.F32, nil
}

// perChannel reports whether a tensor of c elements lies along the channels of a
// slice [N, C, ...] that it broadcasts to. One dimension of c elements is taken for
// that too where it is the only one.
func perChannel(dims []int, c int) bool {
	for i, d := range dims {
		if d == c && c > 1 {
			return len(dims) == 1 || i == 1 && len(dims) >= 2 || i == 0 && len(dims) == 3
		}
	}
	return c == 1
}

// Params lists the parameters, in the order of the nodes.
func (n *Net) Params() []*Param { return n.params }

// Store writes the parameters to the model.
func (n *Net) Store() {
	for _, p := range n.params {
		if p.value == nil {
			p.node.Attrs.Set("v0", graph.Float(p.Data[0]))
			continue
		}
		old := p.value.Const
		n.model.Graph.SetInitializer(p.value, graph.NewFloat32(old.Dims, p.elems), nil)
		if p.Role == Beta {
			for _, u := range p.value.Uses() {
				u.Node.Metadata.Set(graph.MetaBeta, formatBeta(p.Data))
			}
		}
	}
	for _, f := range n.following {
		t := graph.NewFloat32(f.value.Const.Dims, slices.Clone(f.layer.fixed.theta))
		n.model.Graph.SetInitializer(f.value, t, nil)
	}
}
