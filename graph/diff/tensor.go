package diff

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"spikingir/graph"
)

// attribute prints an attribute's type and value. Subgraphs are not printed.
func attribute(a graph.Attr) string {
	typ := graph.TypeOf(a).String()
	switch x := a.(type) {
	case *graph.Graph:
		return typ
	case graph.Graphs:
		return fmt.Sprintf("%s [%d]", typ, len(x))
	case *graph.Tensor:
		return typ + " " + tensor(x)
	case graph.Tensors:
		return typ + list(x, tensor)
	case *graph.SparseTensor:
		return typ + " " + sparse(x)
	case graph.SparseTensors:
		return typ + list(x, sparse)
	case graph.String:
		return typ + " " + quoted(string(x))
	case graph.Strings:
		return typ + list(x, quoted)
	case graph.Ints:
		return typ + list(x, printed)
	case graph.Floats:
		return typ + list(x, printed)
	case graph.Types:
		return typ + list(x, graph.Type.String)
	case graph.Ref:
		return typ + " @" + x.Name
	}
	return typ + " " + fmt.Sprint(a)
}

func printed[T any](x T) string { return fmt.Sprint(x) }

// list prints the elements of an attribute.
func list[S ~[]T, T any](xs S, text func(T) string) string {
	parts := make([]string, len(xs))
	for i, x := range xs {
		parts[i] = text(x)
	}
	return " [" + strings.Join(parts, ", ") + "]"
}

// contents prints what an initializer holds.
func contents(v *graph.Value) string {
	if v.Const == nil {
		return sparse(v.Sparse)
	}
	return tensor(v.Const)
}

func sparse(s *graph.SparseTensor) string {
	if s == nil {
		return "none"
	}
	return fmt.Sprintf("sparse %v, values %s, indices %s", s.Dims, tensor(s.Values), tensor(s.Indices))
}

// fewElements is how many elements a tensor may have to be printed whole.
const fewElements = 4

// tensor prints a constant: its type and dimensions, and all elements when they
// are few, else a digest of them, or where they are when they were not loaded.
func tensor(t *graph.Tensor) string {
	if t == nil {
		return "none"
	}
	head := fmt.Sprintf("%v%v", t.DType, t.Dims)
	n, err := t.Len()
	if err != nil {
		return head
	}
	if !t.Loaded() {
		return head + " not loaded" + location(t.External)
	}
	if n <= fewElements {
		if text, ok := elements(t); ok {
			return head + text
		}
	}
	h := sha256.New()
	h.Write(t.Bytes())
	for _, s := range t.Strings() {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return head + fmt.Sprintf(" sha256 %x", h.Sum(nil)[:6])
}

func location(e *graph.External) string {
	if e == nil {
		return ""
	}
	var b strings.Builder
	for _, kv := range e.Entries {
		fmt.Fprintf(&b, ", %s %q", kv.Key, kv.Value)
	}
	return b.String()
}

// elements prints the elements of a tensor whose type has a Go form.
func elements(t *graph.Tensor) (string, bool) {
	if t.DType == graph.StringType {
		return list(t.Strings(), func(s []byte) string { return quoted(string(s)) }), true
	}
	if t.DType == graph.Float64 {
		return list(doubles(t), printed), true
	}
	if xs, err := t.Float32s(); err == nil {
		return list(xs, printed), true
	}
	if xs, err := t.Int64s(); err == nil {
		return list(xs, printed), true
	}
	return "", false
}

// doubles gives the elements of a loaded tensor of a real type as float64; nil
// for other types.
func doubles(t *graph.Tensor) []float64 {
	var out []float64
	if t.DType == graph.Float64 {
		for b := t.Bytes(); len(b) > 0; b = b[8:] {
			out = append(out, math.Float64frombits(binary.LittleEndian.Uint64(b)))
		}
		return out
	}
	if xs, err := t.Float32s(); err == nil {
		for _, x := range xs {
			out = append(out, float64(x))
		}
		return out
	}
	if xs, err := t.Int64s(); err == nil {
		for _, x := range xs {
			out = append(out, float64(x))
		}
	}
	return out
}

// distance is how far two tensors of the same dimensions lie apart, "" where
// that is not defined. A NaN against a number is infinitely far.
func distance(a, b *graph.Tensor) string {
	if !alike(a, b) {
		return ""
	}
	xs, ys := doubles(a), doubles(b)
	if len(xs) == 0 || len(xs) != len(ys) {
		return ""
	}
	var most float64
	for i, x := range xs {
		y := ys[i]
		switch {
		case x == y || math.IsNaN(x) && math.IsNaN(y):
		case math.IsNaN(x) || math.IsNaN(y):
			most = math.Inf(1)
		default:
			most = max(most, math.Abs(x-y))
		}
	}
	return fmt.Sprintf(", largest difference %.3g", most)
}

// alike reports whether elements of one tensor stand against those of the other.
func alike(a, b *graph.Tensor) bool {
	return a != nil && b != nil && slices.Equal(a.Dims, b.Dims) && a.Loaded() && b.Loaded()
}

func sameContents(v, w *graph.Value) bool {
	return sameTensor(v.Const, w.Const) && sameSparse(v.Sparse, w.Sparse)
}

func sameSparse(a, b *graph.SparseTensor) bool {
	if a == nil || b == nil {
		return a == b
	}
	return slices.Equal(a.Dims, b.Dims) && sameTensor(a.Values, b.Values) &&
		sameTensor(a.Indices, b.Indices)
}

// sameTensor compares elements bit by bit; tensors that were not loaded are the
// same when they lie at the same place.
func sameTensor(a, b *graph.Tensor) bool {
	if a == nil || b == nil {
		return a == b
	}
	if a.DType != b.DType || !slices.Equal(a.Dims, b.Dims) || a.Loaded() != b.Loaded() {
		return false
	}
	if !a.Loaded() {
		return location(a.External) == location(b.External)
	}
	return bytes.Equal(a.Bytes(), b.Bytes()) &&
		slices.EqualFunc(a.Strings(), b.Strings(), bytes.Equal)
}
