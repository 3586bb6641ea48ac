package metric

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spikingir/runtime/dataset"
)

// vectors is testdata/vectors.json, written by testdata/gen.py.
type vectors struct {
	Quality []struct {
		C, H, W                  int
		A, B                     []float32
		PSNR, Gaussian, Uniform7 float64
	}
	Conv []struct {
		Cin, Cout, Group             int
		K, Size, Stride, Pad, Dil    [2]int
		MACs, Exact, Outputs, Inputs float64
	}
}

func readVectors(t *testing.T) vectors {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

func TestQualityAgainstSkimage(t *testing.T) {
	for i, v := range readVectors(t).Quality {
		a := dataset.Image{C: v.C, H: v.H, W: v.W, Pix: v.A}
		b := dataset.Image{C: v.C, H: v.H, W: v.W, Pix: v.B}
		psnr, err := PSNR(v.A, v.B)
		if err != nil || !near(psnr, v.PSNR, 1e-10) {
			t.Errorf("case %d: PSNR %.12f, %v, want %.12f", i, psnr, err, v.PSNR)
		}
		for window, want := range map[Window]float64{Gaussian: v.Gaussian, Uniform7: v.Uniform7} {
			got, err := SSIM(a, b, window)
			if err != nil || !near(got, want, 1e-11) {
				t.Errorf("case %d: SSIM %s %.14f, %v, want %.14f", i, window, got, err, want)
			}
			swapped, err := SSIM(b, a, window)
			if err != nil || swapped != got {
				t.Errorf("case %d: SSIM %s is not symmetric: %g and %g (%v)", i, window, got, swapped, err)
			}
			if same, err := SSIM(a, a, window); err != nil || !near(same, 1, 1e-12) {
				t.Errorf("case %d: SSIM %s of an image with itself is %g, %v", i, window, same, err)
			}
		}
	}
}

func TestPSNRValues(t *testing.T) {
	a := []float32{0, 0.5, 1, 0.25}
	same, err := PSNR(a, a)
	if err != nil || !math.IsInf(same, 1) {
		t.Errorf("identical images: %g, %v, want +Inf", same, err)
	}
	off, err := Agreement(a, []float32{0.125, 0.625, 0.875, 0.125})
	if err != nil || !near(off, 20*math.Log10(8), 1e-12) {
		t.Errorf("all off by 1/8: %g, %v, want %g", off, err, 20*math.Log10(8))
	}
	nan, inf := float32(math.NaN()), float32(math.Inf(-1))
	for _, c := range []struct {
		a, b []float32
		want string
	}{
		{a, a[1:], "cannot compare 4 values with 3"},
		{nil, nil, "empty"},
		{[]float32{1, nan}, []float32{0, 0}, "value 1 of the first image is NaN"},
		{[]float32{1, 1}, []float32{inf, 0}, "value 0 of the second image is -Inf"},
		{[]float32{inf}, []float32{inf}, "value 0 of the first image is -Inf"},
	} {
		if _, err := Agreement(c.a, c.b); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v and %v: %v, want %q", c.a, c.b, err, c.want)
		}
	}
}

func TestSSIMErrors(t *testing.T) {
	small := dataset.NewImage(1, 10, 40)
	nan := dataset.NewImage(1, 11, 11)
	nan.Pix[5] = float32(math.NaN())
	for _, c := range []struct {
		a, b   dataset.Image
		window Window
		want   string
	}{
		{small, small, Gaussian, "needs at least 11x11 pixels, the image has 40x10"},
		{dataset.NewImage(1, 9, 6), dataset.NewImage(1, 9, 6), Uniform7, "needs at least 7x7"},
		{small, small, "box", `unknown ssim window "box"`},
		{small, dataset.NewImage(3, 10, 40), Uniform7, "want equal shapes"},
		{dataset.Image{C: 2}, small, Gaussian, "2 channels"},
		{nan, nan, Gaussian, "value 5 of the first image is NaN"},
	} {
		if _, err := SSIM(c.a, c.b, c.window); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if _, err := SSIM(small, small, Uniform7); err != nil {
		t.Errorf("10 rows and a window of 7: %v", err)
	}
}

func TestDBInJSON(t *testing.T) {
	in := []DB{33.5, DB(math.Inf(1)), DB(math.Inf(-1)), DB(math.NaN()), 0}
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := `[33.5,"inf","-inf","nan",0]`; string(data) != want {
		t.Errorf("%s, want %s", data, want)
	}
	var out []DB
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	for i, v := range out {
		if v != in[i] && !math.IsNaN(float64(in[i])) {
			t.Errorf("%g reads back as %g", in[i], v)
		}
	}
	if err := json.Unmarshal([]byte(`"high"`), &out[0]); err == nil {
		t.Error(`"high" was read as a number`)
	}
}

func TestScore(t *testing.T) {
	target := dataset.NewImage(1, 16, 16)
	for i := range target.Pix {
		target.Pix[i] = float32(i%250) / 255
	}
	output := target.Clone()
	for i := range output.Pix {
		output.Pix[i] += 0.4 / 255
	}
	output.Pix[0] = 9 // in the border
	raw, err := Score(output, target, ScoreOptions{Shave: 1})
	if err != nil || !near(raw.PSNR, 20*math.Log10(255/0.4), 1e-3) {
		t.Errorf("unrounded: %+v, %v", raw, err)
	}
	rounded, err := Score(output, target, ScoreOptions{Shave: 1, Quantize8: true, Window: Uniform7})
	if err != nil || !math.IsInf(rounded.PSNR, 1) || !near(rounded.SSIM, 1, 1e-12) {
		t.Errorf("rounded to 8 bit: %+v, %v", rounded, err)
	}
	above := target.Clone()
	for i := range above.Pix {
		above.Pix[i] = 1.5
	}
	ones := dataset.NewImage(1, 16, 16)
	for i := range ones.Pix {
		ones.Pix[i] = 1
	}
	if q, err := Score(above, ones, ScoreOptions{Clip: true}); err != nil || !math.IsInf(q.PSNR, 1) {
		t.Errorf("clipped: %+v, %v", q, err)
	}
	if _, err := Score(output, dataset.NewImage(1, 16, 15), ScoreOptions{}); err == nil {
		t.Error("unequal shapes were scored")
	}
	if _, err := Score(output, target, ScoreOptions{Shave: 8}); err == nil {
		t.Error("a border as wide as the image was cut")
	}
	mean, err := MeanQuality([]Quality{{30, 0.9}, {20, 0.7}})
	if err != nil || mean.PSNR != 25 || !near(mean.SSIM, 0.8, 1e-15) {
		t.Errorf("mean: %+v, %v", mean, err)
	}
	if _, err := MeanQuality(nil); err == nil {
		t.Error("no images were averaged")
	}
}

func TestConversionRate(t *testing.T) {
	for _, c := range []struct {
		snn, ann Quality
		capped   bool
		want     Rate
	}{
		{Quality{24, 0.72}, Quality{32, 0.9}, false, Rate{75, 80, 77.5}},
		{Quality{40, 0.72}, Quality{32, 0.9}, false, Rate{125, 80, 102.5}},
		{Quality{40, 0.72}, Quality{32, 0.9}, true, Rate{100, 80, 90}},
	} {
		got, err := ConversionRate(c.snn, c.ann, c.capped)
		if err != nil || !near(got.PSNR, c.want.PSNR, 1e-9) || !near(got.SSIM, c.want.SSIM, 1e-9) ||
			!near(got.Mean, c.want.Mean, 1e-9) {
			t.Errorf("%v of %v: %v, %v, want %v", c.snn, c.ann, got, err, c.want)
		}
	}
	nan := math.NaN()
	for _, bad := range [][2]Quality{
		{{30, 0.9}, {0, 0.9}}, {{30, 0.9}, {math.Inf(1), 1}},
		{{30, 0.9}, {30, -0.1}}, {{nan, 0.9}, {30, 0.9}},
	} {
		if got, err := ConversionRate(bad[0], bad[1], true); err == nil {
			t.Errorf("%v of %v is %v, want an error", bad[0], bad[1], got)
		}
	}
}

// Bicubic interpolation itself on Set5, by the protocol that dataset documents.
func TestSet5Bicubic(t *testing.T) {
	root := os.Getenv("SPIKINGIR_DATA")
	if root == "" {
		t.Skip("SPIKINGIR_DATA is not set: the benchmark images are needed")
	}
	for _, c := range []struct {
		scale int
		want  Quality
	}{{2, Quality{33.661, 0.9299}}, {4, Quality{28.421, 0.8104}}} {
		task := dataset.Task{Kind: dataset.SR, Scale: c.scale}
		set, err := dataset.Open(task, dataset.Dirs{Data: filepath.Join(root, "images", "Set5")}, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var all []Quality
		for i := range set.Len() {
			s, err := set.At(i)
			if err != nil {
				t.Fatal(err)
			}
			q, err := Score(s.Input, s.Target, ScoreOptions{Shave: s.Shave, Quantize8: true})
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, q)
		}
		got, err := MeanQuality(all)
		if err != nil || !near(got.PSNR, c.want.PSNR, 0.001) || !near(got.SSIM, c.want.SSIM, 0.0001) {
			t.Errorf("x%d: %.4f dB, %.5f, %v, want %v", c.scale, got.PSNR, got.SSIM, err, c.want)
		}
	}
}
