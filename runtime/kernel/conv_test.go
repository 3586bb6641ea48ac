package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"spikingir/runtime/kernel/kerneltest"
	"spikingir/runtime/kernel/machine"
)

// withStrips runs f with several bounds on the size of a strip. At 1560 the case
// with the pitch in its name has strips of several rows that lack two columns.
func withStrips(f func(floats int)) {
	defer func(n int) { stripFloats = n }(stripFloats)
	for _, n := range []int{stripFloats, 1, 700, 1560, 4000} {
		stripFloats = n
		f(n)
	}
}

func TestConvReference(t *testing.T) {
	for i, c := range convCases {
		for j, values := range []func(*rand.Rand, int) []float32{kerneltest.Normal, harsh} {
			src, weight, bias := c.data(uint64(i+j), values)
			exact, sum, size := c.reference(src, weight, bias)
			t.Run(fmt.Sprintf("%s/%d", c.name, j), func(t *testing.T) {
				if j == 0 {
					checkClose(t, exact, sum, size)
				}
				forEachImplementation(t, func(t *testing.T) {
					withStrips(func(floats int) {
						for _, threads := range []int{1, 2, 3, 8} {
							checkConv(t, c, src, weight, bias, exact, threads, floats)
						}
					})
				})
			})
		}
	}
}

// checkClose compares the contract's chain with sums in float64.
func checkClose(t *testing.T, exact []float32, sum, size []float64) {
	t.Helper()
	for i := range exact {
		if e := math.Abs(float64(exact[i]) - sum[i]); e > 1e-5*size[i]+1e-30 {
			t.Fatalf("output %d is %v, want %v within 1e-5 of %v", i, exact[i], sum[i], size[i])
		}
	}
}

// checkConv compares one run with the expected bits, guards round all slices.
func checkConv(t *testing.T, c convCase, src, weight, bias, want []float32, threads, floats int) {
	t.Helper()
	p := machine.NewPool(threads)
	defer p.Close()
	stale := make([]float32, len(want))
	for i := range stale {
		stale[i] = float32(math.NaN())
	}
	dst, checkD := kerneltest.Fence(stale, 12345)
	in, checkS := kerneltest.Fence(src, 54321)
	if err := c.run(p, dst, in, weight, bias); err != nil {
		t.Fatal(err)
	}
	checkD(t)
	checkS(t)
	if d := kerneltest.FirstDifference(in, src); d >= 0 {
		t.Errorf("%d threads, strips of %d: input %d was changed", threads, floats, d)
	}
	if d := kerneltest.FirstDifference(dst, want); d >= 0 {
		t.Fatalf("%d threads, strips of %d: output %d of %d is %v, want %v",
			threads, floats, d, len(want), dst[d], want[d])
	}
}

// TestConvWidths covers every width round the vector and tile sizes, for every
// block width of output channels, with a pool that keeps its scratch memory.
func TestConvWidths(t *testing.T) {
	p := machine.NewPool(2)
	defer p.Close()
	for out := 1; out <= 9; out++ {
		for w := 1; w <= 116; w++ {
			if w > 20 && (w+out)%5 != 0 {
				continue
			}
			c := convCase{s: with(2, out, 1, 2, 3, pad(1, 1, 0, 1)), h: 3, w: w}
			src, weight, bias := c.data(uint64(w), kerneltest.Normal)
			exact, _, _ := c.reference(src, weight, bias)
			forEachQuietly(t, func(name string) {
				dst, check := kerneltest.Fence(make([]float32, len(exact)), 12345)
				if err := c.run(p, dst, src, weight, bias); err != nil {
					t.Fatal(err)
				}
				check(t)
				if d := kerneltest.FirstDifference(dst, exact); d >= 0 {
					t.Fatalf("%s, %d channels, width %d: output %d is %v, want %v",
						name, out, w, d, dst[d], exact[d])
				}
			})
		}
	}
}

// forEachQuietly is forEachImplementation without subtests.
func forEachQuietly(t *testing.T, f func(name string)) {
	t.Helper()
	defer selectImplementation(t, selectedName())
	for _, i := range machine.Implementations() {
		if i.Family == "float32" && i.Available {
			selectImplementation(t, i.Name)
			f(i.Name)
		}
	}
}

// TestConvRandomShapes draws shapes of all kinds.
func TestConvRandomShapes(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	defer func(n int) { stripFloats = n }(stripFloats)
	n := 400
	if testing.Short() {
		n = 60
	}
	for i := range n {
		c := randomCase(r)
		stripFloats = 1 << r.IntN(18)
		threads := 1 + r.IntN(8)
		src, weight, bias := c.data(uint64(i), kerneltest.Normal)
		exact, sum, size := c.reference(src, weight, bias)
		checkClose(t, exact, sum, size)
		forEachQuietly(t, func(name string) {
			checkConv(t, c, src, weight, bias, exact, threads, stripFloats)
			if t.Failed() {
				t.Fatalf("%s: %+v", name, c)
			}
		})
	}
}

// randomCase draws a case that has an output.
func randomCase(r *rand.Rand) convCase {
	for {
		groups := 1 + r.IntN(3)*r.IntN(2)
		c := convCase{
			s: with(groups*(1+r.IntN(6)), groups*(1+r.IntN(10)), groups, 1+r.IntN(5), 1+r.IntN(5),
				stride(1+r.IntN(3), 1+r.IntN(3)), dilate(1+r.IntN(3), 1+r.IntN(3)),
				pad(r.IntN(4), r.IntN(4), r.IntN(4), r.IntN(4))),
			transposed: r.IntN(2) == 0,
			h:          1 + r.IntN(10), w: 1 + r.IntN(60),
		}
		if c.transposed {
			c.s.OutPadH = r.IntN(max(c.s.StrideH, c.s.DilationH))
			c.s.OutPadW = r.IntN(max(c.s.StrideW, c.s.DilationW))
		}
		if oh, _ := c.outSize(); oh > 0 {
			return c
		}
	}
}

// TestConvTransposeScatters compares with the usual definition, which adds each
// input, weighted, to the outputs it reaches.
func TestConvTransposeScatters(t *testing.T) {
	for i, c := range convCases {
		if !c.transposed {
			continue
		}
		src, weight, _ := c.data(uint64(i)|1, kerneltest.Normal)
		_, sum, size := c.reference(src, weight, nil)
		oh, ow := c.outSize()
		got := make([]float64, c.s.OutC*oh*ow)
		s, outC, inC := c.s, c.s.OutC/c.s.Groups, c.s.InC/c.s.Groups
		for in := range s.InC {
			for k := range outC * s.KH * s.KW {
				o, ky, kx := k/(s.KH*s.KW), k/s.KW%s.KH, k%s.KW
				w := float64(weight[in*outC*s.KH*s.KW+k])
				for cell := range c.h * c.w {
					y := cell/c.w*s.StrideH + ky*s.DilationH - s.PadTop
					x := cell%c.w*s.StrideW + kx*s.DilationW - s.PadLeft
					if y >= 0 && y < oh && x >= 0 && x < ow {
						channel := in/inC*outC + o
						got[(channel*oh+y)*ow+x] += w * float64(src[in*c.h*c.w+cell])
					}
				}
			}
		}
		for j := range got {
			if math.Abs(got[j]-sum[j]) > 1e-12*size[j]+1e-12 {
				t.Fatalf("%s: output %d is %v, scattered %v", c.name, j, sum[j], got[j])
			}
		}
	}
}

// TestConvPaddingTakesPart: an infinite weight on the padding is NaN, as the
// contract's fma(w, 0, acc) is.
func TestConvPaddingTakesPart(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		p := machine.NewPool(1)
		defer p.Close()
		c, err := PackConv(with(1, 1, 1, 1, 2, pad(0, 1, 0, 0)).ConvShape,
			[]float32{float32(math.Inf(1)), 1}, nil)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]float32, 2)
		c.Run(p, dst, []float32{1, 2}, 1, 2)
		if dst[0] == dst[0] || !math.IsInf(float64(dst[1]), 1) {
			t.Errorf("outputs %v, want NaN and +Inf", dst)
		}
	})
}

func TestConvReusesMemory(t *testing.T) {
	p := machine.NewPool(1)
	defer p.Close()
	c, err := PackConv(same(8, 8, 1, 3), make([]float32, 8*8*9), nil)
	if err != nil {
		t.Fatal(err)
	}
	src, dst := make([]float32, 8*64*64), make([]float32, 8*64*64)
	if n := testing.AllocsPerRun(20, func() { c.Run(p, dst, src, 64, 64) }); n > 4 {
		t.Errorf("a run allocates %v times, want at most 4", n)
	}
}

// TestStripsAreBounded: memory does not grow with the image.
func TestStripsAreBounded(t *testing.T) {
	for _, c := range benchShapes {
		conv, err := PackConv(c.s, make([]float32, c.s.OutC*c.s.InC/c.s.Groups*c.s.KH*c.s.KW), nil)
		if err != nil {
			t.Fatal(err)
		}
		s := conv.stencil
		for _, size := range []int{1, 33, 1000, 20000} {
			l := s.layoutFor(size, size)
			floats := l.channels * l.channelStride
			if limit := stripFloats + 64*l.channels; floats > limit {
				t.Errorf("%s on %d x %d: strip of %d floats, want at most %d",
					c.name, size, size, floats, limit)
			}
			if l.rows*l.cols > stripCells || l.rows < 1 || l.channels < 1 {
				t.Errorf("%s on %d x %d: strip of %d rows, %d columns, %d channels",
					c.name, size, size, l.rows, l.cols, l.channels)
			}
		}
	}
}

func TestRunPanicsOnShortTensors(t *testing.T) {
	p := machine.NewPool(1)
	defer p.Close()
	c, err := PackConv(same(2, 2, 1, 1), make([]float32, 4), nil)
	if err != nil {
		t.Fatal(err)
	}
	ok, short := make([]float32, 2*12), make([]float32, 2*12-1)
	if kerneltest.Caught(func() { c.Run(p, short, ok, 3, 4) }) == nil {
		t.Error("Run into a short dst did not panic")
	}
	if kerneltest.Caught(func() { c.Run(p, ok, short, 3, 4) }) == nil {
		t.Error("Run of a short src did not panic")
	}
}

// sequence returns small integers: (i*factor) mod m - m/2.
func sequence(n, factor, m int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i*factor%m - m/2)
	}
	return x
}

// TestConvPyTorch compares with vectors made by PyTorch 1.13, of conv2d after pad
// and of conv_transpose2d, on small integers, whose sums are exact.
func TestConvPyTorch(t *testing.T) {
	forEachImplementation(t, func(t *testing.T) {
		for _, c := range []struct {
			convCase
			want []float32
		}{
			{convCase{
				s: with(4, 6, 2, 3, 2, stride(3, 2), dilate(2, 3), pad(2, 1, 1, 3)), h: 4, w: 5,
			}, []float32{23, 24, -18, -10, -15, 12, 6, -14, -17, -16, -2, -1, 9, -19, 21, -2, 18, -11}},
			{convCase{
				s: with(4, 2, 2, 3, 2, stride(2, 3), dilate(2, 2), pad(1, 1, 1, 1), outPad(1, 1)),
				h: 2, w: 3, transposed: true,
			}, []float32{
				-2, -2, -2, -2, -2, -2, -2, -2, -2, -11, -11, -2, -1, 21, -2, -13,
				-2, -2, -2, -2, -2, -2, -2, -2, -2, -31, -9, -2, 10, 7, -2, 18,
				-2, -2, -2, -2, -2, -2, -2, -2, -2, 4, -5, -2, 4, -1, -2, 4,
				1, 1, 1, 1, 1, 1, 1, 1, 1, -4, 21, 1, -4, 7, 1, -4,
				1, 1, 1, 1, 1, 1, 1, 1, 1, -2, 7, 1, -18, 21, 1, 10,
				1, 1, 1, 1, 1, 1, 1, 1, 1, -2, -1, 1, -14, 13, 1, 7,
			}},
		} {
			src := sequence(c.s.InC*c.h*c.w, 7, 11)
			weight := sequence(c.s.InC*c.s.OutC/c.s.Groups*c.s.KH*c.s.KW, 5, 9)
			checkConv(t, c.convCase, src, weight, sequence(c.s.OutC, 3, 5), c.want, 2, stripFloats)
		}
	})
}

func ExampleConv_Run() {
	s := ConvShape{
		InC: 1, OutC: 1, Groups: 1, KH: 1, KW: 3,
		StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1, PadLeft: 1, PadRight: 1,
	}
	c, err := PackConv(s, []float32{1, 2, 3}, []float32{10})
	if err != nil {
		fmt.Println(err)
		return
	}
	p := machine.NewPool(1)
	defer p.Close()
	dst := make([]float32, 4)
	c.Run(p, dst, []float32{1, 0, 0, 1}, 1, 4)
	fmt.Println(dst)
	// Output: [12 11 13 12]
}

// TestCutTasks demands that tasks follow each other from the first row to the last,
// none too large.
func TestCutTasks(t *testing.T) {
	for rows := 1; rows < 90; rows++ {
		for most := 1; most <= rows; most++ {
			for workers := 1; workers <= 8; workers++ {
				list := cutTasks(rows, most, workers)
				if list[0] != 0 || list[len(list)-1] != rows {
					t.Fatalf("%d rows, %d at most, %d workers: %v", rows, most, workers, list)
				}
				for i := range len(list) - 1 {
					if n := list[i+1] - list[i]; n < 0 || n > most {
						t.Fatalf("%d rows, %d at most, %d workers: %v", rows, most, workers, list)
					}
				}
			}
		}
	}
}
