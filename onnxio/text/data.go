package text

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"spikingir/graph"
)

// maxSeeded bounds a tensor made from a seed.
const maxSeeded = 1 << 24

// data reads the elements of a tensor of type t: { ... } or [ "key": "value" ].
func (p *parser) data(t graph.Type) *graph.Tensor {
	at := p.tok
	dims, known := t.Shape.Sizes()
	if t.Kind != graph.TensorType || !t.Elem.Valid() || !known {
		p.lex.fail(at.at, "data of type %v, want a tensor of known dimensions", t)
	}
	var x *graph.Tensor
	var err error
	switch {
	case p.is("["):
		x, err = outside(t.Elem, dims, p.metadata())
	case t.Elem == graph.StringType:
		var elems [][]byte
		p.list("{", "}", func() { elems = append(elems, []byte(p.text("a string"))) })
		x, err = graph.NewStrings(dims, elems)
	default:
		var b []byte
		p.list("{", "}", func() { b = p.element(b, t.Elem) })
		x, err = graph.NewTensor(t.Elem, dims, b)
	}
	if err != nil {
		p.lex.fail(at.at, "%v", err)
	}
	return x
}

// outside makes a tensor from entries: raw bytes, seeded numbers, or a place
// outside the file.
func outside(d graph.DType, dims []int64, entries graph.Metadata) (*graph.Tensor, error) {
	if raw, ok := entries.Get("raw"); ok {
		b, err := hex.DecodeString(raw)
		if err != nil {
			return nil, err
		}
		return graph.NewTensor(d, dims, b)
	}
	location, _ := entries.Get("location")
	seed, ok := strings.CutPrefix(location, "seed:")
	if !ok {
		return graph.NewExternal(d, dims, &graph.External{Entries: entries}, nil)
	}
	n, err := strconv.ParseUint(seed, 10, 64)
	if err != nil {
		return nil, err
	}
	scale := 1.0
	if s, ok := entries.Get("scale"); ok {
		if scale, err = strconv.ParseFloat(s, 64); err != nil {
			return nil, err
		}
	}
	return seeded(d, dims, n, scale)
}

// seeded is normal random numbers of standard deviation scale.
func seeded(d graph.DType, dims []int64, seed uint64, scale float64) (*graph.Tensor, error) {
	probe := &graph.Tensor{DType: d, Dims: dims}
	n, err := probe.Len()
	if err != nil {
		return nil, err
	}
	if d != graph.Float32 || n > maxSeeded {
		return nil, strconv.ErrRange
	}
	r := rand.New(rand.NewPCG(seed, 0))
	xs := make([]float32, n)
	for i := range xs {
		xs[i] = float32(r.NormFloat64() * scale)
	}
	return graph.NewFloat32(dims, xs), nil
}

// element reads one number and appends its bytes.
func (p *parser) element(b []byte, d graph.DType) []byte {
	s := p.tok.text
	if p.tok.kind != number && !(p.tok.kind == ident && d.IsFloat() && (s == "inf" || s == "nan")) {
		p.expected("a number")
	}
	out, ok := appendElement(b, d, s)
	if !ok {
		p.expected("a number of type " + d.String())
	}
	p.advance()
	return out
}

// appendElement encodes one decimal number.
func appendElement(b []byte, d graph.DType, s string) ([]byte, bool) {
	le := binary.LittleEndian
	switch d {
	case graph.Float32:
		f, err := strconv.ParseFloat(s, 32)
		return le.AppendUint32(b, math.Float32bits(float32(f))), err == nil
	case graph.Float64:
		f, err := strconv.ParseFloat(s, 64)
		return le.AppendUint64(b, math.Float64bits(f)), err == nil
	case graph.Bool:
		n, err := strconv.ParseUint(s, 10, 1)
		return append(b, byte(n)), err == nil
	case graph.Int8, graph.Int16, graph.Int32, graph.Int64:
		n, err := strconv.ParseInt(s, 10, d.Bits())
		return appendInt(b, uint64(n), d.Bits()), err == nil
	case graph.Uint8, graph.Uint16, graph.Uint32, graph.Uint64:
		n, err := strconv.ParseUint(s, 10, d.Bits())
		return appendInt(b, n, d.Bits()), err == nil
	}
	return b, false
}

func appendInt(b []byte, n uint64, bits int) []byte {
	for i := 0; i < bits; i += 8 {
		b = append(b, byte(n>>i))
	}
	return b
}

// decimal reports whether elements of type d are written as decimal numbers.
func decimal(d graph.DType) bool {
	switch d {
	case graph.Float32, graph.Float64, graph.Bool, graph.Int8, graph.Int16, graph.Int32,
		graph.Int64, graph.Uint8, graph.Uint16, graph.Uint32, graph.Uint64:
		return true
	}
	return false
}

// formatElement writes element i of a tensor of a decimal type.
func formatElement(t *graph.Tensor, i int) string {
	le, b := binary.LittleEndian, t.Bytes()
	switch t.DType {
	case graph.Float32:
		return formatFloat(float64(math.Float32frombits(le.Uint32(b[4*i:]))), 32)
	case graph.Float64:
		return formatFloat(math.Float64frombits(le.Uint64(b[8*i:])), 64)
	}
	size := t.DType.Bits() / 8
	var n uint64
	for k := range size {
		n |= uint64(b[size*i+k]) << (8 * k)
	}
	switch t.DType {
	case graph.Int8, graph.Int16, graph.Int32, graph.Int64:
		shift := 64 - t.DType.Bits()
		return strconv.FormatInt(int64(n)<<shift>>shift, 10)
	}
	return strconv.FormatUint(n, 10)
}

// formatFloat is the shortest decimal that reads back the same.
func formatFloat(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'g', -1, bits)
}

// digest is a short name for the contents of a tensor.
func digest(sum []byte) string { return base64.RawURLEncoding.EncodeToString(sum[:9]) }
