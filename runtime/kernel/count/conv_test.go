package count

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/kerneltest"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// forEach runs f with each available implementation of the kernels.
func forEach(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	selected := machine.Selected(family.Name)
	defer func() {
		if err := machine.SelectFamily(family.Name, selected); err != nil {
			t.Fatal(err)
		}
	}()
	for _, e := range family.Entries {
		if !e.Available {
			t.Logf("%s: this CPU cannot run it", e.Name)
			continue
		}
		if err := machine.SelectFamily(family.Name, e.Name); err != nil {
			t.Fatal(err)
		}
		t.Run(e.Name, f)
	}
}

// withStrips runs f with several bounds on the size of a strip.
func withStrips(f func()) {
	defer func(n int) { stripBytes = n }(stripBytes)
	for _, n := range []int{stripBytes, 1, 3000} {
		stripBytes = n
		f()
	}
}

// run runs the layer for counts alone, for potentials too, and for currents, guards round what is
// written.
func (k *layerCase) run(t *testing.T, conv *Conv, threads int, want want) {
	t.Helper()
	pool := machine.NewPool(threads)
	defer pool.Close()
	counts, check := kerneltest.Fence(make([]uint8, len(want.counts)), 0xa5)
	k.runOn(t, conv, pool, want, func(int) []uint8 { return counts })
	check(t)
}

// runOn is run on a pool, with memory for counts.
func (k *layerCase) runOn(t *testing.T, conv *Conv, pool *machine.Pool, want want, memory func(int) []uint8) {
	t.Helper()
	out := k.output(memory)
	for _, reports := range []bool{false, true} {
		clear(out.Counts.Data)
		if reports {
			k.report(&out)
		}
		if err := conv.Run(context.Background(), pool, out, k.sources); err != nil {
			t.Fatal(err)
		}
		for i, c := range want.counts {
			if c != out.Counts.Data[i] {
				t.Fatalf("%v, %d threads, strips of %d bytes, reports %v: count %d of %d is %d, want %d",
					k, pool.Threads(), stripBytes, reports, i, len(want.counts), out.Counts.Data[i], c)
			}
		}
	}
	k.checkReport(t, out, want)
	currents, check := kerneltest.Fence(make([]float32, len(want.sums)), 12345)
	if err := conv.Run(context.Background(), pool, Output{Currents: currents, Scale: out.Potential.Scale}, k.sources); err != nil {
		t.Fatal(err)
	}
	check(t)
	if i := kerneltest.FirstDifference(currents, k.floats(want.sums, out.Potential.Scale)); i >= 0 {
		t.Fatalf("%v: current %d is %v, want %v / scale", k, i, currents[i], want.sums[i])
	}
}

// output makes room for counts.
func (k *layerCase) output(memory func(int) []uint8) Output {
	oh, ow := k.outSize()
	y := &Tensor{N: k.sources[0].N, C: k.s.OutC, H: oh, W: ow}
	y.Data = memory(y.Size())
	return Output{Neurons: k.neurons, Counts: y}
}

func plainBytes(n int) []uint8 { return make([]uint8, n) }

// report asks for all reports.
func (k *layerCase) report(out *Output) {
	oh, ow := k.outSize()
	part := spike.Part{Top: oh / 4, Left: ow / 5, Bottom: oh - oh/6, Right: ow - ow/7}
	var half, full []int32
	for o := range k.s.OutC {
		out.Potential.Scale = append(out.Potential.Scale, 1/float64(3+o))
		half, full = append(half, k.neurons.Threshold[o]/2), append(full, k.neurons.Threshold[o])
	}
	out.Potential.Data = make([]float32, out.Counts.Size())
	out.Potential.Sums = spike.NewPotentialSums(part, half, full)
	out.Late = &Late{Part: part, Spikes: make([]int64, k.s.OutC)}
}

// floats is sums times their channels' scales.
func (k *layerCase) floats(sums []int32, scale []float64) []float32 {
	oh, ow := k.outSize()
	list := make([]float32, len(sums))
	for i, v := range sums {
		list[i] = float32(float64(v) * scale[i/(oh*ow)%k.s.OutC])
	}
	return list
}

func (k *layerCase) checkReport(t *testing.T, out Output, want want) {
	t.Helper()
	got := out.Potential.Sums
	part := got.Part
	sums := spike.NewPotentialSums(part, got.Half, got.Full)
	late := make([]int64, k.s.OutC)
	oh, ow := k.outSize()
	for i, v := range want.residuals {
		o, y, x := i/(oh*ow)%k.s.OutC, i/ow%oh, i%ow
		if y < part.Top || y >= part.Bottom || x < part.Left || x >= part.Right {
			continue
		}
		sums.Abs[o] += int64(math.Abs(float64(v)))
		if v >= sums.Half[o] {
			sums.AtHalf[o]++
		}
		if v >= sums.Full[o] {
			sums.AtFull[o]++
		}
		if want.late[i] {
			late[o]++
		}
	}
	if i := kerneltest.FirstDifference(out.Potential.Data, k.floats(want.residuals, out.Potential.Scale)); i >= 0 {
		t.Fatalf("%v: potential %d is %v, want %d / scale", k, i, out.Potential.Data[i], want.residuals[i])
	}
	if d := cmp.Diff(sums, got); d != "" {
		t.Fatalf("%v: sums (-want +got):\n%s", k, d)
	}
	if d := cmp.Diff(late, out.Late.Spikes); d != "" {
		t.Fatalf("%v: spikes of the post step (-want +got):\n%s", k, d)
	}
}

// check compares all results of all kernels with the definitions.
func (k *layerCase) check(t *testing.T, threads ...int) {
	t.Helper()
	want := k.want()
	forEach(t, func(t *testing.T) {
		conv, err := k.pack()
		if err != nil {
			t.Fatal(err)
		}
		withStrips(func() {
			for _, n := range threads {
				k.run(t, conv, n, want)
			}
		})
	})
}

// fixedCases are shapes with something of their own.
var fixedCases = []layerCase{
	{s: square(64, 64, 3), h: 5, w: 67},
	{s: square(48, 33, 3), h: 3, w: 37},
	{s: square(33, 18, 3), h: 7, w: 6},
	{s: square(130, 16, 3), h: 2, w: 29},
	{s: square(64, 1, 3), h: 4, w: 50},
	{s: square(6, 3, 7), h: 9, w: 41},
	{s: square(12, 3, 3), h: 4, w: 19},
	{s: square(4, 5, 3), h: 1, w: 1},
	{s: square(1, 16, 5), h: 6, w: 30},
	{s: square(3, 20, 9), h: 2, w: 3},
	{s: square(20, 70, 1), h: 3, w: 33},
	{s: with(square(40, 40, 3), func(s *kernel.ConvTransposeShape) { s.Groups = 40 }), h: 4, w: 17},
	{s: with(square(64, 64, 3), func(s *kernel.ConvTransposeShape) { s.Groups = 4 }), h: 4, w: 17},
	{s: with(square(8, 9, 3), func(s *kernel.ConvTransposeShape) { s.StrideH, s.StrideW = 2, 2 }), h: 13, w: 70},
	{s: with(square(2, 9, 3), func(s *kernel.ConvTransposeShape) {
		s.DilationH, s.DilationW, s.PadTop, s.PadLeft, s.PadBottom, s.PadRight = 3000, 2000, 3000, 2000, 3000, 2000
	}), h: 9, w: 14},
	{s: with(square(3, 2, 3), func(s *kernel.ConvTransposeShape) { s.DilationH, s.PadTop, s.PadBottom = 100, 100, 100 }), h: 5, w: 300},
	{s: with(square(6, 1, 9), func(s *kernel.ConvTransposeShape) { s.StrideH, s.StrideW, s.OutPadH, s.OutPadW = 3, 3, 2, 2 }),
		transposed: true, h: 8, w: 19},
	{s: with(square(2, 3, 2), func(s *kernel.ConvTransposeShape) { s.StrideH, s.StrideW = 3, 3 }), // outputs without taps
		transposed: true, h: 4, w: 5},
	{s: with(square(2, 2, 3), func(s *kernel.ConvTransposeShape) { s.PadTop, s.PadRight = 5, 8 }), h: 3, w: 4},
	{s: square(5, 7, 3), h: 0, w: 3},
}

func TestConv(t *testing.T) {
	for i, k := range fixedCases {
		for _, bound := range []int{127, 0, 3600} {
			r := rand.New(rand.NewPCG(uint64(i), uint64(bound)))
			k.sources, k.weight = nil, nil
			k.fill(r, 1+i%2, []int{11, Most, 0}[i%3], []int{k.s.InC}, bound)
			t.Run(fmt.Sprintf("%d bound %d", i, bound), func(t *testing.T) { k.check(t, 1, 3) })
		}
	}
}

// TestConvDrawn runs shapes and sources of all kinds.
func TestConvDrawn(t *testing.T) {
	n := 400
	if testing.Short() {
		n = 60
	}
	for seed := range n {
		checkDrawn(t, uint64(seed))
	}
}

func checkDrawn(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 7))
	k := drawShape(r)
	var parts []int
	for left := k.s.InC; left > 0; {
		part := 1 + r.IntN(left)
		parts, left = append(parts, part), left-part
	}
	k.fill(r, 1+r.IntN(2), 1+r.IntN(Most), parts, []int{0, 1, 100, 127, 3600}[r.IntN(5)])
	k.check(t, 1+r.IntN(4))
}

func FuzzConv(f *testing.F) {
	f.Fuzz(checkDrawn)
}

// TestConvWidths covers every tail of a tile.
func TestConvWidths(t *testing.T) {
	for width := 1; width <= 54; width++ {
		for _, bound := range []int{127, 0, 3600} {
			r := rand.New(rand.NewPCG(uint64(width), uint64(bound)))
			k := layerCase{s: square([]int{5, 11, 36}[width%3], []int{1, 16, 20, 32, 48}[width%5], 3), h: 2, w: width}
			k.fill(r, 1, 12, []int{k.s.InC}, bound)
			k.check(t, 1)
		}
	}
}

// TestConvExtremes takes sums at the ends of their range: the largest counts and weights, and as
// many products as can be.
func TestConvExtremes(t *testing.T) {
	for _, w := range []int16{spike.LeastWeight, spike.MostWeight, 3600, -255, -128, 127, -127} {
		for _, most := range []int{0, 1, 11, 63} {
			k := layerCase{s: square(64, 17, 3), h: 3, w: 15}
			r := rand.New(rand.NewPCG(1, 1))
			k.fill(r, 1, most, []int{64}, 127)
			for i := range k.sources[0].Data {
				k.sources[0].Data[i] = uint8(k.sources[0].most())
			}
			for i := range k.weight {
				k.weight[i] = w
			}
			for o := range k.neurons.Threshold {
				k.neurons.Threshold[o] = []int32{1, 2, 3, 1 << 20, 1<<24 + 1, math.MaxInt32}[o%6]
				if o%2 == 0 {
					k.neurons.Potential[o] = math.MaxInt32 - max(0, 64*9*Most*int32(w))
				}
			}
			k.check(t, 2)
		}
	}
}

// TestNeurons takes potentials near multiples of all kinds of thresholds.
func TestNeurons(t *testing.T) {
	k := layerCase{h: 1, w: 1, neurons: &Neurons{Top: 100}}
	r := rand.New(rand.NewPCG(1, 1))
	for _, threshold := range []int32{1, 2, 3, 7, 255, 1000, 65537, 1<<20 - 3, 1<<23 + 1, 1<<24 - 1, 16843009, 1<<30 - 1, math.MaxInt32} {
		for n := int64(0); n < 105; n++ {
			for _, v := range []int64{n*int64(threshold) - 1, n * int64(threshold), n*int64(threshold) + 1} {
				if v > math.MaxInt32 {
					continue
				}
				k.neurons.Potential = append(k.neurons.Potential, int32(v))
				k.neurons.Threshold = append(k.neurons.Threshold, threshold)
				k.neurons.Fire = append(k.neurons.Fire, 1+r.Int32N(threshold))
			}
		}
	}
	for _, v := range []int32{math.MinInt32, -1 << 24, -1, math.MaxInt32} {
		k.neurons.Potential = append(k.neurons.Potential, v, v)
		k.neurons.Threshold = append(k.neurons.Threshold, math.MaxInt32, 12345)
		k.neurons.Fire = append(k.neurons.Fire, math.MaxInt32, 20000) // above the threshold too
	}
	k.s = square(1, len(k.neurons.Potential), 1)
	k.weight = make([]int16, k.s.Weights())
	k.sources = []*Tensor{{N: 1, C: 1, H: 1, W: 1, Data: []uint8{1}}}
	k.check(t, 1)
	k.neurons.Fire = nil
	k.check(t, 1)
}

func TestConvErrors(t *testing.T) {
	s := square(2, 3, 1).ConvShape
	if _, err := PackConv(s, make([]int16, 5)); err == nil {
		t.Error("5 weights were taken, want 6")
	}
	if _, err := PackConv(s, []int16{0, 0, spike.MostWeight + 1, 0, 0, 0}); err == nil {
		t.Errorf("a weight beyond %d was taken", spike.MostWeight)
	}
	s.StrideH = 0
	if _, err := PackConv(s, make([]int16, 6)); err == nil {
		t.Error("a stride of 0 was taken")
	}
	k := layerCase{s: square(2, 3, 1), h: 2, w: 2}
	k.fill(rand.New(rand.NewPCG(1, 1)), 1, 5, []int{2}, 127)
	conv, err := k.pack()
	if err != nil {
		t.Fatal(err)
	}
	pool := machine.NewPool(1)
	defer pool.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	out := k.output(plainBytes)
	if err := conv.Run(ctx, pool, out, k.sources); err != context.Canceled {
		t.Errorf("cancelled run gives %v", err)
	}
	for name, spoil := range map[string]func(*Output){
		"too many spikes": func(o *Output) { o.Neurons.Top = Most + 1 },
		"no counts":       func(o *Output) { o.Counts.Data = nil },
		"no threshold":    func(o *Output) { o.Neurons.Threshold = nil },
		"no scale":        func(o *Output) { *o = Output{Currents: make([]float32, 100)} },
	} {
		out := k.output(plainBytes)
		neurons := *k.neurons
		out.Neurons = &neurons
		spoil(&out)
		if kerneltest.Caught(func() { _ = conv.Run(context.Background(), pool, out, k.sources) }) == nil {
			t.Errorf("%s: the run was taken", name)
		}
	}
}

// TestConvAllocations demands that a run allocates as often for many strips as for few.
func TestConvAllocations(t *testing.T) {
	pool := machine.NewPool(1)
	defer pool.Close()
	allocations := func(height int) float64 {
		k := layerCase{s: square(20, 20, 3), h: height, w: 40}
		k.fill(rand.New(rand.NewPCG(2, 2)), 1, 11, []int{20}, 127)
		conv, err := k.pack()
		if err != nil {
			t.Fatal(err)
		}
		out := k.output(plainBytes)
		return testing.AllocsPerRun(3, func() {
			if err := conv.Run(context.Background(), pool, out, k.sources); err != nil {
				t.Fatal(err)
			}
		})
	}
	defer func(n int) { stripBytes = n }(stripBytes)
	stripBytes = 8000
	forEach(t, func(t *testing.T) {
		if few, many := allocations(4), allocations(60); many > few {
			t.Errorf("%v allocations for many strips, %v for one", many, few)
		}
	})
}

// TestBalanced demands strips of a DnCNN of which two threads have as many.
func TestBalanced(t *testing.T) {
	for _, bound := range []int{127, 3600} {
		k := layerCase{s: square(64, 64, 3), h: 256, w: 256}
		k.fill(rand.New(rand.NewPCG(1, 1)), 1, 11, nil, bound)
		conv, err := k.pack()
		if err != nil {
			t.Fatal(err)
		}
		l := conv.layoutFor(256, 256, 2, false, conv.winograd != nil)
		if n := machine.CeilDiv(256, l.rows) * machine.CeilDiv(256, l.cols); n%2 != 0 {
			t.Errorf("%d strips of %d x %d pixels", n, l.rows, l.cols)
		}
	}
}
