package exec

import "spikingir/graph"

// Unit is an entry of a program's plan, the step that RunOptions.Progress
// counts: a standard operator, or a layer of spiking neurons with the linear
// operators before it.
type Unit struct {
	Nodes []*graph.Node
	Work  []int // of the nodes, as indices of Result.Work
	// FixedPoint tells that the layer is computed in integers.
	FixedPoint bool
	// StepByStep tells that the layer runs one timestep after another.
	StepByStep bool
}

// Units lists the plan in the order of execution.
func (p *Program) Units() []Unit {
	at := make(map[*graph.Node]int, len(p.plan.works))
	for i, w := range p.plan.works {
		at[w.node] = i
	}
	list := make([]Unit, len(p.plan.units))
	for i, u := range p.plan.units {
		list[i].Nodes = u.nodes()
		_, list[i].FixedPoint = u.(*fixedLayer)
		_, list[i].StepByStep = u.(*layer)
		for _, n := range list[i].Nodes {
			if k, ok := at[n]; ok {
				list[i].Work = append(list[i].Work, k)
			}
		}
	}
	return list
}
