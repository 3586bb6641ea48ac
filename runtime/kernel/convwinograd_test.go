package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"spikingir/runtime/kernel/kerneltest"
	"spikingir/runtime/kernel/machine"
)

// winogradCases are images whose tiles fill vectors, blocks and the image itself, and
// others.
var winogradCases = []convCase{
	{name: "one tile", s: with(16, 16, 1, 3, 3, pad(1, 1, 1, 1)), h: 4, w: 4},
	{name: "one output", s: with(16, 17, 1, 3, 3), h: 3, w: 3},
	{name: "one row of vectors", s: with(17, 16, 1, 3, 3, pad(1, 1, 1, 1)), h: 4, w: 64},
	{name: "odd", s: with(19, 23, 1, 3, 3, pad(1, 1, 1, 1)), h: 9, w: 11},
	{name: "narrow", s: with(16, 18, 1, 3, 3, pad(1, 1, 1, 1)), h: 150, w: 2},
	{name: "rows of tiles cross blocks", s: with(18, 20, 1, 3, 3, pad(1, 1, 1, 1)), h: 23, w: 77},
	{name: "wider than a block", s: with(16, 16, 1, 3, 3, pad(1, 1, 1, 1)), h: 10, w: 333},
	{name: "pads", s: with(16, 16, 1, 3, 3, pad(0, 3, 5, 2)), h: 14, w: 20},
	{name: "pads beyond the kernel", s: with(16, 16, 1, 3, 3, pad(5, 6, 7, 8)), h: 3, w: 4},
	{name: "empty image, pads only", s: with(16, 16, 1, 3, 3, pad(4, 4, 4, 4)), h: 0, w: 0},
	{name: "without pads", s: with(16, 16, 1, 3, 3), h: 39, w: 70},
	{name: "many channels", s: with(96, 24, 1, 3, 3, pad(1, 1, 1, 1)), h: 12, w: 28},
	{name: "blocks of one vector", s: with(200, 16, 1, 3, 3, pad(1, 1, 1, 1)), h: 8, w: 40},
}

func (c convCase) winograd(t *testing.T, weight, bias []float32) *WinogradConv {
	t.Helper()
	conv, err := PackWinograd(c.s.ConvShape, weight, bias)
	if err != nil {
		t.Fatal(err)
	}
	return conv
}

// TestWinogradIsClose holds the generic kernels against sums in float64: within 4e-6 of
// the sum of absolute values of the whole tile's terms.
func TestWinogradIsClose(t *testing.T) {
	defer selectImplementation(t, selectedName())
	selectImplementation(t, "generic")
	p := machine.NewPool(2)
	defer p.Close()
	for i, c := range winogradCases {
		src, weight, bias := c.data(uint64(i), kerneltest.Normal)
		_, sum, size := c.reference(src, weight, bias)
		got := make([]float32, len(sum))
		c.winograd(t, weight, bias).RunTail(p, got, src, c.h, c.w, Tail{})
		oh, ow := c.outSize()
		for o := range got {
			y, x := o/ow%oh, o%ow
			most := 0.0
			for r := y / 4 * 4; r < min(y/4*4+4, oh); r++ {
				for l := x / 4 * 4; l < min(x/4*4+4, ow); l++ {
					most = max(most, size[o+(r-y)*ow+l-x])
				}
			}
			if e := math.Abs(float64(got[o]) - sum[o]); e > 4e-6*most {
				t.Fatalf("%s: output %d is %v, want %v within 4e-6 of %v", c.name, o, got[o], sum[o], most)
			}
		}
	}
}

// threadCounts are those that tests try.
func threadCounts() []int {
	if testing.Short() {
		return []int{3}
	}
	return []int{1, 2, 3, 8}
}

// TestWinogradBits demands the same bits of every implementation, generic among them,
// for any number of threads, fences round everything.
func TestWinogradBits(t *testing.T) {
	for i, c := range winogradCases {
		for j, values := range []func(*rand.Rand, int) []float32{kerneltest.Normal, harsh} {
			src, weight, bias := c.data(uint64(i+j), values)
			conv := c.winograd(t, weight, bias)
			var want []float32
			checkEach := func(name string) {
				for _, threads := range threadCounts() {
					p := machine.NewPool(threads)
					oh, ow := c.outSize()
					dst, checkD := kerneltest.Fence(make([]float32, c.s.OutC*oh*ow), 12345)
					in, checkS := kerneltest.Fence(src, 54321)
					conv.RunTail(p, dst, in, c.h, c.w, Tail{})
					p.Close()
					checkD(t)
					checkS(t)
					if want == nil {
						want = dst
					}
					if d := kerneltest.FirstDifference(dst, want); d >= 0 {
						t.Fatalf("%s, %s, %d threads: output %d is %v, want %v",
							c.name, name, threads, d, dst[d], want[d])
					}
				}
			}
			forEachQuietly(t, checkEach) // generic is the last
		}
	}
}

// TestWinogradTails demands the same bits of a tail that kernels do and of one that
// follows.
func TestWinogradTails(t *testing.T) {
	c := convCase{s: with(16, 21, 1, 3, 3, pad(1, 1, 1, 1)), h: 13, w: 83}
	src, weight, bias := c.data(4, kerneltest.Normal)
	offset, scale, shift := bias, kerneltest.Normal(rand.New(rand.NewPCG(1, 2)), 21), kerneltest.Normal(rand.New(rand.NewPCG(3, 4)), 21)
	conv := c.winograd(t, weight, make([]float32, 21))
	p := machine.NewPool(2)
	defer p.Close()
	size := c.h * c.w
	for _, d := range []Direct{{}, {Relu: true}, {offset, scale, shift, false}, {offset, scale, shift, true}} {
		finish := func(channel int, y []float32) {
			if d.Scale != nil {
				AddScalar(y, y, d.Offset[channel])
				MulScalar(y, y, d.Scale[channel])
				AddScalar(y, y, d.Shift[channel])
			}
			if d.Relu {
				Relu(y, y)
			}
		}
		want, got, later := make([]float32, 21*size), make([]float32, 21*size), make([]float32, 21*size)
		conv.RunTail(p, want, src, c.h, c.w, Tail{Bias: bias})
		for o := range 21 {
			finish(o, want[o*size:(o+1)*size])
		}
		forEachQuietly(t, func(name string) {
			conv.RunTail(p, got, src, c.h, c.w, Tail{Bias: bias, Finish: finish, Direct: &d})
			if i := kerneltest.FirstDifference(got, want); i >= 0 {
				t.Fatalf("%s, %+v: output %d is %v, want %v", name, d, i, got[i], want[i])
			}
			conv.RunTail(p, later, src, c.h, c.w, Tail{Bias: bias, Finish: finish})
			if i := kerneltest.FirstDifference(later, want); i >= 0 {
				t.Fatalf("%s, %+v, finished later: output %d is %v, want %v", name, d, i, later[i], want[i])
			}
		})
	}
}

// TestWinogradParts demands that rows of an image, cut between tiles, have the bits of
// the whole image where all inputs of their tiles are there.
func TestWinogradParts(t *testing.T) {
	c := convCase{s: with(16, 16, 1, 3, 3, pad(1, 1, 1, 1)), h: 40, w: 37}
	src, weight, bias := c.data(6, kerneltest.Normal)
	conv := c.winograd(t, weight, bias)
	p := machine.NewPool(3)
	defer p.Close()
	want := make([]float32, 16*c.h*c.w)
	conv.RunTail(p, want, src, c.h, c.w, Tail{})
	const from, to = 8, 29
	part, got := make([]float32, 0, 16*(to-from)*c.w), make([]float32, 16*(to-from)*c.w)
	for i := range 16 {
		part = append(part, src[(i*c.h+from)*c.w:(i*c.h+to)*c.w]...)
	}
	conv.RunTail(p, got, part, to-from, c.w, Tail{})
	for o := range 16 {
		for y := from + WinogradTile; y < (to-WinogradPatch+1)/4*4+4; y++ {
			whole, cut := want[(o*c.h+y)*c.w:][:c.w], got[(o*(to-from)+y-from)*c.w:][:c.w]
			if i := kerneltest.FirstDifference(cut, whole); i >= 0 {
				t.Fatalf("channel %d, row %d, column %d: %v, of the whole %v", o, y, i, cut[i], whole[i])
			}
		}
	}
}

func TestWinogradRefuses(t *testing.T) {
	for _, s := range []ConvTransposeShape{
		with(16, 16, 1, 3, 3, stride(2, 1)), with(16, 16, 1, 3, 3, dilate(1, 2)), with(32, 32, 2, 3, 3),
		with(16, 16, 1, 3, 5), with(15, 16, 1, 3, 3), with(16, 15, 1, 3, 3), with(16, 4097, 1, 3, 3), {},
	} {
		if SuitsWinograd(s.ConvShape) {
			t.Errorf("%+v is said to suit", s)
		}
		if _, err := PackWinograd(s.ConvShape, nil, nil); err == nil {
			t.Errorf("%+v was packed", s)
		}
	}
	if _, err := PackWinograd(same(16, 16, 1, 3), make([]float32, 3), nil); err == nil {
		t.Error("3 weights were packed")
	}
}

func TestWinogradReusesMemory(t *testing.T) {
	p := machine.NewPool(1)
	defer p.Close()
	c := convCase{s: with(16, 16, 1, 3, 3, pad(1, 1, 1, 1)), h: 64, w: 64}
	src, weight, bias := c.data(2, kerneltest.Normal)
	conv := c.winograd(t, weight, bias)
	dst := make([]float32, 16*64*64)
	if n := testing.AllocsPerRun(20, func() { conv.RunTail(p, dst, src, 64, 64, Tail{}) }); n > 4 {
		t.Errorf("a run allocates %v times, want at most 4", n)
	}
}

func BenchmarkWinograd(b *testing.B) {
	for _, c := range []struct {
		channels, h, w int
	}{{64, 256, 256}, {64, 180, 180}, {64, 64, 64}, {64, 16, 16}, {64, 32, 1920}, {32, 256, 256}, {16, 256, 256}, {128, 128, 128}, {256, 64, 64}} {
		s := same(c.channels, c.channels, 1, 3)
		r := rand.New(rand.NewPCG(1, 2))
		weight := kerneltest.Normal(r, 9*s.InC*s.OutC)
		fast, err := PackWinograd(s, weight, nil)
		if err != nil {
			b.Fatal(err)
		}
		plain, err := PackConv(s, weight, nil)
		if err != nil {
			b.Fatal(err)
		}
		src, dst := kerneltest.Normal(r, s.InC*c.h*c.w), make([]float32, s.OutC*c.h*c.w)
		name := fmt.Sprintf("%d_%dx%d", c.channels, c.h, c.w)
		benchThreads(b, name+"/direct", len(weight)*c.h*c.w, func(p *machine.Pool) { plain.Run(p, dst, src, c.h, c.w) })
		benchThreads(b, name+"/winograd", len(weight)*c.h*c.w, func(p *machine.Pool) { fast.RunTail(p, dst, src, c.h, c.w, Tail{}) })
	}
}
