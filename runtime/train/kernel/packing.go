package kernel

import (
	"sync"
	"sync/atomic"
)

// A weightForm is one of the arrangements of weights that products read.
type weightForm int

const (
	directForward    weightForm = iota // of plan.direct
	filteredForward                    // of Winograd's convolution
	sparseForward                      // of sums of spikes
	directBackward                     // of the gradient by the input
	filteredBackward                   // likewise, of Winograd's
	weightForms
)

// A packing is the weights of a Conv, and which of their forms hold them. A
// form is made when a product first needs it, as most convolutions need one or two
// and packing takes longer than using them on a small image.
type packing struct {
	weights []float32 // in ONNX order, times the scale
	lock    sync.Mutex
	ready   [weightForms]atomic.Bool
	used    [weightForms]bool // of the weights before these
}

// set takes new weights; see Conv.SetWeights.
func (p *packing) set(s *Shape, w, scale []float32) {
	copy(p.weights, w)
	if scale != nil {
		inC, outC, taps := s.InC/s.Group, s.OutC/s.Group, s.taps()
		for o := range s.OutC {
			first := o / outC * inC
			for i := range inC {
				at := p.weights[(o*inC+i)*taps:][:taps]
				for t := range at {
					at[t] *= scale[first+i]
				}
			}
		}
	}
	for i := range p.ready {
		p.used[i] = p.ready[i].Swap(false)
	}
}

// Prepare packs the forms that products needed of the weights before these, so that
// several convolutions are packed at once. What is not prepared is packed in time.
func (c *Conv) Prepare() {
	for form, used := range c.packing.used {
		if used {
			c.pack(weightForm(form))
		}
	}
}

// pack makes a form hold the weights. Of goroutines that need it at once one makes
// it.
func (c *Conv) pack(form weightForm) {
	p := &c.packing
	if p.ready[form].Load() {
		return
	}
	p.lock.Lock()
	defer p.lock.Unlock()
	if p.ready[form].Load() {
		return
	}
	w := weightOrder{weights: p.weights}
	s := c.shape
	inC, taps := s.InC/s.Group, s.taps()
	w.group = s.OutC / s.Group * inC * taps
	switch form {
	case directForward, filteredForward, sparseForward:
		w.in, w.out = taps, inC*taps
	default:
		w.in, w.out = inC*taps, taps
	}
	switch form {
	case directForward:
		c.forward.setWeights(w)
	case directBackward:
		c.backward.setWeights(w)
	case filteredForward:
		c.forward.fast.setWeights(w, false)
	case filteredBackward:
		c.backward.fast.setWeights(w, true)
	case sparseForward:
		c.sparse.setWeights(w, inC)
	}
	p.ready[form].Store(true)
}

// A weightOrder is weights as a plan sees them: that of group g and tap t between
// channels i and o of the group is weights[g*group+i*in+o*out+t].
type weightOrder struct {
	weights        []float32
	group, in, out int
}

// row sets dst to the weights of a tap from channel i to channels first, first+1 and
// so on.
func (w *weightOrder) row(dst []float32, g, t, i, first int) {
	at := g*w.group + i*w.in + first*w.out + t
	for o := range dst {
		dst[o] = w.weights[at]
		at += w.out
	}
}
