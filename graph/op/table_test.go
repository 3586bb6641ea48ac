package op_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/graph"
	"spikingir/graph/op"
)

// schema is an operator at an opset as the onnx package states it;
// testdata/schemas.py made the file.
type schema struct {
	Op         string
	Since      int64
	In, Out    [2]int
	Attrs      map[string]string
	Deprecated bool
}

func schemas(t *testing.T) map[string][]schema {
	t.Helper()
	data, err := os.ReadFile("testdata/schemas.json")
	if err != nil {
		t.Fatal(err)
	}
	var list []schema
	if err := json.Unmarshal(data, &list); err != nil {
		t.Fatal(err)
	}
	byOp := map[string][]schema{}
	for _, s := range list {
		byOp[s.Op] = append(byOp[s.Op], s)
	}
	return byOp
}

// TestTableAgainstSchemas compares each row at each opset up to 17, the newest
// of the onnx package that made the schemas.
func TestTableAgainstSchemas(t *testing.T) {
	byOp := schemas(t)
	younger := map[string]bool{"Gelu": true, "Mish": true, "Swish": true, "BitwiseAnd": true, "BitwiseOr": true,
		"BitwiseXor": true, "BitwiseNot": true, "GroupNormalization": true, "RMSNormalization": true, "DeformConv": true}
	for _, s := range op.All() {
		if s.Op.Domain != "" || younger[s.Op.Type] {
			continue
		}
		if byOp[s.Op.Type] == nil {
			t.Errorf("%v: no schema", s.Op)
		}
		for opset := int64(op.Oldest); opset <= 17; opset++ {
			compareForm(t, s, opset, byOp[s.Op.Type])
		}
	}
}

func compareForm(t *testing.T, s *op.Spec, opset int64, list []schema) {
	t.Helper()
	var want *schema
	for i := range list {
		if list[i].Since <= opset {
			want = &list[i]
		}
	}
	form := s.Form(opset)
	if want == nil || want.Deprecated {
		if form != nil {
			t.Errorf("%v at opset %d: in the table, but not in the standard", s.Op, opset)
		}
		return
	}
	if form == nil {
		_, broadcasts := want.Attrs["broadcast"]
		// Broadcasting changed with opset 7, Upsample's scales too; Scan took
		// its present form with 9.
		if !broadcasts && s.Op.Type != "PRelu" && s.Op.Type != "Upsample" && s.Op.Type != "Scan" {
			t.Errorf("%v at opset %d: in the standard, but not in the table", s.Op, opset)
		}
		return
	}
	got := schema{Op: s.Op.Type, Since: want.Since, In: [2]int{form.In.Min, form.In.Max},
		Out: [2]int{form.Out.Min, form.Out.Max}, Attrs: map[string]string{}}
	for _, a := range form.Attrs {
		got.Attrs[a.Name] = a.Type.String()
		if a.Required {
			got.Attrs[a.Name] += "!"
		}
	}
	if diff := cmp.Diff(*want, got); diff != "" {
		t.Errorf("%v at opset %d (-standard +table):\n%s", s.Op, opset, diff)
	}
}

// TestOperatorsDoc holds OPERATORS.md against the table; UPDATE=1 writes it.
func TestOperatorsDoc(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Operators\n\nThe table of package op. " +
		"Inputs, outputs and attributes are those of the newest opset understood;\n" +
		"attributes marked ! are required. *Over time* says whether an operator may stand " +
		"between spiking neurons.\n\n" +
		"| operator | opsets | inputs | outputs | over time | per element | attributes | result |\n" +
		"|---|---|---|---|---|---|---|---|\n")
	for _, s := range op.All() {
		form := s.Form(s.Until)
		var attrs []string
		for _, a := range form.Attrs {
			name := a.Name
			if a.Required {
				name += "!"
			}
			attrs = append(attrs, name)
		}
		each := ""
		if s.Elementwise {
			each = "yes"
		}
		fmt.Fprintf(&b, "| %v | %d-%d | %v | %v | %v | %s | %s | %s |\n", s.Op, s.Since, s.Until,
			form.In, form.Out, s.Temporal, each, strings.Join(attrs, ", "), strings.ReplaceAll(s.Doc, "|",
				"\\|"))
	}
	const file = "OPERATORS.md"
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(got), b.String()); diff != "" {
		t.Errorf("%s is not the table, run the test with UPDATE=1 (-file +table):\n%s", file, diff)
	}
}

func TestLookup(t *testing.T) {
	for _, s := range op.All() {
		if op.Lookup(s.Op) != s {
			t.Errorf("%v is not found", s.Op)
		}
		if s.Doc == "" {
			t.Errorf("%v has no doc", s.Op)
		}
		if (s.Temporal == op.Timed) != (s.Op.Domain == graph.Spiking) {
			t.Errorf("%v is %v over time", s.Op, s.Temporal)
		}
	}
	if op.Lookup(graph.Op{Domain: "ai.onnx", Type: "Conv"}) != op.Lookup(graph.Op{Type: "Conv"}) {
		t.Error("domain ai.onnx is not the standard one")
	}
	if op.Lookup(graph.Op{Domain: "com.example", Type: "Conv"}) != nil {
		t.Error("an operator of another domain is found")
	}
}

func TestCheck(t *testing.T) {
	g := graph.New("g", nil)
	x := g.AddInput("x", graph.TensorOf(graph.Float32, graph.ShapeOf(1, 2, 3, 4)))
	conv, clip := graph.Op{Type: "Conv"}, graph.Op{Type: "Clip"}
	ints := func(name string) graph.Attrs { return graph.Attrs{{Name: name, Value: graph.Ints{1, 1}}} }
	in := func(vs ...*graph.Value) []*graph.Value { return vs }
	for i, c := range []struct {
		op    graph.Op
		attrs graph.Attrs
		in    []*graph.Value
		opset int64
		want  string // "" when the node is right
	}{
		{conv, ints("strides"), in(x, x), 11, ""},
		{conv, nil, in(x, x, nil), 11, ""},
		{clip, nil, in(x, nil, x), 11, ""},
		{graph.Op{Domain: graph.Spiking, Type: "IF"}, nil, in(x, nil, x), 1, ""},
		{graph.Op{Type: "Resize"}, nil, in(x, nil, nil, x), 11, ""},
		{conv, nil, in(x), 11, `node "n" (Conv): 1 inputs, want 2 to 3 at opset 11`},
		{conv, nil, in(x, nil), 11,
			`node "n" (Conv): input 1 is omitted, want 2 to 3 inputs at opset 11`},
		{conv, nil, in(x, x, x, x), 11, `node "n" (Conv): 4 inputs, want 2 to 3 at opset 11`},
		{conv, ints("stride"), in(x, x), 11, `node "n" (Conv): attribute "stride" is not known at ` +
			`opset 11, want one of auto_pad, dilations, group, kernel_shape, pads, strides`},
		{conv, ints("group"), in(x, x), 11,
			`node "n" (Conv): attribute "group" is of type ints, want int`},
		{clip, ints("min"), in(x), 11,
			`node "n" (Clip): attribute "min" is not known at opset 11, want none`},
		{clip, nil, in(x, x), 6, `node "n" (Clip): 2 inputs, want 1 at opset 6`},
		{clip, nil, in(x), 5, `node "n" (Clip): opset 5, want one from 6 to 24 for this operator`},
		{conv, nil, in(x, x), 25, `node "n" (Conv): opset 25, want one from 6 to 24 for this operator`},
		{graph.Op{Type: "Concat"}, nil, in(x), 11,
			`node "n" (Concat): attribute "axis" is missing, want one of type int`},
		{graph.Op{Type: "Frob"}, nil, in(x), 11, `node "n" (Frob): the operator is not known`},
	} {
		n := g.AddNode(c.op, c.attrs, c.in, fmt.Sprintf("y%d", i))
		n.Name = "n"
		got := ""
		if err := op.Check(n, c.opset); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("case %d: %s, want %s", i, got, c.want)
		}
	}
	n := g.AddNode(graph.Op{Type: "Relu"}, nil, in(x), "a", "b")
	if err := op.Check(n, 11); err == nil || !strings.Contains(err.Error(),
		"2 outputs, want 1 at opset 11") {
		t.Errorf("two outputs: error %v", err)
	}
}
