package recipes_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spikingir/passes/recipes"
	"spikingir/runtime/ops"
)

// oneOfEach is a published network of every kind: the ones for slow tests.
var oneOfEach = []string{"aod_boyiliee_op11", "dncnn_s25_bn_op16", "fsrcnn_x2_op11", "vdsr_twt_op16"}

// TestRealModels converts the published networks; where tests are slow, one of
// each kind, and the large ones on a small part of the image.
func TestRealModels(t *testing.T) {
	dir := os.Getenv("SPIKINGIR_DATA")
	if dir == "" {
		t.Skip("SPIKINGIR_DATA is not set: it names the folder of the published models")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "models", "*.onnx"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no models in %s (%v)", dir, err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".onnx")
		t.Run(name, func(t *testing.T) {
			if slow() && !slices.Contains(oneOfEach, name) {
				t.Skip("one network of each kind is converted in short tests and by kernels in plain Go")
			}
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			in, err := os.ReadFile(filepath.Join(dir, "vectors", name+".in.npy"))
			if err != nil {
				t.Fatal(err)
			}
			x := array(t, in)
			if slow() && len(data) > 1<<20 {
				x = corner(x, 8)
			}
			checkConversions(t, data, x)
		})
	}
}

// corner is the upper left n x n pixels.
func corner(x *ops.Tensor, n int) *ops.Tensor {
	y := ops.NewTensor(x.DType, []int{x.Dims[0], x.Dims[1], n, n})
	for i := range x.Dims[0] * x.Dims[1] * n {
		copy(y.F32[i*n:][:n], x.F32[(i/n*x.Dims[2]+i%n)*x.Dims[3]:])
	}
	return y
}

// checkConversions holds what each recipe makes of a network to the network.
func checkConversions(t *testing.T, data []byte, x *ops.Tensor) {
	t.Helper()
	want := run(t, decode(t, data), x)[0]
	rates := map[string]float64{}
	for _, recipe := range first {
		m := decode(t, data)
		s := recipes.Defaults()
		convert(t, m, recipe, s, x)
		checkFacts(t, m, s)
		checkProvenance(t, data, m)
		rates[recipe] = agreement(t, run(t, m, x)[0], want)
	}
	t.Logf("agreement at T = 10: %v", rates)
	if !(rates["spikingir"] >= 17 && rates["spikingir"] > rates["rueckauer"]) {
		t.Errorf("agreement %v dB, want spikingir above 17 and above rueckauer", rates)
	}
}
