package eval

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"spikingir/onnxio"
	"spikingir/runtime/dataset"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/metric"
)

// TestPublishedFigures holds eval to what PyTorch measures for the real ANNs,
// within 0.03 dB (noise differs by the generator).
func TestPublishedFigures(t *testing.T) {
	dir := os.Getenv("SPIKINGIR_DATA")
	if dir == "" {
		t.Skip("SPIKINGIR_DATA is unset: no real models and images to test")
	}
	if testing.Short() || machine.Selected("float32") == "generic" {
		t.Skip("measures whole data sets, which takes minutes even by kernels in assembly")
	}
	sr := func(scale int, input string) dataset.Task {
		return dataset.Task{Kind: dataset.SR, Scale: scale, Input: input}
	}
	noise := func(sigma float64) dataset.Task {
		return dataset.Task{Kind: dataset.Denoise, Sigma: sigma, Channels: 1}
	}
	for _, c := range []struct {
		model, set string
		task       dataset.Task
		psnr, ssim float64
		input      float64 // PSNR of the network's input, 0 when not known
	}{
		{"dncnn_s15_bn_op11", "Set12", noise(15), 32.841, 0.9024, 0},
		{"dncnn_s25_bn_op16", "Set12", noise(25), 30.408, 0.8613, 0},
		{"dncnn_s50_bn_op11", "Set12", noise(50), 27.160, 0.7818, 0},
		{"vdsr_twt_op16", "Set5", sr(2, dataset.Bicubic), 37.589, 0.9591, 33.661},
		{"vdsr_twt_op16", "Set5", sr(4, dataset.Bicubic), 31.434, 0.8849, 28.421},
		{"fsrcnn_x2_op11", "Set5", sr(2, dataset.LowRes), 37.046, 0.9554, 0},
	} {
		t.Run(c.model+" "+c.task.String(), func(t *testing.T) {
			r := measure(t, dir, c.model, c.set, c.task)
			if d := float64(r.Model.PSNR) - c.psnr; math.Abs(d) > 0.03 {
				t.Errorf("PSNR %.3f dB, want %.3f", float64(r.Model.PSNR), c.psnr)
			}
			if d := r.Model.SSIM - c.ssim; math.Abs(d) > 0.0015 {
				t.Errorf("SSIM %.4f, want %.4f", r.Model.SSIM, c.ssim)
			}
			if c.input > 0 && math.Abs(float64(r.Input.PSNR)-c.input) > 0.03 {
				t.Errorf("input PSNR %.3f dB, want %.3f", float64(r.Input.PSNR), c.input)
			}
			t.Logf("PSNR %.3f dB, SSIM %.4f, %.3f mJ", float64(r.Model.PSNR), r.Model.SSIM, r.Energy.ModelMJ)
		})
	}
}

func measure(t *testing.T, dir, model, set string, task dataset.Task) *Report {
	t.Helper()
	m, err := onnxio.ReadFile(filepath.Join(dir, "models", model+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	ports, err := PortsOf(m.Graph)
	if err != nil {
		t.Fatal(err)
	}
	pool := machine.NewPool(0)
	defer pool.Close()
	p, err := exec.Compile(m, exec.Options{Pool: pool})
	if err != nil {
		t.Fatal(err)
	}
	s, err := dataset.Open(task, dataset.Dirs{Data: filepath.Join(dir, "images", set)}, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(t.Context(), Config{Model: p, Ports: ports, Set: s, Window: metric.Gaussian,
		Energy: metric.EnergyOptions{Mode: metric.Paper, FirstLayer: metric.Once}})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
