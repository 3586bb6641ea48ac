package optim

import (
	"math"

	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/train/kernel"
)

// The constants of Muon, as its author and PyTorch have them. A step of the iteration maps a
// singular value s to quintic[0] s + quintic[1] s^3 + quintic[2] s^5; five bring all that are
// not tiny near 1.
const (
	muonMomentum   = 0.95
	muonIterations = 5
	// muonSide is the least number of rows and of columns: a matrix of few has few directions.
	// First and last layers of a network are left to Adam, as the author does, mostly by it.
	muonSide = 16
	// muonScale gives an update the root mean square of Adam's (Liu et al., 2025).
	muonScale = 0.2
)

var quintic = [3]float32{3.4445, -4.7750, 2.0315}

// Muon is the optimiser of Jordan et al. (Muon: an optimizer for hidden layers in neural
// networks, 2024): the mean of the gradients of a matrix is brought near the closest
// orthogonal one, so that a step moves all directions alike, with learning rates as for Adam
// (Liu et al., Muon is scalable for LLM training, 2025: an update is scaled by
// 0.2 sqrt(max(rows, columns))). What is no matrix of 16 rows and columns is left to Adam.
type Muon struct {
	*Adam
	matrices []*matrix // by parameter; nil for Adam's
	pool     *machine.Pool
}

// NewMuon returns an optimiser at step 0, whose matrices are shared out to a pool's
// workers. A step first multiplies each weight by 1 - rate*decay.
func NewMuon(params []*Param, decay float64, pool *machine.Pool) (*Muon, error) {
	adam, err := NewAdam(params, decay)
	if err != nil {
		return nil, err
	}
	m := &Muon{Adam: adam, matrices: make([]*matrix, len(params)), pool: pool}
	for i, p := range params {
		if p.Rows < muonSide || len(p.Value)/p.Rows < muonSide {
			continue
		}
		if m.matrices[i], err = newMatrix(p); err != nil {
			return nil, err
		}
		adam.square[i] = nil
	}
	return m, nil
}

// Step updates all parameters from their gradients.
func (m *Muon) Step(rate float64) {
	m.pool.Run(len(m.params), func(_, lo, hi int) {
		for i := lo; i < hi; i++ {
			x := m.matrices[i]
			if x == nil {
				m.Adam.step(i, rate)
				continue
			}
			shrink := 1.0
			if m.params[i].Decays {
				shrink -= rate * m.decay
			}
			m.Steps[i]++
			x.step(m.mean[i], rate, float32(shrink))
		}
	})
}

// State is Adam's, but for the mean squares of matrices, which have none.
func (m *Muon) State() []Array {
	var out []Array
	for _, a := range m.Adam.State() {
		if a.Data != nil {
			out = append(out, a)
		}
	}
	return out
}

// A matrix is what a step of a parameter needs. It works on the matrix or its transpose,
// x of [small][large], by x x^T alone, of [small][small]: every step of the iteration
// multiplies x by a polynomial of that, and polynomials of one matrix commute.
type matrix struct {
	param        *Param
	small, large int
	transposed   bool
	gram, square *kernel.Conv // products as convolutions of 1x1: a row is a pixel
	scratch      kernel.Scratch

	x, update           []float32
	power, next, factor []float32 // of x x^T
	all                 []float32 // the product of the factors
}

func newMatrix(p *Param) (*matrix, error) {
	rows, columns := p.Rows, len(p.Value)/p.Rows
	m := &matrix{param: p, small: min(rows, columns), large: max(rows, columns), transposed: rows > columns}
	var err error
	if m.gram, err = newProduct(m.small, m.large); err == nil {
		m.square, err = newProduct(m.small, m.small)
	}
	if err != nil {
		return nil, err
	}
	m.x, m.update = make([]float32, len(p.Value)), make([]float32, len(p.Value))
	for _, s := range []*[]float32{&m.power, &m.next, &m.factor, &m.all} {
		*s = make([]float32, m.small*m.small)
	}
	return m, nil
}

// newProduct multiplies matrices of n rows and so many columns by the transposes of such.
func newProduct(n, columns int) (*kernel.Conv, error) {
	return kernel.NewConv(kernel.Shape{InH: 1, InW: n, InC: columns, OutH: 1, OutW: n, OutC: n,
		KernelH: 1, KernelW: 1, StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, Group: 1})
}

// step updates the mean of the gradients and, by it, the parameter.
func (m *matrix) step(mean []float32, rate float64, shrink float32) {
	if !m.direction(mean) {
		return
	}
	m.orthogonalise()
	scale := float32(rate * muonScale * math.Sqrt(float64(m.large)))
	value := m.param.Value
	if !m.transposed {
		for i, u := range m.update {
			value[i] = float32(shrink*value[i]) - float32(scale*u)
		}
		return
	}
	for r := range m.large {
		row := value[r*m.small : (r+1)*m.small]
		for c := range row {
			row[c] = float32(shrink*row[c]) - float32(scale*m.update[c*m.large+r])
		}
	}
}

// direction sets x to the mean of the gradients, the last one weighing more (Nesterov), of
// norm 1; false where that is 0.
func (m *matrix) direction(mean []float32) bool {
	const keep, take = float32(muonMomentum), float32(1 - muonMomentum)
	sum := 0.0
	for i, g := range m.param.Grad {
		mean[i] = float32(keep*mean[i]) + float32(take*g)
		x := float32(keep*mean[i]) + float32(take*g)
		m.update[i] = x
		sum += float64(float64(x) * float64(x))
	}
	if sum == 0 {
		return false
	}
	scale := float32(1 / math.Sqrt(sum))
	if !m.transposed {
		for i, x := range m.update {
			m.x[i] = scale * x
		}
		return true
	}
	for r := range m.large {
		for c, x := range m.update[r*m.small : (r+1)*m.small] {
			m.x[c*m.large+r] = scale * x
		}
	}
	return true
}

// orthogonalise sets update to x with its singular values brought near 1.
func (m *matrix) orthogonalise() {
	m.gram.SetWeights(m.x, nil)
	m.gram.Forward(&m.scratch, m.power, m.x, 1)
	for i := range muonIterations {
		m.multiply(m.factor, m.power, m.power)
		for k, p := range m.power {
			m.factor[k] = float32(quintic[1]*p) + float32(quintic[2]*m.factor[k])
		}
		for k := 0; k < len(m.factor); k += m.small + 1 {
			m.factor[k] += quintic[0]
		}
		if i == 0 {
			copy(m.all, m.factor)
		} else {
			m.multiply(m.next, m.all, m.factor)
			m.all, m.next = m.next, m.all
		}
		if i < muonIterations-1 {
			m.multiply(m.next, m.power, m.factor)
			m.multiply(m.power, m.next, m.factor)
		}
	}
	m.gram.BackwardInput(&m.scratch, m.update, m.all, 1)
}

// multiply sets out to the product of two symmetric matrices.
func (m *matrix) multiply(out, a, b []float32) {
	m.square.SetWeights(b, nil)
	m.square.Forward(&m.scratch, out, a, 1)
}
