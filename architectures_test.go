package spikingir_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/passes"
	"spikingir/passes/recipes"
	"spikingir/passes/splitregions"
	"spikingir/runtime/dataset"
)

// architecture is a small version of a published network, as fixtures/gen/architectures.py
// trained, exported and described it.
type architecture struct {
	Name, Title, Source, Kind string
	Parameters                int
	Sigma                     *float64 // the second input
	SHA256                    string
	Probe                     struct {
		Shape  []int
		Values []float64
	}
}

const architecturesDir = "fixtures/architectures"

// refusedArchitectures are those of which nothing can be converted, with what the error says.
var refusedArchitectures = map[string]string{
	"espcn-tanh": "2 Tanh",
	"nafnet":     "of two results",
}

// shortArchitectures are those that -short converts: of each kind of structure one.
var shortArchitectures = []string{"espcn-tanh", "ffdnet", "imdn", "nafnet", "rcan", "srvgg", "unet", "zerodce"}

// TestArchitectures holds that each network of the list computes what PyTorch does, and is
// converted or refused as docs/architectures.md says: at T = 256 one that is converted
// agrees with its ANN by 40 dB or more, in lock-step and with two phases, on an image of odd
// sizes. UPDATE=1 writes the page, for which all of them must run.
func TestArchitectures(t *testing.T) {
	var list []architecture
	data, err := os.ReadFile(filepath.Join(architecturesDir, "list.json"))
	if err == nil {
		err = json.Unmarshal(data, &list)
	}
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(architecturesDir, "*.onnx"))
	if err != nil || len(files) != len(list) {
		t.Errorf("%d files and %d entries of the list (%v)", len(files), len(list), err)
	}
	var mu sync.Mutex
	rows := map[string]string{}
	for _, a := range list {
		if testing.Short() && !slices.Contains(shortArchitectures, a.Name) {
			continue
		}
		t.Run(a.Name, func(t *testing.T) {
			t.Parallel()
			row := a.examine(t)
			mu.Lock()
			defer mu.Unlock()
			rows[a.Name] = row
		})
	}
	t.Cleanup(func() { architecturesDoc(t, list, rows) })
}

// examine checks a network and gives its row of the table.
func (a architecture) examine(t *testing.T) string {
	data, err := os.ReadFile(filepath.Join(architecturesDir, a.Name+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	if hash := fmt.Sprintf("%x", sha256.Sum256(data)); hash != a.SHA256 || len(data) > 100_000 {
		t.Errorf("%d bytes with the hash %s, want at most 100,000 with %s", len(data), hash, a.SHA256)
	}
	ann := a.open(t, a.read(t))
	defer ann.Close()
	a.checkProbe(t, ann)
	first := spikingNetwork{Model: a.read(t), recipe: "spikingir"}
	var whole error
	first.Conversion, whole = a.convert(first.Model, first.recipe, splitregions.Refuse, recipes.KeepCurrents)
	if want, refused := refusedArchitectures[a.Name]; refused {
		if whole == nil || !strings.Contains(whole.Error(), want) {
			t.Fatalf("error %v, want one that says %q", whole, want)
		}
		_, why, _ := strings.Cut(whole.Error(), "; the network ")
		why, _, _ = strings.Cut(why, ": train it")
		return a.row("no: it "+why, "", "", "", "", "", "")
	}
	x := a.input(t)
	want, err := ann.Run(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	cells := []string{converts(t, whole)}
	var agree []string
	for i, recipe := range []string{"spikingir", "two-phase"} {
		snn := first
		if i > 0 || whole != nil {
			snn = a.spiking(t, recipe, recipes.KeepCurrents)
		}
		if i == 0 {
			cells = append(cells, percent(1-snn.SpikeShare-snn.CurrentShare), percent(snn.CurrentShare))
		}
		agree = append(agree, a.agreement(t, ann, snn, x, want[0]))
		if snn.CurrentShare == 0 {
			agree = append(agree, "")
			continue
		}
		snn = a.spiking(t, recipe, recipes.SpikeCurrents)
		if snn.CurrentShare != 0 {
			t.Errorf("%s: %g of the work still reads currents", recipe, snn.CurrentShare)
		}
		agree = append(agree, a.agreement(t, ann, snn, x, want[0]))
	}
	return a.row(append(cells, agree...)...)
}

// spikingNetwork is a network that was converted.
type spikingNetwork struct {
	*spikingir.Model
	*spikingir.Conversion
	recipe string
}

// spiking converts the network.
func (a architecture) spiking(t *testing.T, recipe string, currents recipes.Currents) spikingNetwork {
	t.Helper()
	m := a.read(t)
	c, err := a.convert(m, recipe, splitregions.Keep, currents)
	if err != nil {
		t.Fatal(err)
	}
	return spikingNetwork{m, c, recipe}
}

// agreement demands that a converted network agrees with its ANN, whose output is want,
// and says how well, in dB.
func (a architecture) agreement(t *testing.T, ann *spikingir.Network, snn spikingNetwork, x, want *spikingir.Tensor) string {
	t.Helper()
	net := a.open(t, snn.Model)
	defer net.Close()
	got, err := net.Run(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	if strings.HasPrefix(a.Kind, "denoise") && snn.recipe == "spikingir" {
		a.checkEnergy(t, net, ann, snn.Conversion)
	}
	db := agreementOf(t, got[0], want)
	if !(db >= 40) {
		t.Errorf("%s, %g of the work reads currents: the agreement with the ANN is %.2f dB, want 40", snn.recipe, snn.CurrentShare, db)
	}
	return fmt.Sprintf("%.1f", db)
}

func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// converts says how a network is converted, of the error where nothing may stay analog.
func converts(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return "yes"
	}
	var refused *passes.Unsupported
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	var kinds []string
	for _, r := range refused.Refusals {
		kinds = append(kinds, r.Op)
	}
	slices.Sort(kinds)
	return "`--analog keep`: " + strings.Join(slices.Compact(kinds), ", ")
}

func (a architecture) read(t *testing.T) *spikingir.Model {
	t.Helper()
	m, err := spikingir.Read(filepath.Join(architecturesDir, a.Name+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func (a architecture) open(t *testing.T, m *spikingir.Model) *spikingir.Network {
	t.Helper()
	net, err := spikingir.Open(m, spikingir.RunOptions{Inputs: a.feeds(), Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// feeds is what the network takes beside the image.
func (a architecture) feeds() map[string]spikingir.Feed {
	if a.Sigma == nil {
		return nil
	}
	return map[string]spikingir.Feed{"sigma": {Number: *a.Sigma}}
}

// channels is those of the image that the network takes.
func (a architecture) channels() int {
	if slices.Contains([]string{"denoise", "sr", "sr-lowres"}, a.Kind) {
		return 1
	}
	return 3
}

// convert converts a network at T = 256, calibrated on embedded images.
func (a architecture) convert(m *spikingir.Model, recipe string, analog splitregions.Treatment,
	currents recipes.Currents) (*spikingir.Conversion, error) {
	set := fixtures.Calib
	if a.Kind == "dehaze" {
		set = fixtures.CalibHazy
	}
	d, err := a.data(set)
	if err != nil {
		return nil, err
	}
	return spikingir.Convert(context.Background(), m, spikingir.Options{Recipe: recipe, Calibration: d, Inputs: a.feeds(), Threads: 1,
		Settings: spikingir.Settings{Timesteps: 256, Analog: analog, Currents: currents}})
}

// data is a set of embedded images, degraded for the network's task.
func (a architecture) data(set string) (d spikingir.Data, err error) {
	files, err := fixtures.Images(set)
	if err != nil {
		return d, err
	}
	for _, f := range files {
		m, err := dataset.Decode(bytes.NewReader(f.Data))
		if err != nil {
			return d, err
		}
		if a.Kind == "dark" {
			for i := range m.Pix {
				m.Pix[i] *= 0.4
			}
		}
		d.Images = append(d.Images, m)
	}
	switch a.Kind {
	case "denoise", "denoise-rgb":
		d.Task = spikingir.Task{Kind: spikingir.Denoise, Sigma: 25}
	case "sr":
		d.Task = spikingir.Task{Kind: spikingir.SR, Scale: 2}
	}
	return d, nil
}

// input is a part of a held-out image, of odd sizes.
func (a architecture) input(t *testing.T) *spikingir.Tensor {
	t.Helper()
	set := fixtures.Clean
	if a.Kind == "dehaze" {
		set = fixtures.Hazy
	}
	d, err := a.data(set)
	if err != nil {
		t.Fatal(err)
	}
	for i := range d.Images {
		if d.Images[i], err = d.Images[i].Crop(40, 30, 41, 51); err != nil {
			t.Fatal(err)
		}
	}
	samples, err := d.Samples(a.channels())
	if err != nil {
		t.Fatal(err)
	}
	s, err := samples.At(0)
	if err != nil {
		t.Fatal(err)
	}
	m := s.Input
	switch {
	case a.channels() == 1 && m.C == 3:
		m = m.Gray()
	case m.C != a.channels():
		t.Fatalf("an image of %d channels, want %d", m.C, a.channels())
	}
	return spikingir.ImageTensor(m)
}

// checkProbe compares what the ANN computes of an image that is a formula with PyTorch.
func (a architecture) checkProbe(t *testing.T, ann *spikingir.Network) {
	t.Helper()
	const h, w = 17, 23
	x := make([]float32, a.channels()*h*w)
	for i := range x {
		x[i] = float32((7*(i/(h*w))+5*(i/w%h)+3*(i%w))%16) / 16
	}
	out, err := ann.Run(context.Background(), spikingir.NewTensor(x, 1, a.channels(), h, w))
	if err != nil {
		t.Fatal(err)
	}
	y := out[0]
	if d := cmp.Diff(a.Probe.Shape, y.Dims); d != "" {
		t.Fatalf("shape (-PyTorch +here):\n%s", d)
	}
	for i, want := range a.Probe.Values {
		if got := float64(y.F32[i*(len(y.F32)/len(a.Probe.Values))]); !(math.Abs(got-want) < 2e-5) {
			t.Errorf("value %d of the probe is %.6f, in PyTorch %.5f", i, got, want)
		}
	}
}

// agreementOf is the PSNR between two images of range 1, in dB.
func agreementOf(t *testing.T, a, b *spikingir.Tensor) float64 {
	t.Helper()
	if d := cmp.Diff(a.Dims, b.Dims); d != "" {
		t.Fatalf("shapes (-SNN +ANN):\n%s", d)
	}
	sum := 0.0
	for i, x := range a.F32 {
		d := float64(x) - float64(b.F32[i])
		sum += d * d
	}
	return -10 * math.Log10(sum/float64(len(a.F32)))
}

// checkEnergy demands that an evaluation charges the analog share of the work as the ANN
// does, and what reads currents at every step.
func (a architecture) checkEnergy(t *testing.T, net, ann *spikingir.Network, c *spikingir.Conversion) {
	t.Helper()
	d, err := a.data(fixtures.Clean)
	if err != nil {
		t.Fatal(err)
	}
	d.Limit = 1
	d.Images[0], err = d.Images[0].Crop(16, 16, 40, 40)
	if err != nil {
		t.Fatal(err)
	}
	reports, err := spikingir.Evaluate(context.Background(), net, d, spikingir.EvaluateOptions{Reference: ann})
	if err != nil {
		t.Fatal(err)
	}
	r := reports[len(reports)-1]
	if math.Abs(r.SpikeShare-c.SpikeShare) > 0.02 || math.Abs(r.CurrentShare-c.CurrentShare) > 0.02 {
		t.Errorf("evaluation finds %.3f of the work driven by spikes and %.3f by currents, conversion %.3f and %.3f",
			r.SpikeShare, r.CurrentShare, c.SpikeShare, c.CurrentShare)
	}
	least := (1 - r.SpikeShare - r.CurrentShare + float64(c.Timesteps)*r.CurrentShare) * *r.Energy.RefMJ
	if !(r.Energy.ModelMJ > 0.99*least) {
		t.Errorf("%.4f mJ, want more than %.4f, what is not driven by spikes alone", r.Energy.ModelMJ, least)
	}
}
