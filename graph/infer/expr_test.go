package infer_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/graph/infer"
)

func parse(t *testing.T, text string) infer.Expr {
	t.Helper()
	e, err := infer.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestCanonicalText(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"2*H+1", "2*H+1"},
		{"1+H*2", "2*H+1"},
		{"N*11", "11*N"},
		{"H + 2 - 3 + 1", "H"},
		{"(H+2-3)+1", "H"},
		{"W*H", "H*W"},
		{"H-H", "0"},
		{"-H+4", "-H+4"},
		{"N+H*W", "H*W+N"},
		{"(H+1)*(H-1)", "H*H-1"},
		{"floor((H-1)/2)+1", "floor((H+1)/2)"},
		{"floor(H/2)", "floor(H/2)"},
		{"floor((4*H+2)/4)", "H"},
		{"floor((4*H+2)/8)", "floor(H/2)"},
		{"floor((2*H+3)/4)", "floor((H+1)/2)"},
		{"floor(floor(H/2)/2)", "floor(H/4)"},
		{"floor((floor((H+1)/2)+1)/2)", "floor((H+3)/4)"},
		{"floor((floor(H/2)+W)/3)", "floor((H+2*W)/6)"},
		{"floor((A-B)/2)", "-B+floor((A+B)/2)"},
		{"2*floor((H+1)/2)", "2*floor((H+1)/2)"},
		{"floor(3*H/2)", "H+floor(H/2)"},
		{"floor(3*H/4)", "H-floor((H+3)/4)"},
		{"4*H-4*floor(3*H/4)", "4*floor((H+3)/4)"},
		{"H+floor((0-H)/4)*4", "H-4*floor((H+3)/4)"},
		{"floor(7/2)", "3"},
		{"floor((0-7)/2)", "-4"},
		{"'input.1 dim 0'*2", "2*'input.1 dim 0'"},
		{"'it''s'+1", "'it''s'+1"},
		{"onnx::d_0*2", "2*onnx::d_0"},
		{"'floor'*3", "3*'floor'"},
		{"H*floor(W/2)*2", "2*H*floor(W/2)"},
	} {
		e := parse(t, c.in)
		if e.String() != c.want {
			t.Errorf("%s is %s, want %s", c.in, e, c.want)
		}
		if again := parse(t, e.String()); !again.Equal(e) || again.String() != e.String() {
			t.Errorf("%s reads back as %s", e, again)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", `character 1: found the end, want a number or a name`},
		{"2*", `character 3: found the end, want a number or a name`},
		{"H/2", `character 2: found "/2", want an operator`},
		{"floor(H)", `character 8: found ")", want "/"`},
		{"floor(H+1/2)", `character 8: found "+1/2)", want "/"`},
		{"floor(H/0)", `character 10: found divisor 0, want a number of 1 or more`},
		{"floor(H/W)", `character 10: found divisor W, want a number of 1 or more`},
		{"(H", `character 3: found the end, want ")"`},
		{"2H", `character 1: found "2H", want a number or a name`},
		{"''", `character 3: found an empty name, want a name`},
		{"'a", `character 3: found no closing quote`},
		{"9223372036854775807*2", `is too large`},
		{strings.Repeat("(", 200), `parentheses nested deeper than 100`},
		{strings.Repeat("a+", 5000), `10000 characters, want at most 4096`},
	} {
		_, err := infer.Parse(c.in)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%.20s: error %v, want %q", c.in, err, c.want)
		}
	}
}

// random is an expression over H, W and N with its value for the sizes given.
func random(r *rand.Rand, depth int, sizes map[string]int64) (infer.Expr, int64) {
	if depth == 0 || r.IntN(4) == 0 {
		if r.IntN(2) == 0 {
			n := r.Int64N(9) - 2
			return infer.Number(n), n
		}
		name := []string{"H", "W", "N"}[r.IntN(3)]
		return infer.Parameter(name), sizes[name]
	}
	a, x := random(r, depth-1, sizes)
	b, y := random(r, depth-1, sizes)
	switch r.IntN(4) {
	case 0:
		return a.Add(b), x + y
	case 1:
		return a.Sub(b), x - y
	case 2:
		return a.Mul(b), x * y
	}
	d := r.Int64N(5) + 1
	return a.FloorDiv(d), int64(math.Floor(float64(x) / float64(d)))
}

// TestArithmetic holds the rewriting of expressions against the numbers, and
// the text against its reader.
func TestArithmetic(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	known := 0
	for range 20000 {
		sizes := map[string]int64{"H": r.Int64N(40) + 1, "W": r.Int64N(40) + 1, "N": r.Int64N(4) + 1}
		e, want := random(r, 4, sizes)
		if !e.Known() {
			continue
		}
		known++
		got, err := e.Eval(sizes)
		if err != nil || got != want {
			t.Fatalf("%s at %v is %d (%v), want %d", e, sizes, got, err, want)
		}
		back, err := infer.Parse(e.String())
		if err != nil || !back.Equal(e) || back.String() != e.String() {
			t.Fatalf("%s reads back as %s (%v)", e, back, err)
		}
		n, isNumber := e.Int()
		if d := e.Dim(); !infer.FromDim(d).Equal(e) && !(isNumber && n < 0) {
			t.Fatalf("%s as a dimension is %v", e, d)
		}
	}
	if known < 15000 {
		t.Errorf("only %d of 20000 expressions were known", known)
	}
}

// TestDiv holds exact division against multiplication.
func TestDiv(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	sizes := map[string]int64{"H": 3, "W": 5, "N": 7}
	divided := 0
	for range 3000 {
		a, _ := random(r, 2, sizes)
		b, _ := random(r, 2, sizes)
		if n, isNumber := b.Int(); isNumber && n == 0 {
			if a.Div(b).Known() {
				t.Fatalf("%s / 0 is %s", a, a.Div(b))
			}
			continue
		}
		q := a.Mul(b).Div(b)
		if q.Known() {
			divided++
			if !q.Equal(a) {
				t.Fatalf("%s * %s / itself is %s", a, b, q)
			}
		}
	}
	if divided < 2500 {
		t.Errorf("only %d of 3000 products divided", divided)
	}
	for _, c := range [][3]string{
		{"64*N*H*W", "N", "64*H*W"}, {"11*N", "11", "N"}, {"H*W+H", "W+1", "H"},
		{"H*H-1", "H-1", "H+1"}, {"3*N", "2", "?"}, {"H", "W", "?"}, {"H+1", "H", "?"},
	} {
		if got := parse(t, c[0]).Div(parse(t, c[1])).String(); got != c[2] {
			t.Errorf("%s / %s is %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

func TestUnknownAndOverflow(t *testing.T) {
	var unknown infer.Expr
	h := infer.Parameter("H")
	for i, e := range []infer.Expr{
		unknown.Add(h), h.Sub(unknown), h.Mul(unknown), unknown.FloorDiv(2), h.Div(unknown),
		h.FloorDiv(0), h.Times(math.MaxInt64).Times(4), infer.Number(math.MaxInt64).Plus(1),
		infer.Parameter(""),
	} {
		if e.Known() || e.String() != "?" || e.Dim() != (graph.Dim{}) {
			t.Errorf("expression %d is %s, want unknown", i, e)
		}
	}
	big := infer.Number(1)
	for i := range 80 {
		big = big.Mul(infer.Parameter(fmt.Sprintf("p%d", i)).Plus(1))
	}
	if big.Known() {
		t.Error("a product of 80 sums is known, want unknown: it would have 2^80 terms")
	}
	if _, err := h.Times(1 << 62).Eval(map[string]int64{"H": 4}); err == nil {
		t.Error("2^64 evaluates, want an overflow")
	}
	_, err := h.Eval(nil)
	if err == nil || !strings.Contains(err.Error(), `size of "H" is not given`) {
		t.Errorf("missing size: error %v", err)
	}
}

// TestDimNames keeps parameter names that are no expressions.
func TestDimNames(t *testing.T) {
	for _, name := range []string{"N", "a/b", "input.1 dim 0", "2H", "?x", "unk__0", "H+", "floor"} {
		e := infer.FromDim(graph.Symbol(name))
		if d := e.Dim(); d != graph.Symbol(name) {
			t.Errorf("%q becomes %v", name, d)
		}
		if got := e.Parameters(); len(got) != 1 || got[0] != name {
			t.Errorf("%q has parameters %q", name, got)
		}
		twice := e.Times(2).Plus(1)
		if back := infer.FromDim(twice.Dim()); !back.Equal(twice) {
			t.Errorf("2*%q+1 reads back as %s", name, back)
		}
	}
}
