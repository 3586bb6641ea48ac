package exec

import (
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/ops"
)

// chain is a convolution and what follows it element by element, run as one.
type chain struct {
	links []*analog
	joint *ops.Chain
}

func (u *chain) nodes() []*graph.Node {
	var list []*graph.Node
	for _, a := range u.links {
		list = append(list, a.node)
	}
	return list
}

// reads leaves out what one link reads of the one before.
func (u *chain) reads() []*graph.Value {
	list := u.links[0].reads()
	for _, a := range u.links[1:] {
		list = append(list, present(a.node.Inputs()[1:])...)
	}
	return list
}

// run computes the chain at once, or link by link where the values between are
// observed or the joint operator declines.
func (u *chain) run(r *run) error {
	if r.o.Observe == nil {
		if done, err := u.runJoint(r); done || err != nil {
			return err
		}
	}
	for _, a := range u.links {
		if err := a.run(r); err != nil {
			return err
		}
	}
	return nil
}

func (u *chain) runJoint(r *run) (done bool, err error) {
	in := make([][]*ops.Tensor, len(u.links))
	for i, a := range u.links {
		in[i] = r.analogInputs(a.node)
	}
	last := u.links[len(u.links)-1].node
	if r.areas != nil {
		r.put(last.Output(0), r.sized(last, nil)[0])
		return true, nil
	}
	y, ok, err := u.joint.Run(r.env, in)
	if err != nil {
		return false, op.Wrap(u.links[0].node, err)
	}
	if !ok {
		return false, nil
	}
	r.put(last.Output(0), y)
	for i, a := range u.links {
		r.countAnalog(a.node, in[i], y) // every link's result has the dimensions of y
	}
	return true, nil
}

// chains joins units that run as one: each gives a float value that nothing but
// the next one reads, as its first input, beside constants.
func (p *plan) chains(m *graph.Model, owner map[*graph.Node]unit) error {
	for n := range p.graph.Nodes() {
		first, ok := owner[n].(*analog)
		if !ok || !n.Is("Conv") || !p.floats(n.Input(1)) {
			continue
		}
		links := []*analog{first}
		var after []*graph.Node
		for next := p.follower(owner, first); next != nil; next = p.follower(owner, next) {
			links = append(links, next)
			after = append(after, next.node)
		}
		if len(after) == 0 {
			continue
		}
		joint, err := ops.NewChain(first.op, after, m.Opset(""))
		if err != nil {
			return err
		}
		u := &chain{links, joint}
		for _, a := range links {
			owner[a.node] = u
		}
	}
	return nil
}

// floats reports whether v is a constant of type float.
func (p *plan) floats(v *graph.Value) bool {
	c := p.consts[v]
	return c != nil && c.DType == graph.Float32
}

// follower is the unit that may join a chain behind a; nil when none may.
func (p *plan) follower(owner map[*graph.Node]unit, a *analog) *analog {
	y := a.node.Output(0)
	if y == nil || y.IsOutput() || y.NumUses() != 1 {
		return nil
	}
	use := y.Uses()[0]
	next, ok := owner[use.Node].(*analog)
	if !ok || use.Index != 0 || !ops.Chains(use.Node.Op()) {
		return nil
	}
	if len(present(use.Node.Outputs()[1:])) > 0 {
		return nil
	}
	for _, v := range present(use.Node.Inputs()[1:]) {
		if d := v.Producer(); p.consts[v] == nil && (d == nil || !d.Is("Constant")) {
			return nil
		}
	}
	return next
}
