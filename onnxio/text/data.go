package text

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"spikingir/graph"
)

// data reads the elements of a tensor of type t, which stood at the token at:
// { number, ... }, { "string", ... } or [ "key": "value", ... ].
func (p *parser) data(at token, t graph.Type) *graph.Tensor {
	dims, known := t.Shape.Sizes()
	if t.Kind != graph.TensorType || !t.Elem.Valid() || !known {
		p.failAt(at, "found data of type %s, want a tensor of known dimensions", FormatType(t))
	}
	length, err := (&graph.Tensor{DType: t.Elem, Dims: dims}).Len()
	if err != nil {
		p.failAt(at, "%v", err)
	}
	var x *graph.Tensor
	switch {
	case p.is("["):
		return p.external(t.Elem, dims)
	case t.Elem == graph.StringType:
		elems := [][]byte{}
		p.list("{", "}", func() { elems = append(elems, []byte(p.text("a string"))) })
		p.checkCount(at, t, int64(len(elems)), length)
		x, err = graph.NewStrings(dims, elems)
	default:
		b, count := p.numbers(t.Elem)
		y := layoutOf(t.Elem)
		p.checkCount(at, t, int64(count), length*int64(y.perElement))
		x, err = graph.NewTensor(t.Elem, dims, b)
	}
	if err != nil {
		p.failAt(at, "%v", err)
	}
	return x
}

func (p *parser) checkCount(at token, t graph.Type, found, want int64) {
	if found != want {
		p.failAt(at, "found %d elements, want %d for %s", found, want, FormatType(t))
	}
}

func (p *parser) numbers(d graph.DType) (b []byte, count int) {
	b = []byte{}
	y := layoutOf(d)
	p.list("{", "}", func() {
		n, ok := uint64(0), false
		if p.atNumber() {
			n, ok = y.parse(p.tok.text)
		}
		if !ok {
			p.expected("a number of type " + d.String())
		}
		b = y.append(b, count, n)
		count++
		p.advance()
	})
	return b, count
}

func (p *parser) sparse(at token, t graph.Type) *graph.SparseTensor {
	dims, known := t.Shape.Sizes()
	if !known {
		p.failAt(at, "found data of type %s, want known dimensions", FormatType(t))
	}
	s := &graph.SparseTensor{Dims: dims}
	part := func() *graph.Tensor {
		at := p.tok
		if !isTypeWord(p.tok) {
			p.expected("the values and the indices of a sparse tensor")
		}
		return p.tensor(at, p.typ())
	}
	p.expect("{")
	s.Values = part()
	p.expect(",")
	s.Indices = part()
	p.expect("}")
	if s.Values.DType != t.Elem || s.Indices.DType != graph.Int64 {
		p.failAt(at, "found values of %v and indices of %v, want %v and int64",
			s.Values.DType, s.Indices.DType, t.Elem)
	}
	return s
}

// external reads [ "key": "value", ... ].
func (p *parser) external(d graph.DType, dims []int64) *graph.Tensor {
	at := p.tok
	entries := p.metadata()
	var data []byte
	var err error
	if location, _ := entries.Get("location"); strings.HasPrefix(location, seedPrefix) {
		data, err = seeded(d, dims, entries)
	}
	var x *graph.Tensor
	if err == nil {
		x, err = graph.NewExternal(d, dims, &graph.External{Entries: entries}, data)
	}
	if err != nil {
		p.failAt(at, "%v", err)
	}
	return x
}

func (p *printer) data(t *graph.Tensor) string {
	n, err := t.Len()
	long := p.o.MaxElements > 0 && n > p.o.MaxElements && !isSeeded(t)
	switch {
	case err != nil || !t.Loaded() && t.External == nil:
		return entriesString(graph.Metadata{{Key: "location", Value: "missing"}})
	case t.Loaded() && long:
		return entriesString(graph.Metadata{
			{Key: "location", Value: "elided"}, {Key: "sha256", Value: digest(t)},
		})
	case t.Store == graph.ExternalData && t.External != nil:
		return entriesString(t.External.Entries)
	case t.DType == graph.StringType:
		return "{" + join(t.Strings(), func(b []byte) string { return quote(string(b)) }) + "}"
	}
	y := layoutOf(t.DType)
	var b strings.Builder
	for i := range int(n) * y.perElement {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(y.string(t.Bytes(), i))
	}
	return "{" + b.String() + "}"
}

// digest is the SHA-256 of a tensor's packed bytes, or of its strings, each
// after its length in decimal and a colon.
func digest(t *graph.Tensor) string {
	h := sha256.New()
	h.Write(t.Bytes())
	for _, s := range t.Strings() {
		fmt.Fprintf(h, "%d:%s", len(s), s)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func (p *printer) tensor(t *graph.Tensor) string {
	s := t.DType.String() + dimsString(t.Dims)
	if t.Name != "" {
		s += " " + name(t.Name)
	}
	data := p.data(t)
	if data[0] == '[' {
		s += " ="
	}
	return s + " " + data
}

func (p *printer) sparse(s *graph.SparseTensor) string {
	return "{" + p.tensor(s.Values) + ", " + p.tensor(s.Indices) + "}"
}

func sparseType(s *graph.SparseTensor) string {
	return "sparse_tensor(" + s.Values.DType.String() + dimsString(s.Dims) + ")"
}

// dimsString is the dimensions of a tensor; a scalar has none.
func dimsString(dims []int64) string { return shapeString(graph.ShapeOf(dims...)) }
