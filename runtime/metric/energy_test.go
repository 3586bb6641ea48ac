package metric

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"spikingir/runtime/dataset"
)

func TestConvOpsAgainstTorch(t *testing.T) {
	for i, v := range readVectors(t).Conv {
		s := ConvShape{Cin: v.Cin, Cout: v.Cout, Group: v.Group, KernelH: v.K[0], KernelW: v.K[1],
			InH: v.Size[0], InW: v.Size[1], StrideH: v.Stride[0], StrideW: v.Stride[1],
			DilationH: v.Dil[0], DilationW: v.Dil[1],
			PadT: v.Pad[0], PadB: v.Pad[0], PadL: v.Pad[1], PadR: v.Pad[1], Bias: i%2 == 1}
		got, err := s.Ops("conv", FromSpikes)
		if err != nil {
			t.Fatal(err)
		}
		want := LayerOps{Name: "conv", Source: FromSpikes,
			MACs: v.MACs, ExactMACs: v.Exact, Inputs: v.Inputs}
		if s.Bias {
			want.BiasAdds = v.Outputs
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("case %d (-want +got):\n%s", i, diff)
		}
	}
	for _, s := range []ConvShape{
		{Cin: 3, Cout: 4, Group: 2, KernelH: 1, KernelW: 1, InH: 4, InW: 4},
		{Cin: 1, Cout: 1, KernelH: 5, KernelW: 1, InH: 4, InW: 4},
		{Cin: 1, Cout: 1, KernelH: 1, KernelW: 0, InH: 4, InW: 4},
		{Cout: 1, KernelH: 1, KernelW: 1, InH: 4, InW: 4},
	} {
		if _, err := s.Ops("conv7", FromSpikes); err == nil || !strings.Contains(err.Error(), "conv7") {
			t.Errorf("%+v: %v, want an error with the layer's name", s, err)
		}
	}
}

// plain returns a chain of 3x3 convolutions through 64 channels: 1 to 64, depth-2
// times 64 to 64, and 64 to 1, without biases, as DnCNN and VDSR are.
func plain(t *testing.T, depth, h, w int) []LayerOps {
	t.Helper()
	var layers []LayerOps
	for i := range depth {
		s := ConvShape{Cin: 64, Cout: 64, KernelH: 3, KernelW: 3, InH: h, InW: w,
			PadT: 1, PadB: 1, PadL: 1, PadR: 1}
		source := FromSpikes
		if i == 0 {
			s.Cin, source = 1, FromInput
		}
		if i == depth-1 {
			s.Cout = 1
		}
		ops, err := s.Ops("conv", source)
		if err != nil {
			t.Fatal(err)
		}
		layers = append(layers, ops)
	}
	return layers
}

// meanANN averages the energy of the chain over image sizes (height, width).
func meanANN(t *testing.T, depth int, mode Mode, sizes ...[2]int) float64 {
	t.Helper()
	var ops MeanOps
	for _, s := range sizes {
		if err := ops.Add(plain(t, depth, s[0], s[1])); err != nil {
			t.Fatal(err)
		}
	}
	mean, err := ops.Mean()
	if err != nil {
		t.Fatal(err)
	}
	e, err := ANNEnergy(mean, mode)
	if err != nil {
		t.Fatal(err)
	}
	return e.MJ
}

var set5 = [][2]int{{512, 512}, {288, 288}, {256, 256}, {280, 280}, {344, 228}}

// The ANN energies that the SpikingIR paper prints follow from image sizes and
// layer shapes alone.
func TestPaperANNEnergies(t *testing.T) {
	var set12 [][2]int
	for i := range 12 {
		side := 256
		if i >= 7 {
			side = 512
		}
		set12 = append(set12, [2]int{side, side})
	}
	dncnn := (meanANN(t, 17, Paper, set12...) + meanANN(t, 17, Paper, [2]int{321, 481})) / 2
	var cropped [][2]int
	task := dataset.Task{Kind: dataset.SR, Scale: 4, Crop: dataset.Cumulative}
	for _, s := range set5 {
		m, err := task.Prepare(dataset.NewImage(1, s[0], s[1]))
		if err != nil {
			t.Fatal(err)
		}
		cropped = append(cropped, [2]int{m.H, m.W})
	}
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"DnCNN-17, mean of Set12 and BSD68", dncnn, 384.704},
		{"VDSR x2, Set5", meanANN(t, 20, Paper, set5...), 347.015},
		{"VDSR x4, Set5 cropped", meanANN(t, 20, Paper, cropped...), 341.360},
	} {
		if math.Abs(c.got-c.want) > 0.0005 {
			t.Errorf("%s: %.4f mJ, want %.3f", c.name, c.got, c.want)
		}
	}
	if exact := meanANN(t, 20, Exact, set5...); !(exact < 347.015 && exact > 340) {
		t.Errorf("border-aware energy of VDSR x2 is %.3f mJ, want a little below 347.015", exact)
	}
}

func TestSNNEnergyPaper(t *testing.T) {
	layers := []LayerOps{
		{Name: "first", Source: FromInput, MACs: 1e9, BiasAdds: 5, Neurons: 1e6, SpikesOut: 7},
		{Name: "spiking", Source: FromSpikes, MACs: 2e9, Inputs: 1e6, SpikesIn: 4e6, BiasAdds: 5},
		{Name: "cpm", Source: FromSpikes, MACs: 3e9, Inputs: 1e6, SpikesIn: 1e6, SpikingOnly: true},
		{Name: "after", Source: FromAnalog, MACs: 1e8, Muls: 9},
	}
	ann, err := ANNEnergy(layers, Paper)
	if err != nil || !near(ann.MJ, 4.6*3.1, 1e-12) {
		t.Errorf("ann: %g mJ, %v, want %g", ann.MJ, err, 4.6*3.1)
	}
	for first, want := range map[FirstLayer]float64{"": 4.6 + 7.2 + 0.46, Once: 4.6 + 7.2 + 0.46,
		PerStep: 46 + 7.2 + 0.46} {
		snn, err := SNNEnergy(layers, 10, EnergyOptions{FirstLayer: first})
		if err != nil || !near(snn.MJ, want, 1e-12) || snn.Mode != Paper {
			t.Errorf("first layer %q: %+v, %v, want %g mJ", first, snn, err, want)
		}
		sum := 0.0
		for _, l := range snn.Layers {
			sum += l.MJ
		}
		if sum != snn.MJ || len(snn.Layers) != 3 {
			t.Errorf("layers sum to %g of %g mJ: %+v", sum, snn.MJ, snn.Layers)
		}
	}
}

// At 5.11 spikes per input neuron a spike-driven layer costs what its ANN does.
func TestBreakEven(t *testing.T) {
	layers := plain(t, 5, 20, 30)[1:]
	for i := range layers {
		layers[i].SpikesIn = BreakEven * layers[i].Inputs
	}
	ann, err := ANNEnergy(layers, Paper)
	if err != nil {
		t.Fatal(err)
	}
	snn, err := SNNEnergy(layers, 10, EnergyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	saving, err := Saving(ann, snn)
	if err != nil || !near(saving, 0, 1e-9) {
		t.Errorf("saving %g per cent, %v, want 0", saving, err)
	}
	for i := range layers {
		layers[i].SpikesIn /= 2
	}
	if snn, err = SNNEnergy(layers, 10, EnergyOptions{}); err != nil {
		t.Fatal(err)
	}
	if saving, err = Saving(ann, snn); err != nil || !near(saving, 50, 1e-9) {
		t.Errorf("saving %g per cent, %v, want 50", saving, err)
	}
}

func TestSNNEnergyExact(t *testing.T) {
	approx := cmpopts.EquateApprox(1e-12, 0)
	layers := []LayerOps{
		{Name: "first", Source: FromInput, MACs: 1000, ExactMACs: 900, BiasAdds: 50, Neurons: 50,
			SpikesOut: 120, PostStep: true},
		{Name: "mean", Source: FromSpikes, MACs: 1000, ExactMACs: 900, BiasAdds: 20, Inputs: 50,
			SpikesIn: 120, Neurons: 20, SpikesOut: 30},
		{Name: "counted", Source: FromSpikes, ExactMACs: 900, Inputs: 20, SpikesIn: 30, SynOps: 77},
		{Name: "cpm", Source: FromSpikes, ExactMACs: 60, Inputs: 20, SpikesIn: 30,
			SpikingOnly: true, Muls: 4},
		{Name: "skip", Source: FromAnalog, Adds: 20, Muls: 3},
	}
	got, err := SNNEnergy(layers, 4, EnergyOptions{Mode: Exact})
	if err != nil {
		t.Fatal(err)
	}
	want := []LayerEnergy{
		{Name: "first", MACs: 900, ACs: 50 + 50*5 + 120},
		{Name: "mean", ACs: 120*18 + 20*4 + 20*4 + 30},
		{Name: "counted", ACs: 77},
		{Name: "cpm", ACs: 30 * 3, Mul: 4},
		{Name: "skip", ACs: 20, Mul: 3},
	}
	total := 0.0
	for i := range want {
		want[i].MJ = (4.6*want[i].MACs + 0.9*want[i].ACs + 3.7*want[i].Mul) * 1e-9
		total += want[i].MJ
	}
	if diff := cmp.Diff(Energy{Mode: Exact, MJ: total, Layers: want}, got, approx); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	perStep, err := SNNEnergy(layers[:1], 4, EnergyOptions{Mode: Exact, FirstLayer: PerStep})
	if err != nil {
		t.Fatal(err)
	}
	first := LayerEnergy{Name: "first", MACs: 3600, ACs: 200 + 370}
	first.MJ = (4.6*first.MACs + 0.9*first.ACs) * 1e-9
	if diff := cmp.Diff([]LayerEnergy{first}, perStep.Layers, approx); diff != "" {
		t.Errorf("first layer at each step (-want +got):\n%s", diff)
	}
	ann, err := ANNEnergy(layers, Exact)
	if err != nil || !near(ann.MJ, (4.6*2700+0.9*90+3.7*3)*1e-9, 1e-18) {
		t.Errorf("ann: %+v, %v", ann, err)
	}
}

func TestEnergyErrors(t *testing.T) {
	good := LayerOps{Name: "conv3", Source: FromSpikes, MACs: 1, Inputs: 1}
	with := func(edit func(*LayerOps)) []LayerOps {
		l := good
		edit(&l)
		return []LayerOps{good, l}
	}
	for _, c := range []struct {
		layers []LayerOps
		steps  int
		opt    EnergyOptions
		want   string
	}{
		{nil, 1, EnergyOptions{}, "no layers"},
		{[]LayerOps{good}, 0, EnergyOptions{}, "0 timesteps"},
		{[]LayerOps{good}, 1, EnergyOptions{Mode: "rough"}, `unknown mode "rough"`},
		{[]LayerOps{good}, 1, EnergyOptions{FirstLayer: "never"}, `first layer "never"`},
		{with(func(l *LayerOps) { l.Source = "" }), 1, EnergyOptions{}, `"conv3" is driven by ""`},
		{with(func(l *LayerOps) { l.MACs = math.NaN() }), 1, EnergyOptions{}, `conv3" has a count`},
		{with(func(l *LayerOps) { l.SynOps = -1 }), 1, EnergyOptions{}, `"conv3" has a count of -1`},
		{with(func(l *LayerOps) { l.Inputs, l.SpikesIn = 0, 2 }), 1, EnergyOptions{},
			"2 spikes from no inputs"},
	} {
		_, err := SNNEnergy(c.layers, c.steps, c.opt)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, want %q", err, c.want)
		}
	}
	if _, err := ANNEnergy([]LayerOps{good}, ""); err == nil {
		t.Error("ANNEnergy took an empty mode")
	}
	if _, err := Saving(Energy{Mode: Paper, MJ: 1}, Energy{Mode: Exact, MJ: 1}); err == nil ||
		!strings.Contains(err.Error(), `"paper" (ann) and "exact"`) {
		t.Errorf("mixed modes: %v", err)
	}
	if _, err := Saving(Energy{Mode: Paper}, Energy{Mode: Paper}); err == nil {
		t.Error("a saving of nothing was computed")
	}
}

func TestMeanOps(t *testing.T) {
	a := []LayerOps{{Name: "x", Source: FromSpikes, MACs: 1, SpikesIn: 10, Neurons: 3}}
	b := []LayerOps{{Name: "x", Source: FromSpikes, MACs: 3, SpikesIn: 20, Neurons: 3}}
	mean := func(tables ...[]LayerOps) ([]LayerOps, error) {
		var m MeanOps
		for _, t := range tables {
			if err := m.Add(t); err != nil {
				return nil, err
			}
		}
		return m.Mean()
	}
	got, err := mean(a, b)
	if err != nil {
		t.Fatal(err)
	}
	want := []LayerOps{{Name: "x", Source: FromSpikes, MACs: 2, SpikesIn: 15, Neurons: 3}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if a[0].MACs != 1 {
		t.Error("MeanOps changed its argument")
	}
	for _, bad := range [][][]LayerOps{nil, {a, nil}, {a, {{Name: "y", Source: FromSpikes}}}} {
		if _, err := mean(bad...); err == nil {
			t.Errorf("%v was averaged", bad)
		}
	}
}
