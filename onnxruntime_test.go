package spikingir_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"spikingir"
	"spikingir/graph"
	"spikingir/internal/onnxruntime"
	"spikingir/internal/randommodel"
	"spikingir/onnxio"
	"spikingir/passes"
	"spikingir/passes/recipes"
	"spikingir/passes/settleinitializers"
	"spikingir/passes/splitregions"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
)

// randomNetworks is how many networks are held to ONNX Runtime.
const randomNetworks = 1000

// refusals are what ONNX Runtime 1.30 says of models that it does not run, and why.
var refusals = []string{
	"Could not find an implementation",        // no kernel for float16 or double
	"relu_clip_fusion.cc",                     // its optimiser fails at a Relu before a Clip of other bounds
	"Pad reflect: pre-pad",                    // it mirrors once; the text says nothing of how far
	"Invalid model. Node input 'v5' is not a", // float16 that a branch reads from outside: its casts lose the value
}

// flips is the share of the spiking networks that may compute something else: neurons that all
// fire at every step give the next layer just the sums that its thresholds were taken from, and whether
// they are reached hangs on the order of a sum.
const flips = 0.005

const asANN = "as ANN"

// A trialRun is a model with what we compute.
type trialRun struct {
	name  string
	seed  int
	model *graph.Model
	in    map[string]*graph.Tensor
	ours  []*ops.Tensor
	bound float64 // of the greatest difference, relative to the largest value or 1
}

// TestRandomNetworks holds random networks, and the spiking ones that they are converted to in
// the forms that other runtimes read, to what ONNX Runtime computes of the same files.
func TestRandomNetworks(t *testing.T) {
	modules := os.Getenv(onnxruntime.Variable)
	if modules == "" {
		t.Skipf("%s is not set: make interop sets it", onnxruntime.Variable)
	}
	t.Parallel()
	var all []trialRun
	for i, seed := range randommodel.Seeds(randomNetworks) {
		m := randommodel.Network(seed)
		settle(t, m.Model)
		all = append(all, trialRun{asANN, i, m.Model, m.Inputs, computed(t, m.Model, m.Inputs), rounding(m)})
		if image, alone := m.Image(); alone {
			in := another(m)
			for _, form := range []recipes.Form{recipes.Functions, recipes.Flat, recipes.Unrolled} {
				if s := convertedTo(t, m, image, i, form); s != nil {
					all = append(all, trialRun{string(form), i, s, in, computed(t, s, in), 1e-4})
				}
			}
		}
	}
	cases := make([]onnxruntime.Case, len(all))
	for i, r := range all {
		file, err := onnxio.Encode(r.model)
		if err != nil {
			t.Fatal(err)
		}
		cases[i] = onnxruntime.Case{Model: file, Inputs: r.in}
	}
	results, err := onnxruntime.Run(t.Context(), onnxruntime.Setting{Modules: modules, Engine: onnxruntime.Native, Level: onnxruntime.All}, t.TempDir(), cases)
	if err != nil {
		t.Fatal(err)
	}
	held, without, other := map[string]int{}, 0, 0
	for i, r := range all {
		if err := results[i].Err; err != nil {
			without++
			if !slices.ContainsFunc(refusals, func(text string) bool { return strings.Contains(err.Error(), text) }) {
				t.Errorf("network %d %s: %v", r.seed, r.name, err)
			}
			continue
		}
		held[r.name]++
		if err := r.compare(results[i]); err != nil {
			report := t.Errorf
			if spiking := r.name != asANN; spiking {
				report, other = t.Logf, other+1
			}
			report("network %d %s: %v", r.seed, r.name, err)
		}
	}
	t.Logf("held to ONNX Runtime: %v; it does not run %d", held, without)
	if spiking := len(all) - randomNetworks; float64(other) > flips*float64(spiking) {
		t.Errorf("%d of %d spiking networks compute something else in ONNX Runtime", other, spiking)
	}
	if without > len(all)/8 {
		t.Errorf("ONNX Runtime ran %d of %d models", len(all)-without, len(all))
	}
}

// compare finds what differs more than rounding does.
func (r trialRun) compare(theirs onnxruntime.Result) error {
	for k, v := range r.model.Graph.Outputs() {
		d, err := apart(r.ours[k], theirs.Outputs[v.Name()])
		if err == nil && !(d <= r.bound) {
			err = fmt.Errorf("lies %.3g apart, want %g at most", d, r.bound)
		}
		if err != nil {
			return fmt.Errorf("output %q: %w", v.Name(), err)
		}
	}
	return nil
}

// settle makes constants of initializers that are inputs too: ONNX Runtime's inference takes
// a Slice by such axes for an empty one, and refuses what Resize makes of it.
func settle(t *testing.T, m *graph.Model) {
	t.Helper()
	if _, err := (spikingir.Pipeline{settleinitializers.Pass.With()}).Run(m, passes.Options{}); err != nil {
		t.Fatal(err)
	}
}

// rounding is 1e-5, and more where values are of coarser types than float32.
func rounding(m *randommodel.Model) float64 {
	if r := m.Rounding(); r > 1e-3 {
		return r
	}
	return 1e-5
}

// computed is what we compute of a model.
func computed(t *testing.T, m *graph.Model, in map[string]*graph.Tensor) []*ops.Tensor {
	t.Helper()
	n, err := spikingir.Open(m, spikingir.RunOptions{Threads: 1, Precision: spikingir.Float32})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	named := map[string]*ops.Tensor{}
	for name, x := range in {
		if named[name], err = ops.FromGraph(x); err != nil {
			t.Fatal(err)
		}
	}
	r, err := n.Program().Run(context.Background(), named, exec.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r.Outputs
}

// another is an image that is not quite the one that thresholds come from: on that one some currents are
// a threshold, and whether a neuron fires hangs on the order of a sum.
func another(m *randommodel.Model) map[string]*graph.Tensor {
	in := map[string]*graph.Tensor{}
	for name, x := range m.Inputs {
		list, err := x.Float32s()
		if err != nil {
			panic(err)
		}
		for i := range list {
			list[i] *= 1.003
		}
		in[name] = graph.NewFloat32(x.Dims, list)
	}
	return in
}

// convertedTo is a network as a spiking one, with T and schedule by its number; nil where
// there is nothing to convert.
func convertedTo(t *testing.T, m *randommodel.Model, image *ops.Tensor, i int, form recipes.Form) *graph.Model {
	t.Helper()
	s := recipes.Defaults()
	s.Timesteps = 4 + i%5
	s.Lower, s.Analog = form, splitregions.Keep
	if s.Opset = []int{0, 9, 13, 22}[i/3%4]; s.Opset > 0 {
		s.Opset = max(s.Opset, recipes.LeastOpset(form))
	}
	p, err := recipes.New(recipes.Names()[i%len(recipes.Names())], s)
	if err != nil {
		t.Fatal(err)
	}
	c := m.Model.Clone()
	if _, err := p.Run(c, randommodel.PassOptions(image)); err != nil {
		return nil
	}
	return c
}

// apart is the greatest difference of two tensors, relative to the largest value or 1.
func apart(ours *ops.Tensor, theirs *graph.Tensor) (float64, error) {
	if theirs == nil {
		return 0, fmt.Errorf("ONNX Runtime gives none")
	}
	y, err := ops.FromGraph(theirs)
	if err != nil {
		return 0, err
	}
	if y.Len() != ours.Len() || fmt.Sprint(y.Dims) != fmt.Sprint(ours.Dims) {
		return 0, fmt.Errorf("of dimensions %v, in ONNX Runtime %v", ours.Dims, y.Dims)
	}
	worst, largest := 0.0, 1.0
	for i := range y.F32 {
		worst = max(worst, math.Abs(float64(y.F32[i])-float64(ours.F32[i])))
		largest = max(largest, math.Abs(float64(y.F32[i])))
	}
	for i := range y.I64 {
		worst = max(worst, math.Abs(float64(y.I64[i]-ours.I64[i])))
	}
	return worst / largest, nil
}
