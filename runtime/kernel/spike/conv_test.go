package spike

import (
	"context"
	"fmt"
	"math/rand/v2"
	goruntime "runtime"
	"slices"
	"testing"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// layerCase is a spiking layer and its input, all by hand.
type layerCase struct {
	convCase
	sources []*Tensor
	weight  []int16
	neurons *Neurons
	steps   Steps
	images  int
}

// newLayerCase draws a layer: binary spikes of one source or, with parts, of
// several, the last of them multi-valued where values is set.
func newLayerCase(c convCase, seed uint64, parts []int, values bool, steps Steps) layerCase {
	r := rand.New(rand.NewPCG(seed, 3))
	k := layerCase{convCase: c, steps: steps, images: 1 + int(seed%2)}
	slices := steps.Main
	if steps.Post {
		slices += len(steps.Timesteps)
	}
	for i, channels := range parts {
		s := &Tensor{Steps: slices, N: k.images, C: channels, H: c.h, W: c.w}
		if values && i == len(parts)-1 {
			s.Values = make([]int8, slices*k.images*c.h*c.w*channels)
			for i := range s.Values {
				s.Values[i] = int8(r.IntN(256) - 128)
			}
		} else {
			s.Bits = make([]uint16, s.Masks())
			for i := range s.Bits {
				s.Bits[i] = uint16(r.IntN(1 << 16))
				if last := channels % 16; last > 0 && i%Masks(channels) == Masks(channels)-1 {
					s.Bits[i] &= 1<<last - 1
				}
			}
		}
		k.sources = append(k.sources, s)
	}
	n := c.s.OutC * c.s.InC / c.s.Groups * c.s.KH * c.s.KW
	for range n {
		w := r.IntN(MostWeight-LeastWeight+1) + LeastWeight
		k.weight = append(k.weight, int16(w))
	}
	draw := func(lo, hi int) []int32 {
		list := make([]int32, c.s.OutC)
		for i := range list {
			list[i] = int32(lo + r.IntN(hi-lo))
		}
		return list
	}
	k.neurons = &Neurons{Bias: draw(-20000, 20000), PostBias: draw(-500, 500),
		Threshold: draw(1, 60000), Fire: draw(1, 60000), PostFire: draw(1, 30000), V0: draw(-9000, 9000)}
	return k
}

// at is source channel c of a pixel, 0 beyond the border.
func (k *layerCase) at(step, n, c, y, x int) int32 {
	if y < 0 || y >= k.h || x < 0 || x >= k.w {
		return 0
	}
	for _, s := range k.sources {
		if c >= s.C {
			c -= s.C
			continue
		}
		pixel := y*s.W + x
		if s.Values != nil {
			return int32(s.Slots(step, n)[pixel*s.C+c])
		}
		return int32(s.Slice(step, n)[pixel*Masks(s.C)+c/16] >> (c % 16) & 1)
	}
	panic("no such channel")
}

// current is the sum of one output by the definition of the operator.
func (k *layerCase) current(step, n, o, y, x int) int32 {
	s := k.s
	inC, outC := s.InC/s.Groups, s.OutC/s.Groups
	sum := int32(0)
	for i := range inC {
		c := o/outC*inC + i
		for ky := range s.KH {
			for kx := range s.KW {
				if !k.transposed {
					w := k.weight[((o*inC+i)*s.KH+ky)*s.KW+kx]
					sum += int32(w) * k.at(step, n, c, y*s.StrideH-s.PadTop+ky*s.DilationH, x*s.StrideW-s.PadLeft+kx*s.DilationW)
					continue
				}
				dy, dx := y+s.PadTop-ky*s.DilationH, x+s.PadLeft-kx*s.DilationW
				if dy%s.StrideH == 0 && dx%s.StrideW == 0 {
					w := k.weight[((c*outC+o%outC)*s.KH+ky)*s.KW+kx]
					sum += int32(w) * k.at(step, n, c, dy/s.StrideH, dx/s.StrideW)
				}
			}
		}
	}
	return sum
}

// reference simulates the layer neuron by neuron: spikes by slice in the layout
// of a tensor, and potentials by result.
func (k *layerCase) reference() (bits []uint16, residuals [][]int32) {
	oh, ow := k.outSize()
	out := &Tensor{Steps: k.sources[0].Steps, N: k.images, C: k.s.OutC, H: oh, W: ow}
	out.Bits = make([]uint16, out.Masks())
	for range k.steps.Timesteps {
		residuals = append(residuals, make([]int32, k.images*k.s.OutC*oh*ow))
	}
	for i := range k.images * k.s.OutC * oh * ow {
		n, o, y, x := i/(k.s.OutC*oh*ow), i/(oh*ow)%k.s.OutC, i/ow%oh, i%ow
		k.neuron(out, residuals, i, n, o, y, x)
	}
	return out.Bits, residuals
}

func (k *layerCase) neuron(out *Tensor, residuals [][]int32, i, n, o, y, x int) {
	p, v := k.neurons, k.neurons.V0[o]
	fire := func(v, level int32, step int) int32 {
		if v < level {
			return v
		}
		out.Slice(step, n)[(y*out.W+x)*Masks(out.C)+o/16] |= 1 << (o % 16)
		return v - p.Threshold[o]
	}
	result := 0
	for step := range k.steps.Main {
		v = fire(v+k.current(step, n, o, y, x)+p.Bias[o], p.Fire[o], step)
		if result < len(k.steps.Timesteps) && step+1 == k.steps.Timesteps[result] {
			after := v
			if s := k.steps.Main + result; k.steps.Post {
				after = fire(v+k.current(s, n, o, y, x)+p.PostBias[o], p.PostFire[o], s)
			}
			residuals[result][i] = after
			result++
		}
	}
}

// check packs the layer, runs it and compares all bits.
func (k *layerCase) check(t *testing.T, threads int, bits []uint16, residuals [][]int32) {
	t.Helper()
	conv, err := k.packed()
	if err != nil {
		t.Fatal(err)
	}
	k.checkRun(t, conv, threads, bits, residuals)
}

// checkRun runs the packed layer and compares all bits, with guards round the tensors.
func (k *layerCase) checkRun(t *testing.T, conv *Conv, threads int, bits []uint16, residuals [][]int32) {
	t.Helper()
	pool := machine.NewPool(threads)
	defer pool.Close()
	oh, ow := k.outSize()
	if h, w := conv.OutSize(k.h, k.w); h != oh || w != ow {
		t.Fatalf("size %d x %d, want %d x %d", h, w, oh, ow)
	}
	const guard = 64
	full := make([]uint16, len(bits)+2*guard)
	for i := range full {
		full[i] = 0xa5a5
	}
	out := &Tensor{Steps: k.sources[0].Steps, N: k.images, C: k.s.OutC, H: oh, W: ow,
		Bits: full[guard : guard+len(bits)]}
	var read []Potential
	for range residuals {
		read = append(read, k.potential(len(residuals[0])))
	}
	if err := conv.Run(context.Background(), pool, out, k.sources, k.neurons, k.steps, read); err != nil {
		t.Fatal(err)
	}
	for i, want := range bits {
		if out.Bits[i] != want {
			t.Fatalf("%d threads, strips of %d cells: mask %d of %d is %016b, want %016b",
				threads, stripCells, i, len(bits), out.Bits[i], want)
		}
	}
	for i, x := range full {
		if (i < guard || i >= guard+len(bits)) && x != 0xa5a5 {
			t.Fatalf("mask %d outside of the tensor was written", i-guard)
		}
	}
	for m := range residuals {
		k.checkPotential(t, read[m], residuals[m])
	}
}

func (k *layerCase) packed() (*Conv, error) {
	if k.transposed {
		return PackConvTranspose(k.s, k.weight)
	}
	return PackConv(k.s.ConvShape, k.weight)
}

// manyThreads is the numbers of threads to run a case with.
func manyThreads() []int {
	if testing.Short() {
		return []int{1, 3}
	}
	return []int{1, 2, 3, 8}
}

// withStrips runs f with several bounds on the size of a strip, and on the slices
// that lookups take at once.
func withStrips(f func()) {
	defer func(n, m int) { stripCells, lookupBytes = n, m }(stripCells, lookupBytes)
	sizes := []int{stripCells, 1, 3000}
	if testing.Short() {
		sizes = sizes[1:2]
	}
	for _, n := range sizes {
		stripCells, lookupBytes = n, 5*n
		f()
	}
}

var layerCases = append(slices.Clone(convCases),
	convCase{name: "64 to 64", s: with(64, 64, 1, 3, 3, pad(1, 1, 1, 1)), h: 5, w: 67},
	convCase{name: "48 to 33", s: with(48, 33, 1, 3, 3, pad(1, 1, 1, 1)), h: 3, w: 37},
	convCase{name: "96 to 32", s: with(96, 32, 1, 1, 3, pad(0, 1, 0, 1)), h: 2, w: 25},
	convCase{name: "20 to 80", s: with(20, 80, 1, 3, 3, pad(1, 1, 1, 1)), h: 4, w: 19},
	convCase{name: "130 to 16", s: with(130, 16, 1, 1, 1), h: 3, w: 13},
	convCase{name: "depthwise of 40", s: with(40, 40, 40, 3, 3, pad(1, 1, 1, 1)), h: 4, w: 17},
)

func TestConv(t *testing.T) {
	for i, c := range layerCases {
		steps := []Steps{{2, []int{2}, true}, {3, []int{1, 3}, true}, {2, []int{1, 2}, false}, {1, nil, false}}[i%4]
		parts := []int{c.s.InC}
		if c.s.InC > 1 && i%3 == 1 {
			parts = []int{1 + c.s.InC/3, c.s.InC - 1 - c.s.InC/3}
		}
		k := newLayerCase(c, uint64(i), parts, i%2 == 1, steps)
		bits, residuals := k.reference()
		t.Run(c.name, func(t *testing.T) {
			forEach(t, func(t *testing.T) {
				conv, err := k.packed()
				if err != nil {
					t.Fatal(err)
				}
				withStrips(func() {
					for _, threads := range manyThreads() {
						k.checkRun(t, conv, threads, bits, residuals)
					}
				})
			})
		})
	}
}

// TestConvStrides covers strides whose taps read one remainder of the source alone.
func TestConvStrides(t *testing.T) {
	for i, s := range []kernel.ConvTransposeShape{
		with(20, 16, 1, 1, 1, stride(2, 2)),
		with(20, 16, 1, 1, 1, stride(1, 2)),
		with(20, 16, 1, 1, 1, stride(3, 1)),
		with(20, 16, 1, 3, 3, stride(2, 2), dilate(2, 2), pad(2, 2, 2, 2)),
	} {
		k := newLayerCase(convCase{s: s, h: 7, w: 19}, uint64(i), []int{20}, false, Steps{2, []int{2}, true})
		bits, residuals := k.reference()
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			forEach(t, func(t *testing.T) { k.check(t, 2, bits, residuals) })
		})
	}
}

// TestConvWidths covers every tail of a tile, for one and several blocks of
// output channels.
func TestConvWidths(t *testing.T) {
	for width := 1; width <= 66; width++ {
		out := []int{1, 16, 20, 32, 48}[width%5]
		c := convCase{name: fmt.Sprint(width), s: with(5+width%7, out, 1, 3, 3, pad(1, 1, 1, 1)), h: 2, w: width}
		k := newLayerCase(c, uint64(width), []int{c.s.InC}, width%4 == 0, Steps{2, []int{2}, true})
		bits, residuals := k.reference()
		forEach(t, func(t *testing.T) { k.check(t, 1, bits, residuals) })
	}
}

// TestConvSources joins tensors of all kinds, with and without strides.
func TestConvSources(t *testing.T) {
	for i, parts := range [][]int{{1, 2}, {3, 3}, {2, 1, 5}, {3, 3, 3, 3}, {16, 16}, {16, 3}, {64, 64},
		{24, 8}, {48}, {16, 32, 20}, {5}, {33}} {
		for step := 1; step <= 2; step++ {
			for _, values := range []bool{false, true} {
				sum := 0
				for _, n := range parts {
					sum += n
				}
				c := convCase{s: with(sum, 3, 1, 3, 3, stride(step, step), pad(1, 1, 1, 1)), h: 4, w: 21 + i}
				k := newLayerCase(c, uint64(i), parts, values, Steps{2, []int{2}, true})
				bits, residuals := k.reference()
				forEach(t, func(t *testing.T) { k.check(t, 1, bits, residuals) })
			}
		}
	}
}

// TestConvUnderCollector runs layers while the garbage collector does.
func TestConvUnderCollector(t *testing.T) {
	c := convCase{name: "gc", s: with(64, 64, 1, 3, 3, pad(1, 1, 1, 1)), h: 9, w: 40}
	k := newLayerCase(c, 1, []int{64}, false, Steps{3, []int{3}, true})
	bits, residuals := k.reference()
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				goruntime.GC()
			}
		}
	}()
	defer func() { close(stop); <-done }()
	step := 1
	if testing.Short() {
		step = 7
	}
	forEach(t, func(t *testing.T) {
		for threads := 1; threads <= 8; threads += step {
			k.check(t, threads, bits, residuals)
		}
	})
}

func TestConvErrors(t *testing.T) {
	s := with(2, 3, 1, 1, 1).ConvShape
	if _, err := PackConv(s, make([]int16, 5)); err == nil {
		t.Error("5 weights were taken, want 6")
	}
	if _, err := PackConv(s, []int16{0, 0, MostWeight + 1, 0, 0, 0}); err == nil {
		t.Errorf("a weight beyond %d was taken", MostWeight)
	}
	s.StrideH = 0
	if _, err := PackConv(s, make([]int16, 6)); err == nil {
		t.Error("a stride of 0 was taken")
	}
	k := newLayerCase(convCase{s: with(2, 3, 1, 1, 1), h: 2, w: 2}, 0, []int{2}, false, Steps{2, []int{2}, true})
	conv, err := k.packed()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	pool := machine.NewPool(1)
	defer pool.Close()
	out := &Tensor{Steps: 3, N: k.images, C: 3, H: 2, W: 2}
	out.Bits = make([]uint16, out.Masks())
	if err := conv.Run(ctx, pool, out, k.sources, k.neurons, k.steps, nil); err != context.Canceled {
		t.Errorf("cancelled run gives %v", err)
	}
}

// TestConvAllocations demands that a run allocates as often for many steps and
// strips as for few.
func TestConvAllocations(t *testing.T) {
	pool := machine.NewPool(1)
	defer pool.Close()
	allocations := func(steps, height int) float64 {
		c := convCase{s: with(20, 20, 1, 3, 3, pad(1, 1, 1, 1)), h: height, w: 40}
		k := newLayerCase(c, 2, []int{20}, false, Steps{steps, []int{steps}, true})
		conv, err := k.packed()
		if err != nil {
			t.Fatal(err)
		}
		out := &Tensor{Steps: steps + 1, N: 1, C: 20, H: height, W: 40}
		out.Bits = make([]uint16, out.Masks())
		return testing.AllocsPerRun(3, func() {
			if err := conv.Run(context.Background(), pool, out, k.sources, k.neurons, k.steps, nil); err != nil {
				t.Fatal(err)
			}
		})
	}
	defer func(n int) { stripCells = n }(stripCells)
	stripCells = 8000
	if few, many := allocations(2, 4), allocations(30, 60); many > few {
		t.Errorf("%v allocations for 30 steps of many strips, %v for 2 steps of one", many, few)
	}
}
