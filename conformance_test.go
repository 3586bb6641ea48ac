package spikingir_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spikingir"
	"spikingir/graph"
	"spikingir/onnxio"
	"spikingir/onnxio/npy"
	"spikingir/runtime/ops"
)

// conformanceCase is one of ONNX's backend node tests, as fixtures/gen/conformance.py writes
// it: a model, inputs and the outputs expected.
type conformanceCase struct {
	Name, Operator  string
	RTol, ATol      float64
	Inputs, Outputs int
	Missing         map[string]string // what is no tensor of numbers
}

// The verdicts on a case.
const (
	passed  = "passed"
	refused = "refused"
	wrong   = "wrong"
)

// departures are the tests whose expected result is not the standard's, with the reason.
var departures = map[string]string{
	"test_resize_downsample_scales_linear_align_corners": alignCorners,
	"test_resize_downsample_scales_cubic_align_corners":  alignCorners,
	"test_cast_FLOAT_to_BFLOAT16":                        truncates,
	"test_castlike_FLOAT_to_BFLOAT16":                    truncates,
	"test_castlike_FLOAT_to_BFLOAT16_expanded":           truncates,
}

const (
	alignCorners = "the test takes in*scale for the size of the output, the standard and ONNX Runtime its floor"
	truncates    = "the test cuts digits off where a cast rounds to the nearest"
)

// TestConformance runs ONNX's backend node tests of the folder that SPIKINGIR_CONFORMANCE
// names: make conformance writes it and runs this. Every model must come back byte for
// byte, and none may give a wrong result: what cannot be run is refused by name.
// UPDATE=1 writes docs/conformance.md.
func TestConformance(t *testing.T) {
	dir := os.Getenv("SPIKINGIR_CONFORMANCE")
	if dir == "" {
		t.Skip("SPIKINGIR_CONFORMANCE names no folder")
	}
	cases, err := conformanceCases(dir)
	if err != nil {
		t.Fatal(err)
	}
	peer, err := onnxGoPasses(cases)
	if err != nil {
		t.Error(err)
	}
	counts := map[string]*tally{}
	for _, c := range cases {
		k := counts[c.Operator]
		if k == nil {
			k = &tally{}
			counts[c.Operator] = k
		}
		k.tests++
		verdict, why := c.judge(filepath.Join(dir, c.Name))
		reason := departures[c.Name]
		switch {
		case verdict == passed:
			k.passed++
		case verdict == refused:
			t.Logf("%s: %v", c.Name, why)
		case reason != "":
			k.departed++
		default:
			t.Errorf("%s: %v", c.Name, why)
		}
		if verdict == passed && reason != "" {
			t.Errorf("%s passes, though %s", c.Name, reason)
		}
		if peer[c.Name] {
			k.peer++
		}
	}
	conformanceDoc(t, counts)
}

func conformanceCases(dir string) (cases []conformanceCase, err error) {
	list, err := os.ReadFile(filepath.Join(dir, "cases.json"))
	if err != nil {
		return nil, err
	}
	return cases, json.Unmarshal(list, &cases)
}

// tally counts the tests of an operator; peer is how many onnx-go passes.
type tally struct{ tests, passed, departed, peer int }

// judge runs a case.
func (c conformanceCase) judge(dir string) (verdict string, why error) {
	file, err := os.ReadFile(filepath.Join(dir, "model.onnx"))
	if err != nil {
		return wrong, err
	}
	m, err := onnxio.Decode(file)
	if err != nil {
		return wrong, fmt.Errorf("is not read: %w", err)
	}
	if again, err := onnxio.Encode(m); err != nil || !bytes.Equal(again, file) {
		return wrong, fmt.Errorf("does not come back byte for byte: %v", err)
	}
	net, err := spikingir.Open(m, spikingir.RunOptions{Threads: 1})
	if err != nil {
		var unsupported *spikingir.UnsupportedError
		if !errors.As(err, &unsupported) {
			return wrong, fmt.Errorf("the refusal does not say that the model is unsupported: %w", err)
		}
		return refused, err
	}
	defer net.Close()
	if len(c.Missing) > 0 {
		return refused, fmt.Errorf("is no test of numbers: %v", c.Missing)
	}
	in, err := tensorsOf(dir, "in", c.Inputs, m.Graph.Inputs())
	if err != nil {
		return wrong, err
	}
	want, err := tensorsOf(dir, "out", c.Outputs, m.Graph.Outputs())
	if err != nil {
		return wrong, err
	}
	got, err := net.Run(context.Background(), in...)
	if err != nil {
		return refused, err
	}
	for i, w := range want {
		if err := c.compare(got[i], w); err != nil {
			return wrong, fmt.Errorf("output %d: %w", i, err)
		}
	}
	return passed, nil
}

// tensorsOf reads arrays, which have the declared element types: NumPy does not know all.
func tensorsOf(dir, kind string, n int, declared []*graph.Value) ([]*ops.Tensor, error) {
	list := make([]*ops.Tensor, n)
	for i := range list {
		b, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("%s_%d.npy", kind, i)))
		if err != nil {
			return nil, err
		}
		t, err := npy.Read(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		if list[i], err = ops.FromGraph(t); err != nil {
			return nil, err
		}
		if i < len(declared) && declared[i].Type.Elem == graph.BFloat16 {
			list[i].DType = graph.BFloat16
		}
	}
	return list, nil
}

// compare holds a result to the tolerance that the test states.
func (c conformanceCase) compare(got, want *ops.Tensor) error {
	if got.DType != want.DType || !slices.Equal(got.Dims, want.Dims) {
		return fmt.Errorf("found %v, want %v", got, want)
	}
	if !slices.Equal(got.I64, want.I64) {
		return fmt.Errorf("found %v, want %v", short(got.I64), short(want.I64))
	}
	for i, w := range want.F32 {
		g := got.F32[i]
		d := math.Abs(float64(g) - float64(w))
		if !(d <= c.ATol+c.RTol*math.Abs(float64(w)) || g == w || g != g && w != w) {
			return fmt.Errorf("element %d is %v, want %v", i, g, w)
		}
	}
	return nil
}

func short[T any](list []T) []T { return list[:min(len(list), 20)] }

// conformanceDoc holds docs/conformance.md to the counts, or writes it.
func conformanceDoc(t *testing.T, counts map[string]*tally) {
	var rows, reasons strings.Builder
	var all tally
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		k := counts[name]
		fmt.Fprintf(&rows, "| %s | %d | %d | %d | %d |\n", name, k.tests, k.passed, k.tests-k.passed-k.departed, k.peer)
		all = tally{all.tests + k.tests, all.passed + k.passed, all.departed + k.departed, all.peer + k.peer}
	}
	for _, name := range slices.Sorted(maps.Keys(departures)) {
		fmt.Fprintf(&reasons, "- `%s`: %s\n", name, departures[name])
	}
	text := fmt.Sprintf(conformanceText, all.tests, all.tests, all.passed, all.tests-all.passed-all.departed, all.departed,
		all.peer, reasons.String(), rows.String())
	const file = "docs/conformance.md"
	if os.Getenv("UPDATE") != "" && !t.Failed() {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != text {
		t.Errorf("%s does not tell what was found (%v); run make conformance", file, err)
	}
}

const conformanceText = `# ONNX's own tests

` + "`make conformance`" + ` generates the %d backend node tests of onnx 1.12 and runs them. All %d models are read and
written again byte for byte. %d give the result expected, within the tolerance that each test states; %d are refused by
the name of the operator, or because they are no tests of numbers; %d expect what the standard does not say (below); none
gives a wrong result. Beside it stands what onnx-go 0.5.0 passes with its backend Gorgonia, %d in all.

Refused are training (losses, optimizers, Dropout in training mode), recurrent layers, sequences as inputs or outputs, optional values,
strings, signal processing, random numbers, detection (NonMaxSuppression, RoiAlign) and an old form of Scan.

## Where ONNX Runtime differs

3,100 random single operators (opset 7 to 21, float32, float16, double and integers) and 3,500 Resizes were compared with ONNX Runtime 1.30. Where it departs from the
standard's text, this program follows the text:

| operator | standard, and here | ONNX Runtime |
|---|---|---|
| ConvTranspose with auto_pad SAME_* and a kernel smaller than the stride | the size is in*stride | the size that the kernel reaches |
| pools with auto_pad SAME_* and dilations | the size is ceil(in/stride), padding by the dilated kernel | padding by the kernel as it is; Conv refuses |
| Reduce* with noop_with_empty_axes and no axes | the input | ReduceL1, L2, LogSum, SumSquare: the function of each element |
| Pad, mode wrap, with pads below 0 | wraps the input, then cuts off | cuts off, then wraps what is left |
| Resize, tf_crop_and_resize with factor 1 | the region is cut out | the axis stays as it is |

Resize is ONNX Runtime's elsewhere: places in float32, sizes from factors without the region of tf_crop_and_resize, no axis
resampled where none changes its size (with antialiasing: none that keeps its own), and, for rounding, places within
1e-6 of the middle between two elements count as in it.

## Expected otherwise by the standard

%s
## By operator

| operator | tests | passed | refused | onnx-go |
|---|---|---|---|---|
%s`
