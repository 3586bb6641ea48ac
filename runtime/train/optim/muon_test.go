package optim

import (
	"math"
	"slices"
	"testing"

	"spikingir/runtime/kernel/machine"
)

func newPool(t *testing.T, threads int) *machine.Pool {
	t.Helper()
	p := machine.NewPool(threads)
	t.Cleanup(p.Close)
	return p
}

// orthogonalised is the iteration of Muon as its author writes it, in float64:
// X = a X + (b A + c A A) X with A = X X^T, five times.
func orthogonalised(x []float64, rows, columns int) []float64 {
	product := func(a, b []float64, n, k, m int) []float64 {
		out := make([]float64, n*m)
		for i := range n {
			for j := range m {
				for l := range k {
					out[i*m+j] += a[i*k+l] * b[l*m+j]
				}
			}
		}
		return out
	}
	turned := func(x []float64, rows, columns int) []float64 {
		out := make([]float64, len(x))
		for i := range rows {
			for j := range columns {
				out[j*rows+i] = x[i*columns+j]
			}
		}
		return out
	}
	if rows > columns {
		return turned(orthogonalised(turned(x, rows, columns), columns, rows), columns, rows)
	}
	x = slices.Clone(x)
	norm := 0.0
	for _, v := range x {
		norm += v * v
	}
	for i := range x {
		x[i] /= math.Sqrt(norm)
	}
	for range 5 {
		a := product(x, turned(x, rows, columns), rows, columns, rows)
		b := product(a, a, rows, rows, rows)
		for i := range b {
			b[i] = -4.7750*a[i] + 2.0315*b[i]
		}
		y := product(b, x, rows, rows, columns)
		for i := range x {
			x[i] = 3.4445*x[i] + y[i]
		}
	}
	return x
}

func matrixParam(name string, rows, columns int, decays bool) *Param {
	p := param(name, rows*columns, decays)
	p.Rows = rows
	return p
}

// TestMuonAgainstAuthor checks some steps against the algorithm as its author writes it, in
// float64 and with products of the matrix itself. What is tiny is
// stretched some 500 times, and so are roundings.
func TestMuonAgainstAuthor(t *testing.T) {
	for _, size := range [][2]int{{16, 16}, {20, 45}, {40, 17}} {
		const rate, decay = 1e-3, 0.1
		p := matrixParam("w", size[0], size[1], true)
		muon, err := NewMuon([]*Param{p}, decay, newPool(t, 1))
		if err != nil {
			t.Fatal(err)
		}
		want, mean := make([]float64, len(p.Value)), make([]float64, len(p.Value))
		for i, v := range p.Value {
			want[i] = float64(v)
		}
		for step := range 4 {
			copy(p.Grad, randoms(len(p.Grad), uint64(step)))
			x := make([]float64, len(mean))
			for i, g := range p.Grad {
				mean[i] = 0.95*mean[i] + 0.05*float64(g)
				x[i] = 0.95*mean[i] + 0.05*float64(g)
			}
			scale := rate * 0.2 * math.Sqrt(float64(max(size[0], size[1])))
			for i, u := range orthogonalised(x, size[0], size[1]) {
				want[i] = (1-rate*decay)*want[i] - scale*u
			}
			muon.Step(rate)
			for i, v := range p.Value {
				if math.Abs(float64(v)-want[i]) > 2e-2*scale+1e-6*math.Abs(want[i]) {
					t.Fatalf("%v, step %d: value %d is %g, want %g", size, step, i, v, want[i])
				}
			}
		}
	}
}

// TestMuonEvens checks what the iteration is for: an update moves all directions about
// alike, and by the root mean square that Adam's has, however uneven the gradient is.
func TestMuonEvens(t *testing.T) {
	const rows, columns, rate = 24, 60, 1e-2
	p := matrixParam("w", rows, columns, false)
	for i, x := range randoms(len(p.Grad), 5) {
		p.Grad[i] = x * float32(math.Pow(10, -2*float64(i/columns)/rows)) // singular values from 1 to about 0.01
	}
	before := slices.Clone(p.Value)
	muon, err := NewMuon([]*Param{p}, 0, newPool(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	muon.Step(rate)
	move := make([]float64, len(before))
	for i, v := range p.Value {
		move[i] = (float64(before[i]) - float64(v)) / (rate * 0.2 * math.Sqrt(columns))
	}
	for i := range rows {
		norm := 0.0
		for _, x := range move[i*columns : (i+1)*columns] {
			norm += x * x
		}
		if norm < 0.3 || norm > 1.5 {
			t.Errorf("row %d of the update has a squared norm of %g, want about 1", i, norm)
		}
	}
}

// TestMuonLeavesRest checks that small matrices, and what is none, are Adam's to the bit, and
// that threads change nothing.
func TestMuonLeavesRest(t *testing.T) {
	make3 := func() []*Param {
		return []*Param{matrixParam("a", 16, 40, true), matrixParam("small", 64, 9, true), param("bias", 16, false), matrixParam("b", 32, 18, true)}
	}
	one, two, plain := make3(), make3(), make3()
	first, err := NewMuon(one, 0.01, newPool(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	second, _ := NewMuon(two, 0.01, newPool(t, 3))
	adam, _ := NewAdam(plain, 0.01)
	for step := range 3 {
		for i := range one {
			g := randoms(len(one[i].Grad), uint64(10*step+i))
			copy(one[i].Grad, g)
			copy(two[i].Grad, g)
			copy(plain[i].Grad, g)
		}
		first.Step(1e-2)
		second.Step(1e-2)
		adam.Step(1e-2)
	}
	for i, p := range one {
		if !slices.Equal(p.Value, two[i].Value) {
			t.Errorf("%s differs with the number of threads", p.Name)
		}
		if large := p.Name == "a" || p.Name == "b"; slices.Equal(p.Value, plain[i].Value) == large {
			t.Errorf("%s is Adam's: %v, want %v", p.Name, large, !large)
		}
	}
	var names []string
	for _, a := range first.State() {
		names = append(names, a.Name)
	}
	want := []string{"adam.mean/a", "adam.mean/small", "adam.square/small", "adam.mean/bias", "adam.square/bias", "adam.mean/b"}
	if !slices.Equal(names, want) {
		t.Errorf("the state is %v, want %v", names, want)
	}
}

// TestMuonStill checks that a matrix without a gradient stays where it is.
func TestMuonStill(t *testing.T) {
	p := matrixParam("w", 16, 16, false)
	before := slices.Clone(p.Value)
	muon, err := NewMuon([]*Param{p}, 0, newPool(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	muon.Step(1)
	if !slices.Equal(before, p.Value) {
		t.Error("it moved")
	}
}

func BenchmarkMuon(b *testing.B) {
	p := matrixParam("w", 64, 576, true)
	copy(p.Grad, randoms(len(p.Grad), 1))
	pool := machine.NewPool(1)
	defer pool.Close()
	muon, err := NewMuon([]*Param{p}, 0, pool)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		muon.Step(1e-3)
	}
}
