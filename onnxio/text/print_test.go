package text_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/onnxio"
	"spikingir/onnxio/text"
)

const small = `<ir_version: 10, opset_import: ["" : 17]>
g (float[4] x # doc="input"
) => (float[4] y)
<float[4] w = {1, 2, 3, 4}, string[2] s = {"a", "bc"}, float[999] r = ["location": "seed:1"]>
{ # doc="graph"
  a = Mul(x, w) # origin="m" pass="p" k="v"
  y = If <then_branch = t () => (float[4] z) { z = Neg(a) }> (s)
}
`

// TestOptions checks what each option leaves out of the output.
func TestOptions(t *testing.T) {
	sum := func(data string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(data))) }
	elided := func(data string) string {
		return `["location": "elided", "sha256": "` + sum(data) + `"]`
	}
	m := parse(t, small)
	full := text.Format(m)
	tests := []struct {
		options text.Options
		swap    []string // pairs of what Format prints and what is printed instead
	}{
		{text.Options{}, nil},
		{text.Options{MaxElements: 4}, nil},
		{text.Options{MaxElements: 3}, []string{
			"{1, 2, 3, 4}", elided("\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40")}},
		{text.Options{MaxElements: 1}, []string{
			"{1, 2, 3, 4}", elided("\x00\x00\x80\x3f\x00\x00\x00\x40\x00\x00\x40\x40\x00\x00\x80\x40"),
			`{"a", "bc"}`, elided("1:a2:bc")}},
		{text.Options{OmitNotes: true}, []string{
			"(\n  float[4] x # doc=\"input\"\n)", "(float[4] x)", ` # doc="graph"`, "",
			` # origin="m" pass="p" k="v"`, ""}},
	}
	for _, test := range tests {
		for i := 0; i < len(test.swap); i += 2 {
			if !strings.Contains(full, test.swap[i]) {
				t.Fatalf("%q is not in\n%s", test.swap[i], full)
			}
		}
		want := strings.NewReplacer(test.swap...).Replace(full)
		got := text.Print(m, test.options)
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%+v (-want +got):\n%s", test.options, d)
		}
		if again := text.Print(parse(t, got), test.options); again != got {
			t.Errorf("%+v prints otherwise once parsed:\n%s", test.options, cmp.Diff(got, again))
		}
	}
}

// TestFormatNode prints single nodes, as messages and differences show them.
func TestFormatNode(t *testing.T) {
	want := []string{`a = Mul(x, w)`, `y = If <
  then_branch = t () => (float[4] z) {
    z = Neg(a)
  }
> (s)`}
	i := 0
	for n := range parse(t, small).Graph.Nodes() {
		if got := text.FormatNode(n, text.Options{OmitNotes: true}); got != want[i] {
			t.Errorf("node %d prints as %s, want %s", i, got, want[i])
		}
		i++
	}
}

// TestUnprintable checks that what the syntax has no form for still prints.
func TestUnprintable(t *testing.T) {
	if got := text.Format(&graph.Model{}); got != "" {
		t.Errorf("an empty model prints as %q", got)
	}
	m := &graph.Model{Graph: graph.New("g", nil)}
	m.Graph.AddInitializer("w", &graph.Tensor{DType: graph.Float32, Dims: []int64{2}})
	if got := text.Format(m); !strings.Contains(got, `float[2] w = ["location": "missing"]`) {
		t.Errorf("a tensor without elements prints as\n%s", got)
	}
	if got := text.FormatType(graph.Type{}); got != "?" {
		t.Errorf("an unknown type prints as %q", got)
	}
}

// TestModelsRoundTrip prints the fixtures and, where SPIKINGIR_DATA names them,
// real models, and parses them back.
func TestModelsRoundTrip(t *testing.T) {
	for _, name := range fixtures.Names() {
		b, err := fixtures.Model(name)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) { roundTrip(t, b) })
	}
	t.Run("real", func(t *testing.T) {
		data := os.Getenv("SPIKINGIR_DATA")
		if data == "" {
			t.Skip("SPIKINGIR_DATA is not set: no real models")
		}
		files, err := filepath.Glob(filepath.Join(data, "models", "*.onnx"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no models in %s: %v", data, err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			t.Run(filepath.Base(file), func(t *testing.T) {
				if testing.Short() && len(b) > 1<<20 {
					t.Skip("large networks are printed in full tests only: the race detector makes that slow")
				}
				roundTrip(t, b)
			})
		}
	})
}

func roundTrip(t *testing.T, b []byte) {
	m, err := onnxio.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	printed := text.Format(m)
	back := parse(t, printed)
	want, got := flatten(m), flatten(back)
	if !reflect.DeepEqual(want, got) {
		t.Errorf("differs once parsed (-file +parsed):\n%s", cmp.Diff(want, got))
	}
	if text.Format(back) != printed {
		t.Error("prints otherwise once parsed")
	}
}
