package dataset

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCrop(t *testing.T) {
	m := ramp(3, 7, 10)
	got, err := m.Crop(2, 3, 4, 5)
	if err != nil {
		t.Fatal(err)
	}
	for c := range 3 {
		for y := range 4 {
			for x := range 5 {
				if got.Plane(c)[y*5+x] != m.Plane(c)[(y+2)*10+x+3] {
					t.Fatalf("channel %d, row %d, column %d is wrong", c, y, x)
				}
			}
		}
	}
	for _, bad := range [][4]int{
		{-1, 0, 1, 1}, {0, 0, 8, 1}, {0, 9, 1, 2}, {0, 0, 0, 1}, {0, math.MaxInt, 1, 2},
	} {
		if _, err := m.Crop(bad[0], bad[1], bad[2], bad[3]); err == nil {
			t.Errorf("Crop(%v) of 7x10 succeeded", bad)
		}
	}
	border, err := m.CropBorder(2)
	if err != nil || border.H != 3 || border.W != 6 || border.Pix[0] != m.Pix[22] {
		t.Errorf("CropBorder(2): %dx%d, %v", border.H, border.W, err)
	}
	if _, err := m.CropBorder(4); err == nil {
		t.Error("CropBorder(4) of 7 rows succeeded")
	}
	multiple, err := m.CropMultiple(4)
	if err != nil || multiple.H != 4 || multiple.W != 8 || multiple.Pix[8] != m.Pix[10] {
		t.Errorf("CropMultiple(4): %dx%d, %v", multiple.H, multiple.W, err)
	}
	if _, err := m.CropMultiple(8); err == nil {
		t.Error("CropMultiple(8) of 7 rows succeeded")
	}
}

func TestQuantize8(t *testing.T) {
	nan := float32(math.NaN())
	in := Image{C: 1, H: 1, W: 6, Pix: []float32{-0.1, 1.1, 0.5, 100.0 / 255, 100.4 / 255, nan}}
	got := in.Quantize8().Pix
	want := []float32{0, 1, 128.0 / 255, 100.0 / 255, 100.0 / 255}
	if diff := cmp.Diff(want, got[:5]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got[5] == got[5] {
		t.Errorf("NaN became %v", got[5])
	}
	if in.Pix[0] != -0.1 {
		t.Error("Quantize8 changed its receiver")
	}
	for v := range 256 {
		m := Image{C: 1, H: 1, W: 1, Pix: []float32{unit8(uint8(v))}}
		if m.Quantize8().Pix[0] != m.Pix[0] {
			t.Errorf("%d/255 is not a fixed point", v)
		}
	}
}

func TestYCbCrAgainstSkimage(t *testing.T) {
	v := readVectors(t).YCbCr
	m := Image{C: 3, H: v.H, W: v.W, Pix: v.RGB}
	got, err := m.YCbCr()
	if err != nil {
		t.Fatal(err)
	}
	if d := maxDiff(got.Pix, v.Want); d > 1e-7 {
		t.Errorf("differs by %g", d)
	}
	if diff := cmp.Diff(got.Plane(0), m.Luma().Pix); diff != "" {
		t.Errorf("Luma is not the Y of YCbCr:\n%s", diff)
	}
	back, err := got.RGB()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range m.Pix {
		if math.Abs(float64(back.Pix[i]-want)) > 1e-6 {
			t.Fatalf("RGB(YCbCr(m))[%d] = %g, want %g", i, back.Pix[i], want)
		}
	}
	if _, err := ramp(1, 2, 2).YCbCr(); err == nil {
		t.Error("YCbCr of a gray image succeeded")
	}
}

func TestStudioSwing(t *testing.T) {
	m := Image{C: 3, H: 1, W: 2, Pix: []float32{0, 1, 0, 1, 0, 1}} // black, white
	want := []float32{16.0 / 255, 235.0 / 255}
	for i, v := range m.Luma().Pix {
		if math.Abs(float64(v-want[i])) > 1e-7 {
			t.Errorf("luma %d is %g, want %g", i, v, want[i])
		}
	}
	for i, v := range m.Gray().Pix {
		if math.Abs(float64(v)-float64(i)) > 1e-7 {
			t.Errorf("gray %d is %g, want %d", i, v, i)
		}
	}
	gray := ramp(1, 3, 3)
	if diff := cmp.Diff(gray, gray.Luma()); diff != "" {
		t.Errorf("luma of a gray image:\n%s", diff)
	}
	if diff := cmp.Diff(gray.Pix, gray.Color().Plane(2)); diff != "" {
		t.Errorf("blue of a gray image:\n%s", diff)
	}
}

func TestNormalQuantiles(t *testing.T) {
	v := readVectors(t).Normal
	for i, k := range v.K {
		got := Normal(fixedSource(uint64(k)<<11 | 0x7ff))
		if d := math.Abs(got - v.Want[i]); d > 1e-14*max(1, math.Abs(v.Want[i])) {
			t.Errorf("quantile of (%d+1/2)/2^53 is %.17g, want %.17g", k, got, v.Want[i])
		}
	}
}

type fixedSource uint64

func (s fixedSource) Uint64() uint64 { return uint64(s) }

// The bits are pinned: a change of them would change every published figure.
func TestNoiseBits(t *testing.T) {
	m := AddNoise(NewImage(1, 1, 6), 255, 7)
	var got []uint32
	for _, v := range m.Pix {
		got = append(got, math.Float32bits(v))
	}
	want := []uint32{3196548256, 1063492027, 3164362437, 1056235905, 1061928058, 3202013883}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestNoiseMoments(t *testing.T) {
	const n, sigma = 400 * 400, 25.0
	m := AddNoise(NewImage(1, 400, 400), sigma, 1)
	var sum, square, cube, fourth float64
	for _, v := range m.Pix {
		z := float64(v) * 255 / sigma
		sum += z
		square += z * z
		cube += z * z * z
		fourth += z * z * z * z
	}
	// Five standard errors of each moment of the normal distribution.
	for _, c := range []struct {
		name             string
		got, want, sigma float64
	}{
		{"mean", sum / n, 0, 1}, {"variance", square / n, 1, math.Sqrt2},
		{"third moment", cube / n, 0, math.Sqrt(15)}, {"fourth moment", fourth / n, 3, math.Sqrt(96)},
	} {
		if math.Abs(c.got-c.want) > 5*c.sigma/math.Sqrt(n) {
			t.Errorf("%s is %g, want %g", c.name, c.got, c.want)
		}
	}
}

func TestNoiseSeeds(t *testing.T) {
	m := NewImage(1, 4, 4)
	if diff := cmp.Diff(AddNoise(m, 25, 3), AddNoise(m, 25, 3)); diff != "" {
		t.Errorf("same seed, other noise:\n%s", diff)
	}
	seen := map[uint64]bool{}
	for seed := range uint64(20) {
		for i := range 20 {
			s := SampleSeed(seed, i)
			if seen[s] {
				t.Fatalf("seed %d, sample %d repeats a seed", seed, i)
			}
			seen[s] = true
		}
	}
	if AddNoise(m, 25, 3).Pix[0] == AddNoise(m, 25, 4).Pix[0] {
		t.Error("other seed, same noise")
	}
}

func TestElementaryFunctions(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		x := rng.Float64()*1380 - 690
		if got, want := exponential(x), math.Exp(x); math.Abs(got-want) > 8e-16*want {
			t.Fatalf("exponential(%g) = %.17g, want %.17g", x, got, want)
		}
		p := math.Ldexp(rng.Float64()+1e-3, -rng.IntN(60))
		if got, want := logarithm(p), math.Log(p); math.Abs(got-want) > 8e-16*max(1, math.Abs(want)) {
			t.Fatalf("logarithm(%g) = %.17g, want %.17g", p, got, want)
		}
	}
}

func TestAddHaze(t *testing.T) {
	m := ramp(3, 6, 4)
	depth := DepthRamp(6, 4, 0, 5)
	if depth[0] != 5 || depth[23] != 0 || math.Abs(float64(depth[4])-4) > 1e-6 {
		t.Fatalf("depth ramp is %v", depth)
	}
	got, err := AddHaze(m, 0.7, 0.9, depth)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got.Pix {
		tr := math.Exp(-0.7 * float64(depth[i%24]))
		if want := float64(m.Pix[i])*tr + 0.9*(1-tr); math.Abs(float64(v)-want) > 1e-7 {
			t.Fatalf("value %d is %g, want %g", i, v, want)
		}
	}
	clear, err := AddHaze(m, 0, 0.9, depth)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, clear); diff != "" {
		t.Errorf("without scattering (-want +got):\n%s", diff)
	}
	thick, err := AddHaze(m, 1e30, 0.5, DepthRamp(6, 4, 1, 2))
	if err != nil || thick.Pix[9] != 0.5 {
		t.Errorf("thick haze gives %g, %v, want 0.5", thick.Pix[9], err)
	}
	nan := math.NaN()
	for _, c := range []struct {
		beta, air float64
		depth     []float32
		want      string
	}{
		{1, 1, depth[1:], "23 values, want 24"}, {-1, 1, depth, "scattering coefficient is -1"},
		{nan, 1, depth, "scattering"}, {1, 1.5, depth, "airlight is 1.5"}, {1, nan, depth, "airlight"},
		{1, 1, append([]float32{-2}, depth[1:]...), "column 0, row 0 is -2"},
	} {
		_, err := AddHaze(m, c.beta, c.air, c.depth)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("AddHaze: %v, want %q", err, c.want)
		}
	}
}
