package train

// accumulated is the sum of the gradients of some patches.
type accumulated struct {
	grads [][]float32 // of each parameter, by its elements
	units [][]float32 // of each layer of weights behind neurons: see convLayer
}

func (n *Net) newAccumulated() *accumulated {
	a := &accumulated{grads: make([][]float32, len(n.params)), units: make([][]float32, len(n.layers))}
	for i, p := range n.params {
		a.grads[i] = make([]float32, len(p.elems))
	}
	for i, l := range n.layers {
		if c, ok := l.(*convLayer); ok && c.scaled != nil && c.w != nil {
			a.units[i] = make([]float32, len(c.fixed))
		}
	}
	return a
}

// Clear sets the gradients to zero.
func (a *accumulated) Clear() {
	for _, g := range a.grads {
		clear(g)
	}
	for _, g := range a.units {
		clear(g)
	}
}
