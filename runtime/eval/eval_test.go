package eval

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"spikingir/graph"
	"spikingir/onnxio/text"
	"spikingir/runtime/dataset"
	"spikingir/runtime/exec"
	"spikingir/runtime/metric"
)

// parse reads a model in the textual syntax.
func parse(t *testing.T, src string) *graph.Model {
	t.Helper()
	m, err := text.Parse(`<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 1]>` + "\n" + src)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func program(t *testing.T, src string, o exec.Options) *exec.Program {
	t.Helper()
	p, err := exec.Compile(parse(t, src), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// folder writes gray images of random 8-bit pixels, [h, w] each, as a.png, b.png...
func folder(t *testing.T, seed uint64, sizes ...[2]int) string {
	t.Helper()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(seed, 1))
	for i, s := range sizes {
		m := dataset.NewImage(1, s[0], s[1])
		for k := range m.Pix {
			m.Pix[k] = float32(r.IntN(256)) / 255
		}
		if err := dataset.Write(filepath.Join(dir, string(rune('a'+i))+".png"), m); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, task dataset.Task, dirs dataset.Dirs) *dataset.Set {
	t.Helper()
	set, err := dataset.Open(task, dirs, 0, 7)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// pairs is a task of two folders of other images of the same sizes.
func pairs(t *testing.T, sizes ...[2]int) *dataset.Set {
	t.Helper()
	return open(t, dataset.Task{Kind: dataset.Pairs},
		dataset.Dirs{Input: folder(t, 1, sizes...), Target: folder(t, 2, sizes...)})
}

func measured(t *testing.T, c Config) *Report {
	t.Helper()
	c.Ports.Input, c.RefPorts.Input = "x", "x"
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const identity = `g (float[N,1,H,W] x) => (float[N,1,H,W] y)
<float[1,1,1,1] one = {1}>
{ [id] y = Conv(x, one) }`

// TestIdentity measures an ANN that changes nothing: its quality is its input's,
// on images of several sizes.
func TestIdentity(t *testing.T) {
	sizes := [][2]int{{12, 16}, {20, 13}}
	set := pairs(t, sizes...)
	var calls []int
	r := measured(t, Config{Model: program(t, identity, exec.Options{}), Set: set,
		Energy:   metric.EnergyOptions{Mode: metric.Paper, FirstLayer: metric.Once},
		Progress: func(done, total int) { calls = append(calls, done, total) }})
	var all []metric.Quality
	for i := range set.Len() {
		s, err := set.At(i)
		if err != nil {
			t.Fatal(err)
		}
		q, err := metric.Score(s.Input, s.Target, metric.ScoreOptions{Clip: true})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, q)
	}
	mean, err := metric.MeanQuality(all)
	if err != nil {
		t.Fatal(err)
	}
	macs := float64(12*16+20*13) / 2
	want := &Report{
		Images: 2, Input: quality(mean), Model: quality(mean), Layers: []Layer{},
		Energy: Energy{Mode: metric.Paper, First: metric.Once, ModelMJ: metric.EnergyMAC * macs * 1e-9},
		PerImage: []ImageReport{{Name: "a.png", Model: quality(all[0])},
			{Name: "b.png", Model: quality(all[1])}},
		Findings: Findings{Poor: "it is no better than its input: PSNR 8.00 dB, the input has 8.00 dB"},
		Pixels:   macs, // one for each
	}
	if r.Seconds <= 0 {
		t.Errorf("%g seconds per image", r.Seconds)
	}
	r.Seconds = 0
	if d := cmp.Diff(want, r, cmpopts.EquateApprox(1e-12, 0)); d != "" {
		t.Errorf("report (-want +got):\n%s", d)
	}
	if !slices.Equal(calls, []int{1, 2, 2, 2}) {
		t.Errorf("progress %v, want 1 of 2 and 2 of 2", calls)
	}
}

// TestSuperResolution measures an input smaller than its target: no quality of
// the input, outputs rounded to 8 bit, a border left out.
func TestSuperResolution(t *testing.T) {
	const nearest = `g (float[N,1,H,W] x) => (float[N,1,H2,W2] y)
<float[4] scales = {1, 1, 2, 2}, float[1,1,1,1] w = {1}>
{
  u = Resize <mode = "nearest"> (x, "", scales)
  y = Conv(u, w)
}`
	set := open(t, dataset.Task{Kind: dataset.SR, Scale: 2, Input: dataset.LowRes},
		dataset.Dirs{Data: folder(t, 3, [2]int{24, 26})})
	r := measured(t, Config{Model: program(t, nearest, exec.Options{}), Set: set})
	s, err := set.At(0)
	if err != nil {
		t.Fatal(err)
	}
	out, err := restore(t.Context(), program(t, nearest, exec.Options{}), "x", s.Input)
	if err != nil {
		t.Fatal(err)
	}
	q, err := metric.Score(out, s.Target, metric.ScoreOptions{Shave: 2, Quantize8: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.Model != quality(q) || r.Input != (Quality{}) {
		t.Errorf("model %+v, input %+v, want %+v and none", r.Model, r.Input, q)
	}
}

// TestSelfAgreement compares a model with itself: an agreement of +Inf dB, "inf"
// in JSON, a conversion rate of 100 % and nothing saved.
func TestSelfAgreement(t *testing.T) {
	p := program(t, identity, exec.Options{})
	r := measured(t, Config{Model: p, Ref: p, Set: pairs(t, [2]int{12, 12}),
		Energy: metric.EnergyOptions{Mode: metric.Exact}})
	same := cmp.Equal(metric.Rate{PSNR: 100, SSIM: 100, Mean: 100}, *r.Rate, cmpopts.EquateApprox(1e-12, 0))
	if !math.IsInf(float64(r.Agreement.PSNR), 1) || !same || *r.Ref != r.Model {
		t.Errorf("agreement %v, rate %+v, reference %+v", r.Agreement.PSNR, *r.Rate, *r.Ref)
	}
	if *r.Energy.RefMJ != r.Energy.ModelMJ || *r.Energy.SavingPC != 0 {
		t.Errorf("energies %g and %g, saving %g", r.Energy.ModelMJ, *r.Energy.RefMJ, *r.Energy.SavingPC)
	}
	b, err := json.Marshal(r)
	if err != nil || !strings.Contains(string(b), `"agreement":{"psnr":"inf"}`) {
		t.Errorf("JSON %s, %v", b, err)
	}
}

// TestContract holds the keys that the command line promises, with and without
// a reference.
func TestContract(t *testing.T) {
	c := Config{Model: program(t, spiking, exec.Options{}), Set: pairs(t, [2]int{12, 12})}
	with := c
	with.Ref = program(t, identity, exec.Options{})
	for name, r := range map[string]*Report{"alone": measured(t, c), "with a reference": measured(t, with)} {
		b, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal(b, &got); err != nil {
			t.Fatal(err)
		}
		keys := []string{"images", "timesteps", "model.psnr", "model.ssim", "firing_rate",
			"energy.model_mj", "seconds_per_image", "layers"}
		more := []string{"ref.psnr", "ref.ssim", "rate.psnr", "rate.ssim", "rate.mean", "agreement.psnr",
			"energy.ref_mj"}
		if name == "alone" {
			for _, key := range more {
				if present(got, key) {
					t.Errorf("%s: key %s in %s", name, key, b)
				}
			}
			more = nil
		}
		for _, key := range append(keys, more...) {
			if !present(got, key) {
				t.Errorf("%s: no key %s in %s", name, key, b)
			}
		}
	}
}

// present looks up a dotted key.
func present(object map[string]any, key string) bool {
	head, tail, nested := strings.Cut(key, ".")
	v, ok := object[head]
	if !ok || !nested {
		return ok
	}
	inner, ok := v.(map[string]any)
	return ok && present(inner, tail)
}

// TestTimesteps holds that one run for several T reports what runs of their
// own do.
func TestTimesteps(t *testing.T) {
	c := Config{Ref: program(t, identity, exec.Options{}), Ports: Ports{Input: "x"}, RefPorts: Ports{Input: "x"},
		Set: pairs(t, [2]int{12, 14}, [2]int{11, 17}), Energy: metric.EnergyOptions{Mode: metric.Exact}}
	several := []int{2, 3, 8}
	c.Model = program(t, spiking, exec.Options{Timesteps: several})
	all, err := RunAll(t.Context(), c)
	if err != nil || len(all) != len(several) {
		t.Fatalf("%d reports, %v", len(all), err)
	}
	last, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	ignore := cmpopts.IgnoreFields(Report{}, "Seconds")
	if d := cmp.Diff(all[2], last, ignore); d != "" {
		t.Errorf("Run is not the last of several (-want +got):\n%s", d)
	}
	for i, steps := range several {
		c.Model = program(t, spiking, exec.Options{Timesteps: []int{steps}})
		if d := cmp.Diff(measured(t, c), all[i], ignore); d != "" {
			t.Errorf("T = %d: a run of its own differs (-own +one of several):\n%s", steps, d)
		}
		if all[i].Timesteps != steps {
			t.Errorf("T = %d is reported as %d", steps, all[i].Timesteps)
		}
	}
}

// TestCrop measures the central part only, as if the images had been cut before.
func TestCrop(t *testing.T) {
	dirs := dataset.Dirs{Input: folder(t, 1, [2]int{20, 31}), Target: folder(t, 2, [2]int{20, 31})}
	cut := dataset.Dirs{Input: t.TempDir(), Target: t.TempDir()}
	for _, d := range [][2]string{{dirs.Input, cut.Input}, {dirs.Target, cut.Target}} {
		m, err := dataset.Read(filepath.Join(d[0], "a.png"))
		if err != nil {
			t.Fatal(err)
		}
		if m, err = m.Crop(3, 8, 14, 14); err != nil {
			t.Fatal(err)
		}
		if err := dataset.Write(filepath.Join(d[1], "a.png"), m); err != nil {
			t.Fatal(err)
		}
	}
	task := dataset.Task{Kind: dataset.Pairs}
	c := Config{Model: program(t, spiking, exec.Options{})}
	c.Set = open(t, task, cut)
	want := measured(t, c)
	c.Set, c.Crop = open(t, task, dirs), 14
	ignore := cmpopts.IgnoreFields(Report{}, "Seconds")
	if d := cmp.Diff(want, measured(t, c), ignore); d != "" {
		t.Errorf("(-cut before +cut by eval):\n%s", d)
	}
	c.Crop = 0
	whole := measured(t, c)
	c.Crop = 100
	if d := cmp.Diff(whole, measured(t, c), ignore); d != "" {
		t.Errorf("a crop larger than the image (-whole +got):\n%s", d)
	}
}

// TestCropSmall cuts an input and what belongs to it of a larger target.
func TestCropSmall(t *testing.T) {
	task := dataset.Task{Kind: dataset.SR, Scale: 2, Input: dataset.LowRes}
	c := Config{Set: open(t, task, dataset.Dirs{Data: folder(t, 1, [2]int{24, 32})}), Crop: 6}
	s, err := c.Set.At(0)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.cropped(s)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []struct {
		name            string
		whole, got      dataset.Image
		y, x, size, all int
	}{{"input", s.Input, got.Input, 3, 5, 6, 12}, {"target", s.Target, got.Target, 6, 10, 12, 24}} {
		want, err := p.whole.Crop(p.y, p.x, p.size, p.size)
		if err != nil || p.whole.H != p.all {
			t.Fatal(p.name, p.whole.H, err)
		}
		if d := cmp.Diff(want, p.got); d != "" {
			t.Errorf("%s (-want +got):\n%s", p.name, d)
		}
	}
	s.Target = dataset.NewImage(1, 30, 40)
	if _, err := c.cropped(s); err == nil || !strings.Contains(err.Error(), "wants the same size, or a multiple") {
		t.Errorf("a target of no multiple: %v", err)
	}
	c.Blind = true
	if got, err = c.cropped(dataset.Sample{Input: s.Input}); err != nil || got.Input.H != 6 {
		t.Errorf("without a target: %v, %d rows", err, got.Input.H)
	}
}

// TestRefuses holds the errors of evaluations that make no sense.
func TestRefuses(t *testing.T) {
	const half = `g (float[N,1,H,W] x) => (float[N,1,H2,W2] y)
<float[1,1,1,1] w = {1}>
{ y = Conv <strides = [2, 2]> (x, w) }`
	const two = `g (float[N,1,H,W] x) => (float[N,2,H,W] y)
<float[2,1,1,1] w = {1, 1}>
{ y = Conv(x, w) }`
	dir := folder(t, 1, [2]int{12, 12})
	set := pairs(t, [2]int{12, 12})
	id, snn := program(t, identity, exec.Options{}), program(t, spiking, exec.Options{})
	for _, c := range []struct {
		name   string
		config Config
		want   string
	}{
		{"task none", Config{Model: id, Set: open(t, dataset.Task{Kind: dataset.None}, dataset.Dirs{Data: dir})},
			"task none has no ground truth to measure against"},
		{"another size", Config{Model: program(t, half, exec.Options{}), Set: set},
			`image "a.png": output has shape [1,6,6] and its target [1,12,12]`},
		{"a reference of another size", Config{Model: snn, Ref: program(t, half, exec.Options{}), Set: set},
			`image "a.png": reference: output has shape [1,6,6] and its target [1,12,12]`},
		{"two channels", Config{Model: program(t, two, exec.Options{}), Set: set}, "output of 2 channels, want 1"},
		{"unknown mode", Config{Model: id, Set: set, Energy: metric.EnergyOptions{Mode: "joules"}},
			`unknown mode "joules"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.config.Ports.Input, c.config.RefPorts.Input = "x", "x"
			_, err := Run(t.Context(), c.config)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestStops between two images: by the context, and at a file that is no image.
func TestStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	c := Config{Model: program(t, identity, exec.Options{}), Ports: Ports{Input: "x"}, Set: pairs(t, [2]int{12, 12}, [2]int{12, 12}),
		Progress: func(int, int) { cancel() }}
	if _, err := Run(ctx, c); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	dir := folder(t, 1, [2]int{12, 12})
	if err := os.WriteFile(filepath.Join(dir, "z.png"), []byte("no image"), 0o644); err != nil {
		t.Fatal(err)
	}
	c.Set = open(t, dataset.Task{Kind: dataset.Denoise, Sigma: 10}, dataset.Dirs{Data: dir})
	if _, err := Run(t.Context(), c); err == nil || !strings.Contains(err.Error(), "z.png") {
		t.Errorf("error %v, want one that names the file", err)
	}
}
