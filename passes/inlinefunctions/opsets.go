package inlinefunctions

import (
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// checkOperators demands that the operators of f, which the call reaches first,
// mean in the model what they mean in f, and imports the domains that the model
// lacks.
func (in *inliner) checkOperators(call *graph.Node, f *graph.Function) {
	seen := map[string]bool{}
	for _, n := range nodesOf(f) {
		switch domain := n.Op().Domain; {
		case in.callee(n) != nil:
		case domain == "":
			in.checkStandard(n, f)
		case !seen[domain]:
			in.checkDomain(n, f)
			seen[domain] = true
		}
	}
	if repeats(f) && in.opset("", f) == 0 {
		in.c.Refuse(call, "the function passes an input through or gives an output twice, which"+
			" takes an Identity, but neither it nor the model imports an opset of standard operators")
	}
}

// opset is the version of a domain that the model imports, after it imported
// f's if it had none.
func (in *inliner) opset(domain string, f *graph.Function) int64 {
	if v := f.Opset(domain); v > 0 && in.m.Opset(domain) == 0 {
		in.m.SetOpset(domain, v)
	}
	return in.m.Opset(domain)
}

// repeats reports whether an output of f is an input, or another output too.
func repeats(f *graph.Function) bool {
	outs := f.Body.Outputs()
	for i, v := range outs {
		if v.Producer() == nil || slices.Contains(outs[:i], v) {
			return true
		}
	}
	return false
}

// checkDomain holds the version of the domain of n, a node of f, against the
// model's.
func (in *inliner) checkDomain(n *graph.Node, f *graph.Function) {
	domain := n.Op().Domain
	own, model := f.Opset(domain), in.opset(domain, f)
	if own == 0 {
		in.c.Refuse(n, "function %v uses it and imports no version of domain %q", f.Op(), domain)
	} else if own != model {
		in.c.Refuse(n, "function %v imports version %d of domain %q and the model version %d,"+
			" want the same", f.Op(), own, domain, model)
	}
}

// checkStandard demands that n, a standard operator in f, means the same at the
// opsets of f and the model.
func (in *inliner) checkStandard(n *graph.Node, f *graph.Function) {
	own, model := f.Opset(""), in.opset("", f)
	if own == 0 {
		in.c.Refuse(n, "function %v uses it and imports no opset of standard operators", f.Op())
		return
	}
	if own == model {
		return
	}
	for _, opset := range []int64{own, model} {
		if err := op.Check(n, opset); err != nil {
			in.c.Refuse(n, "function %v is of opset %d and the model of %d: %s;"+
				" export both for one opset", f.Op(), own, model, op.Problem(err))
			return
		}
	}
	if at := changedAt(n, min(own, model), max(own, model)); at > 0 {
		in.c.Refuse(n, "function %v is of opset %d and the model of %d, but the operator's meaning"+
			" changed at opset %d; export both for one opset", f.Op(), own, model, at)
	}
}

// change is an opset at which an operator took another meaning without taking
// another form. concerns says which nodes; nil: all.
type change struct {
	opset    int64
	concerns func(*graph.Node) bool
}

var changes = map[string][]change{
	"BatchNormalization": {{7, nil}, {14, severalOutputs}}, // training
	"Dropout":            {{7, nil}, {10, severalOutputs}}, // training; the mask's type
	"Resize":             {{11, nil}, {13, nil}},           // coordinates; empty inputs
	"Softmax":            {{13, nil}},                      // over one axis
	"Split":              {{18, unsized}},                  // num_outputs is required
}

func severalOutputs(n *graph.Node) bool {
	_, out := n.Arity()
	return out > 1
}

func unsized(n *graph.Node) bool { return n.Input(1) == nil }

// changedAt is the opset above lo and up to hi that changed what n means, 0 when
// there is none.
func changedAt(n *graph.Node, lo, hi int64) int64 {
	for _, c := range changes[n.Op().Type] {
		if c.opset > lo && c.opset <= hi && (c.concerns == nil || c.concerns(n)) {
			return c.opset
		}
	}
	return 0
}
