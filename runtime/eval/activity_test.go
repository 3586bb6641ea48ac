package eval

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"spikingir/runtime/dataset"
	"spikingir/runtime/exec"
)

// threeChannels fires, on white pixels, at each step, never, and at every other step; and on
// black ones never.
const threeChannels = `g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float[3,1,1,1] w1 = {1, -1, 0.5}, float theta = {1}, float[1,3,1,1] w2 = {1, 1, 1}>
{
  [first] c = Conv(x, w1)
  e = ai.spikingir.Encode <timesteps = 4> (c)
  [neurons] y = ai.spikingir.IF <timesteps = 4> (e, , theta)
  r = ai.spikingir.Decode <timesteps = 4> (y)
  [last] o = Conv(r, w2)
}`

// TestActivityByHand counts spikes, neurons and channels on images of white and of two
// white pixels.
func TestActivityByHand(t *testing.T) {
	var calls []int
	measure := func(set *dataset.Set) Activity {
		t.Helper()
		all, err := MeasureActivity(t.Context(), program(t, threeChannels, exec.Options{}), Ports{Input: "x"}, set,
			func(done, total int) { calls = append(calls, done, total) })
		if err != nil || len(all) != 1 {
			t.Fatalf("%d layers, %v", len(all), err)
		}
		return all[0]
	}
	approx := cmpopts.EquateApprox(1e-12, 0)
	want := Activity{Node: "neurons", Origin: "neurons", Neuron: "IF", Images: 1, FiringRate: 0.5, Silent: 1. / 3, Saturated: 1. / 3,
		Channels: 3, SilentChannels: []int{1}, SaturatedChannels: []int{0}}
	if d := cmp.Diff(want, measure(whites(t, 1)), approx); d != "" {
		t.Errorf("white (-by hand +got):\n%s", d)
	}
	const pixels = side * side
	want = Activity{Node: "neurons", Origin: "neurons", Neuron: "IF", Images: 1, FiringRate: 1.5 * 2 / (3 * pixels), Silent: 1 - 4./(3*pixels),
		Saturated: 2. / (3 * pixels), Channels: 3, SilentChannels: []int{1}, SaturatedChannels: []int{}}
	if d := cmp.Diff(want, measure(fewSpikes(t)), approx); d != "" {
		t.Errorf("dots (-by hand +got):\n%s", d)
	}
	if d := cmp.Diff([]int{1, 1, 1, 1}, calls); d != "" {
		t.Errorf("progress (-want +got):\n%s", d)
	}
}

// whites is n white images.
func whites(t *testing.T, n int) *dataset.Set {
	t.Helper()
	dir := t.TempDir()
	m := dataset.NewImage(1, side, side)
	for i := range m.Pix {
		m.Pix[i] = 1
	}
	for i := range n {
		if err := dataset.Write(dir+"/"+string(rune('a'+i))+".png", m); err != nil {
			t.Fatal(err)
		}
	}
	return open(t, dataset.Task{Kind: dataset.None, Channels: 1}, dataset.Dirs{Data: dir})
}

// TestActivityFails gives the error of a run.
func TestActivityFails(t *testing.T) {
	if _, err := MeasureActivity(t.Context(), program(t, threeChannels, exec.Options{}), Ports{Input: "z"}, whites(t, 1), nil); err == nil {
		t.Error("a model without the input runs")
	}
}
