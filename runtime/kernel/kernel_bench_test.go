package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"spikingir/runtime/kernel/kerneltest"
	"spikingir/runtime/kernel/machine"
)

// benchShapes are layers of the networks that the program is made for.
var benchShapes = []struct {
	name string
	s    ConvShape
	h, w int
}{
	{"64to64_3x3", same(64, 64, 1, 3), 256, 256},
	{"1to64_3x3", same(1, 64, 1, 3), 256, 256},
	{"64to1_3x3", same(64, 1, 1, 3), 256, 256},
	{"64to3_3x3", same(64, 3, 1, 3), 256, 256},
	{"3to3_1x1", same(3, 3, 1, 1), 480, 640},
	{"3to3_3x3", same(3, 3, 1, 3), 480, 640},
	{"6to3_5x5", same(6, 3, 1, 5), 480, 640},
	{"6to3_7x7", same(6, 3, 1, 7), 480, 640},
	{"12to3_3x3", same(12, 3, 1, 3), 480, 640},
	{"64to32_9x9", same(64, 32, 1, 9), 128, 128},
	{"256to256_1x1", same(256, 256, 1, 1), 64, 64},
	{"64depthwise_3x3", same(64, 64, 64, 3), 256, 256},
	{"64to64_3x3_small", same(64, 64, 1, 3), 16, 16},
	{"512to512_3x3", same(512, 512, 1, 3), 32, 32},
	{"64to64_3x3_wide", same(64, 64, 1, 3), 32, 1920},
}

// same is a square convolution of stride 1 that keeps the image's size.
func same(in, out, groups, k int) ConvShape {
	return ConvShape{
		InC: in, OutC: out, Groups: groups, KH: k, KW: k,
		StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1,
		PadTop: k / 2, PadLeft: k / 2, PadBottom: k / 2, PadRight: k / 2,
	}
}

func BenchmarkConv(b *testing.B) {
	for _, c := range benchShapes {
		weights := c.s.OutC * c.s.InC / c.s.Groups * c.s.KH * c.s.KW
		r := rand.New(rand.NewPCG(1, 2))
		conv, err := PackConv(c.s, kerneltest.Normal(r, weights), kerneltest.Normal(r, c.s.OutC))
		if err != nil {
			b.Fatal(err)
		}
		src := kerneltest.Normal(r, c.s.InC*c.h*c.w)
		dst := make([]float32, c.s.OutC*c.h*c.w)
		benchThreads(b, c.name, weights*c.h*c.w, func(p *machine.Pool) {
			conv.Run(p, dst, src, c.h, c.w)
		})
	}
}

func BenchmarkConvTranspose(b *testing.B) {
	const in, out, h, w = 64, 64, 128, 128
	s := ConvTransposeShape{ConvShape: same(in, out, 1, 4)}
	s.StrideH, s.StrideW = 2, 2
	s.PadTop, s.PadLeft, s.PadBottom, s.PadRight = 1, 1, 1, 1
	r := rand.New(rand.NewPCG(1, 2))
	conv, err := PackConvTranspose(s, kerneltest.Normal(r, in*out*16), kerneltest.Normal(r, out))
	if err != nil {
		b.Fatal(err)
	}
	src := kerneltest.Normal(r, in*h*w)
	oh, ow := s.OutSize(h, w)
	dst := make([]float32, out*oh*ow)
	benchThreads(b, "64to64_4x4s2", in*out*16*h*w, func(p *machine.Pool) {
		conv.Run(p, dst, src, h, w)
	})
}

// benchThreads runs f on one and two threads and reports GFLOP/s and the share of
// the probed peak for madds multiply-adds a call.
func benchThreads(b *testing.B, name string, madds int, f func(p *machine.Pool)) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("%s/threads=%d", name, threads), func(b *testing.B) {
			peak := PeakFloat32(20*time.Millisecond) * float64(threads)
			p := machine.NewPool(threads)
			defer p.Close()
			f(p)
			best := time.Duration(1 << 62)
			for b.Loop() {
				start := time.Now()
				f(p)
				best = min(best, time.Since(start))
			}
			gflops := 2 * float64(madds) / float64(best.Nanoseconds())
			b.ReportMetric(gflops, "GFLOP/s")
			b.ReportMetric(100*gflops/peak, "%peak")
		})
	}
}

func BenchmarkIFStep(b *testing.B) {
	const n = 1 << 16
	r := rand.New(rand.NewPCG(1, 2))
	v, current := kerneltest.Normal(r, n), kerneltest.Normal(r, n)
	spikes := make([]uint64, SpikeWords(n))
	b.SetBytes(3 * 4 * n)
	for b.Loop() {
		IFStep(spikes, v, current, 0.1, 1, 1)
	}
}

func BenchmarkRelu(b *testing.B) {
	const n = 1 << 16
	r := rand.New(rand.NewPCG(1, 2))
	x, dst := kerneltest.Normal(r, n), make([]float32, n)
	b.SetBytes(2 * 4 * n)
	for b.Loop() {
		Relu(dst, x)
	}
}

// BenchmarkPeak reports what PeakFloat32 finds.
func BenchmarkPeak(b *testing.B) {
	best := 0.0
	for b.Loop() {
		best = max(best, PeakFloat32(10*time.Millisecond))
	}
	b.ReportMetric(best, "GFLOP/s")
}
