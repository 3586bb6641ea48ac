package kernel

import (
	goruntime "runtime"
	"slices"
	"testing"

	"spikingir/runtime/kernel/kerneltest"
	"spikingir/runtime/kernel/machine"
)

// TestConvBands covers heights and widths round the sizes of bands and tiles, for
// layers with single channels of output: the last of nine, and each of a depthwise
// convolution.
func TestConvBands(t *testing.T) {
	defer func(n int) { stripFloats = n }(stripFloats)
	for i, s := range []ConvTransposeShape{
		with(3, 1, 1, 3, 3, pad(1, 1, 1, 1)),
		with(5, 9, 1, 3, 3, pad(1, 1, 1, 1)),
		with(3, 3, 3, 3, 3, pad(1, 1, 1, 1)),
		with(2, 1, 1, 3, 3, pad(0, 2, 3, 1)),
		with(2, 1, 1, 3, 3),
	} {
		for h := 3; h <= 20; h++ {
			for w := 3; w <= 130; w++ {
				if (w+h)%7 != 0 {
					continue
				}
				c := convCase{s: s, h: h, w: w}
				src, weight, bias := c.data(uint64(h+w/7), kerneltest.Normal)
				exact, _, _ := c.reference(src, weight, bias)
				stripFloats = []int{128 << 10, 3000, 700}[(h+w+i)%3]
				forEachQuietly(t, func(name string) {
					checkConv(t, c, src, weight, bias, exact, 1+h%8, stripFloats)
					checkTail(t, c, src, weight, bias, exact, 1+h%8)
					if t.Failed() {
						t.Fatalf("%s: %+v", name, c)
					}
				})
			}
		}
	}
}

// checkTail compares a run with a tail with the outputs of one without.
func checkTail(t *testing.T, c convCase, src, weight, bias, plain []float32, threads int) {
	t.Helper()
	conv, err := PackConv(c.s.ConvShape, weight, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(plain)
	size := len(want) / c.s.OutC
	for o := range c.s.OutC {
		channelTail(o, want[o*size:(o+1)*size])
	}
	p := machine.NewPool(threads)
	defer p.Close()
	dst, check := kerneltest.Fence(make([]float32, len(want)), 12345)
	conv.RunTail(p, dst, src, c.h, c.w, Tail{Bias: bias, Finish: channelTail})
	check(t)
	if d := kerneltest.FirstDifference(dst, want); d >= 0 {
		t.Errorf("with a tail output %d is %v, want %v", d, dst[d], want[d])
	}
}

func TestSuitsBands(t *testing.T) {
	for _, c := range []struct {
		s    ConvTransposeShape
		want bool
	}{
		{with(1, 1, 1, 3, 3), true},
		{with(4, 4, 4, 3, 3, pad(1, 1, 1, 1)), true},
		{with(1, 1, 1, 3, 3, stride(1, 2)), false},
		{with(1, 1, 1, 3, 3, stride(2, 1)), false},
		{with(1, 1, 1, 3, 3, dilate(1, 2)), false},
		{with(1, 1, 1, 1, 9), false},
		{with(1, 1, 1, 5, 5), false},
	} {
		weight := make([]float32, c.s.InC*c.s.OutC/c.s.Groups*c.s.KH*c.s.KW)
		conv, err := PackConv(c.s.ConvShape, weight, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := conv.stencil.banded; got != c.want {
			t.Errorf("%+v: suits bands %v, want %v", c.s.ConvShape, got, c.want)
		}
	}
}

// TestConvUnderCollection runs convolutions on several goroutines while memory is
// collected: addresses that kernels fetch ahead keep nothing alive and hurt nothing.
func TestConvUnderCollection(t *testing.T) {
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			default:
				goruntime.GC()
			}
		}
	}()
	defer close(done)
	t.Run("runs", func(t *testing.T) {
		for _, s := range []ConvTransposeShape{
			with(12, 1, 1, 3, 3, pad(1, 1, 1, 1)),
			with(12, 9, 1, 3, 3, pad(1, 1, 1, 1)),
			with(40, 40, 40, 3, 3, pad(1, 1, 1, 1)),
		} {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				c := convCase{s: s, h: 40, w: 70}
				src, weight, bias := c.data(2, kerneltest.Normal)
				exact, _, _ := c.reference(src, weight, bias)
				for threads := 1; threads <= 8; threads++ {
					checkConv(t, c, slices.Clone(src), weight, bias, exact, threads, stripFloats)
				}
			})
		}
	})
}
