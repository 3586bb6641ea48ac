package reference

import (
	"gorgonia.org/gorgonia"
)

// gradedStep is one timestep of a neuron whose spikes have several values, without division and floor:
// a single spike for each whole number of units that the potential reaches, of which -1 counts where the
// sum of what was sent is positive. sent is nil before the first step.
func (b *builder) gradedStep(c cell, v, x, sent *gorgonia.Node, post bool) (y, left, total *gorgonia.Node) {
	u := x
	if v != nil {
		u = b.add(v, x)
	}
	if c.bias != nil && !post {
		u = b.add(u, c.bias)
	}
	if b.err != nil {
		return nil, nil, nil
	}
	unit := b.scale(c.theta, float64(c.Grade.Unit))
	units := b.div(u, unit)
	reaches := func(x *gorgonia.Node, level int) *gorgonia.Node {
		if b.err != nil {
			return nil
		}
		return b.spike(b.sub(x, b.full(x.Shape(), float64(level))), fires)
	}
	k := reaches(units, 1)
	for level := 2; level <= c.Grade.Most && b.err == nil; level++ {
		k = b.add(k, reaches(units, level))
	}
	if c.Grade.Signed() && sent != nil {
		back := b.mul(reaches(b.scale(units, -1), 1), b.mask(gorgonia.Gte, sent, 0.5))
		k = b.sub(k, back)
	}
	total = k
	if sent != nil && b.err == nil {
		total = b.add(sent, k)
	}
	y = b.mul(unit, k)
	return y, b.sub(u, y), total
}
