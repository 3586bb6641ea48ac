//go:build !purego

package kernel

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/sys/cpu"
)

// TestTileHelpers compares the kernels that prepare tiles with their twins, bit for
// bit, in fenced memory. They need no tiles.
func TestTileHelpers(t *testing.T) {
	if x := &cpu.X86; !x.HasAVX512F || !x.HasAVX512BW || !x.HasAVX512BF16 {
		t.Skip("this CPU has no AVX512-BF16")
	}
	r := rand.New(rand.NewPCG(9, 10))
	for n := 32; n <= 256; n += 32 {
		plane := n + 32*(n/32%3)
		src, checkSrc := fence(oddNumbers(r, n), 77)
		got, want := make([]uint16, 2*plane+n), make([]uint16, 2*plane+n)
		for terms := 2; terms <= 3; terms++ {
			splitTermsAVX512(got, plane, terms, src)
			splitTermsGeneric(want, plane, terms, src)
			equalTerms(t, "split", got, want)
		}
		checkSrc(t)

		masks := make([]uint16, n)
		for i := range masks {
			masks[i] = uint16(r.Uint32())
		}
		stride := n + n%96
		got, want = make([]uint16, 16*stride), make([]uint16, 16*stride)
		turnMasksAVX512(got, stride, masks)
		turnMasksGeneric(want, stride, masks)
		equalTerms(t, "turn masks", got, want)
		pairs := randomTerms(r, 16*n)
		turnPairsAVX512(got, stride, pairs)
		turnPairsGeneric(want, stride, pairs)
		equalTerms(t, "turn pairs", got, want)
	}
	for pixels := 1; pixels <= 50; pixels++ {
		stride := 16 * (1 + pixels%5)
		src, checkSrc := fence(oddNumbers(r, (pixels-1)*stride+16), 77)
		plane := (pixels+1)/2*32 + 64
		got, want := make([]uint16, 2*plane), make([]uint16, 2*plane)
		pairTermsAVX512(got, plane, src, stride, pixels)
		pairTermsGeneric(want, plane, src, stride, pixels)
		equalTerms(t, "pair", got, want)
		checkSrc(t)
	}
}

// TestByteHelpers compares the kernels for tiles of bytes that need no tiles with their
// twins, bit for bit.
func TestByteHelpers(t *testing.T) {
	if x := &cpu.X86; !x.HasAVX512F || !x.HasAVX512BW || !x.HasAVX512DQ || !x.HasAVX512VL {
		t.Skip("this CPU has no AVX-512")
	}
	r := rand.New(rand.NewPCG(15, 16))
	for range 20 {
		got := randomBytes(r, 1, 1)
		for i := range got.sums {
			got.sums[i] = int32(r.Uint32()) >> (2 + r.IntN(28))
		}
		want := *got
		want.dst = slices.Clone(got.dst)
		dst, check := fence(got.dst, 77)
		got.dst = dst
		joinDigitsAVX512(got)
		check(t)
		joinDigitsGeneric(&want)
		sameSums(t, "join", got.dst, want.dst)
	}
	for n := 16; n <= 160; n += 16 {
		src, _ := fence(oddNumbers(r, n), float32(math.NaN()))
		if got, want := largestBitsAVX512(src), largestBitsGeneric(src); got != want {
			t.Errorf("largest of %d: %#x, want %#x", n, got, want)
		}
	}
	for steps := 1; steps <= 4; steps++ {
		got := &digitArgs{stride: 100 + r.IntN(50), inverse: make([]float32, tileCols)}
		got.w = oddNumbers(r, tileCols*got.stride)
		for o := range got.inverse {
			_, got.inverse[o] = byteUnit(math.Float32bits(float32(r.ExpFloat64())))
		}
		for range steps * byteDeep {
			got.at = append(got.at, int32(r.IntN(got.stride+30)-30))
		}
		for i, at := range got.at {
			got.at[i] = max(at, -1)
		}
		want := *got
		dst, check := fence(make([]int8, steps*byteDigits*byteSize), 77)
		got.dst, want.dst = dst, make([]int8, len(dst))
		digitsAVX512(got)
		check(t)
		digitsGeneric(&want)
		if !slices.Equal(got.dst, want.dst) {
			t.Errorf("digits of %d steps differ", steps)
		}
	}
}

func equalTerms(t *testing.T, what string, got, want []uint16) {
	t.Helper()
	for i, v := range got {
		// One NaN is as good as another.
		if x, y := termValue(v), termValue(want[i]); v != want[i] && !(x != x && y != y) {
			t.Errorf("%s: element %d of %d is %#x, want %#x", what, i, len(got), v, want[i])
			return
		}
	}
	if len(got) == 0 || slices.Max(want) == 0 {
		t.Errorf("%s: nothing to compare", what)
	}
}

// oddNumbers are numbers of all sizes, halves between two terms, and what is no
// number.
func oddNumbers(r *rand.Rand, n int) []float32 {
	list := make([]float32, n)
	for i := range list {
		list[i] = math.Float32frombits(r.Uint32())
		switch r.IntN(8) {
		case 0:
			list[i] = math.Float32frombits(r.Uint32()&0xffff0000 | 0x8000)
		case 1:
			list[i] = math.Float32frombits(r.Uint32() & 0x80ffffff) // small and subnormal
		case 2:
			list[i] = []float32{0, float32(math.Inf(1)), float32(math.Inf(-1)), math.MaxFloat32, 1}[r.IntN(5)]
		case 3, 4:
			list[i] = float32(r.NormFloat64())
		}
	}
	return list
}

// TestTileFilterHelpers compares the transforms to terms with their twins: as those may
// round a number otherwise, what the terms stand for is compared.
func TestTileFilterHelpers(t *testing.T) {
	if x := &cpu.X86; !x.HasAVX512F || !x.HasAVX512BW || !x.HasAVX512BF16 {
		t.Skip("this CPU has no AVX512-BF16")
	}
	r := rand.New(rand.NewPCG(13, 14))
	for tiles := 1; tiles <= 5; tiles++ {
		for first := range 3 {
			for _, channels := range []int{16, 48} {
				a := winogradArgs{row: (tiles*winogradTile + 3) * channels, channels: channels, tiles: tiles, first: first,
					scratch: &aligned[float32](winogradPositions * trainLanes)[0], two: tiles%2 == 0}
				block := (first + tiles + 1) / 2 * 2
				a.plane, a.chunk = block*channels+16*tiles, block*tileCols
				a.pitch = 2*a.plane + 16
				var check func(*testing.T)
				a.image, check = fence(normal(r, winogradPatch*a.row), 77)
				run := func(transform func(*winogradArgs)) []uint16 {
					b := a
					b.terms = make([]uint16, winogradPositions*a.pitch)
					for i := range b.terms {
						b.terms[i] = oneTerm
					}
					transform(&b)
					check(t)
					return b.terms
				}
				nearTerms(t, "terms", run(winogradTermsAVX512), run(winogradTermsGeneric), &a)
				nearTerms(t, "pairs", run(winogradPairsAVX512), run(winogradPairsGeneric), &a)
				nearTerms(t, "gradient pairs", run(gradientPairsAVX512), run(gradientPairsGeneric), &a)
			}
		}
	}
}

// TestTileFilterTaps compares the transform of weights with its twin.
func TestTileFilterTaps(t *testing.T) {
	if x := &cpu.X86; !x.HasAVX512F {
		t.Skip("this CPU has no AVX-512")
	}
	r := rand.New(rand.NewPCG(15, 16))
	for channels := 16; channels <= 64; channels += 16 {
		a := winogradArgs{row: channels + 3, pitch: channels + 5, channels: channels,
			scratch: &aligned[float32](winogradPositions * trainLanes)[0]}
		image, checkImage := fence(normal(r, 8*a.row+channels), 77)
		run := func(transform func(*winogradArgs)) []float32 {
			to, check := fence(make([]float32, 35*a.pitch+channels), 7)
			b := a
			b.image, b.positions = image, to
			transform(&b)
			check(t)
			return to
		}
		nearTwin(t, "taps", run(winogradTapsAVX512), run(winogradTapsGeneric), 1e-5)
		checkImage(t)
	}
}

// nearTerms compares sums of a first and a second term. Where only one is written, the
// other is 1 on both sides.
func nearTerms(t *testing.T, what string, got, want []uint16, a *winogradArgs) {
	t.Helper()
	for i := range got {
		if i%a.pitch >= a.plane {
			continue
		}
		g, w := termValue(got[i])+termValue(got[i+a.plane]), termValue(want[i])+termValue(want[i+a.plane])
		bound := 1e-4 + math.Abs(float64(w))/(1<<15)
		if got[i+a.plane] == oneTerm {
			bound = 1e-4 + math.Abs(float64(w))/(1<<7)
		}
		if !(math.Abs(float64(g-w)) <= bound) {
			t.Fatalf("%s: element %d of %d, plane %d, pitch %d, is %v, want %v", what, i, len(got), a.plane, a.pitch, g, w)
		}
	}
}
