// Package npy reads and writes tensors as NumPy's .npy files.
//
// The element types are those that NumPy knows itself: bool, the integers of 8 to 64
// bits, the floats of 16, 32 and 64 bits and the complex numbers. A bfloat16 tensor is
// written as float32, which holds it exactly.
package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"spikingir/graph"
)

// maxElements bounds the number of elements that a header may claim.
const maxElements = 1 << 33

// types maps what NumPy calls an element type, without its byte order.
var types = map[string]graph.DType{
	"b1": graph.Bool, "i1": graph.Int8, "i2": graph.Int16, "i4": graph.Int32, "i8": graph.Int64,
	"u1": graph.Uint8, "u2": graph.Uint16, "u4": graph.Uint32, "u8": graph.Uint64,
	"f2": graph.Float16, "f4": graph.Float32, "f8": graph.Float64, "c8": graph.Complex64, "c16": graph.Complex128,
}

// The entries of the dictionary in a header.
var (
	descrEntry   = regexp.MustCompile(`'descr':\s*'([^']*)'`)
	fortranEntry = regexp.MustCompile(`'fortran_order':\s*(True|False)`)
	shapeEntry   = regexp.MustCompile(`'shape':\s*\(([^)]*)\)`)
)

// header is what a file says of its data.
type header struct {
	elem    graph.DType
	swapped bool // big-endian
	fortran bool // the first axis is the fastest
	dims    []int64
	size    int64 // number of elements
}

// Read reads a file of format version 1 to 3. A short file and bytes after the data are
// errors; no more is allocated than the file holds.
func Read(r io.Reader) (*graph.Tensor, error) {
	text, err := readHeader(r)
	if err != nil {
		return nil, err
	}
	h, err := parseHeader(text)
	if err != nil {
		return nil, err
	}
	width := int64(h.elem.Bits() / 8)
	// The limit lets the reader see one byte too many, but no more than that.
	raw, err := io.ReadAll(io.LimitReader(r, h.size*width+1))
	if err != nil {
		return nil, fmt.Errorf("npy: %w", err)
	}
	if int64(len(raw)) != h.size*width {
		return nil, fmt.Errorf("npy: data of %d bytes or more, want %d for shape %v", len(raw), h.size*width, h.dims)
	}
	if h.swapped {
		part := int(width)
		if h.elem == graph.Complex64 || h.elem == graph.Complex128 {
			part /= 2 // each of the two numbers by itself
		}
		for i := 0; i < len(raw); i += part {
			slices.Reverse(raw[i : i+part])
		}
	}
	if h.fortran {
		raw = rowMajor(raw, h.dims, int(width))
	}
	return graph.NewTensor(h.elem, h.dims, raw)
}

// readHeader reads up to the data and returns the text of the dictionary.
func readHeader(r io.Reader) (string, error) {
	var start [8]byte
	if _, err := io.ReadFull(r, start[:]); err != nil {
		return "", fmt.Errorf("npy: no magic number: %w", err)
	}
	if string(start[:6]) != "\x93NUMPY" {
		return "", fmt.Errorf("npy: file starts with %q, want \"\\x93NUMPY\"", start[:6])
	}
	if start[6] < 1 || start[6] > 3 {
		return "", fmt.Errorf("npy: format version %d, want 1 to 3", start[6])
	}
	// The header's length has 2 bytes in version 1 and 4 bytes since.
	var length [4]byte
	width := 4
	if start[6] == 1 {
		width = 2
	}
	if _, err := io.ReadFull(r, length[:width]); err != nil {
		return "", fmt.Errorf("npy: no header length: %w", err)
	}
	n := binary.LittleEndian.Uint32(length[:])
	if n > 1<<16 {
		return "", fmt.Errorf("npy: header of %d bytes, want at most %d", n, 1<<16)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return "", fmt.Errorf("npy: header cut short: %w", err)
	}
	return string(text), nil
}

func parseHeader(text string) (h header, err error) {
	descr, fortran := descrEntry.FindStringSubmatch(text), fortranEntry.FindStringSubmatch(text)
	dims := shapeEntry.FindStringSubmatch(text)
	if descr == nil || fortran == nil || dims == nil {
		return h, fmt.Errorf("npy: header %q lacks descr, fortran_order or shape", text)
	}
	order, name := "", descr[1]
	if len(name) > 0 && strings.Contains("<>|=", name[:1]) {
		order, name = name[:1], name[1:]
	}
	if h.elem = types[name]; h.elem == graph.Undefined {
		return h, fmt.Errorf("npy: element type %q, want a number or bool, such as \"<f4\" or \"<i8\"", descr[1])
	}
	h.swapped, h.fortran = order == ">", fortran[1] == "True"
	h.size, h.dims = 1, []int64{}
	for text := range strings.SplitSeq(dims[1], ",") {
		if text = strings.TrimSpace(text); text == "" {
			continue
		}
		d, err := strconv.ParseInt(strings.TrimSuffix(text, "L"), 10, 64)
		if err != nil || d < 0 {
			return h, fmt.Errorf("npy: dimension %q in shape (%s)", text, dims[1])
		}
		if d > 0 && h.size > maxElements/d {
			return h, fmt.Errorf("npy: shape (%s) has more than %d elements", dims[1], int64(maxElements))
		}
		h.dims, h.size = append(h.dims, d), h.size*d
	}
	return h, nil
}

// rowMajor brings elements of width bytes from column-major order, where the first axis
// is the fastest, to row-major order.
func rowMajor(raw []byte, dims []int64, width int) []byte {
	out := make([]byte, 0, len(raw))
	steps, step := make([]int, len(dims)), width
	for i, d := range dims {
		steps[i], step = step, step*int(d)
	}
	at := make([]int64, len(dims))
	for from := 0; len(out) < len(raw); {
		out = append(out, raw[from:from+width]...)
		for i := len(dims) - 1; i >= 0; i-- {
			at[i]++
			from += steps[i]
			if at[i] < dims[i] {
				break
			}
			from -= steps[i] * int(dims[i])
			at[i] = 0
		}
	}
	return out
}

// Write writes t as a file of format version 1, in C order.
func Write(w io.Writer, t *graph.Tensor) error {
	data, elem := t.Bytes(), t.DType
	if elem == graph.BFloat16 {
		list, err := t.Float32s()
		if err != nil {
			return fmt.Errorf("npy: %w", err)
		}
		data, elem = nil, graph.Float32
		for _, x := range list {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
		}
	}
	descr := ""
	for name, d := range types {
		if d == elem {
			descr = "<" + name
		}
	}
	switch {
	case descr == "":
		return fmt.Errorf("npy: tensor of %v, want a number of 8 bits or more or bool", t.DType)
	case !t.Loaded():
		return fmt.Errorf("npy: the elements of the tensor are not in memory")
	case elem.Bits() == 8:
		descr = "|" + descr[1:]
	}
	var shape strings.Builder
	for _, d := range t.Dims {
		fmt.Fprintf(&shape, "%d, ", d)
	}
	text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", descr, strings.TrimSuffix(shape.String(), " "))
	const align, before = 64, 10
	text += strings.Repeat(" ", (align-(before+len(text)+1)%align)%align) + "\n"
	if len(text) > 1<<16-1 {
		return fmt.Errorf("npy: %d dimensions do not fit into a header", len(t.Dims))
	}
	head := append([]byte("\x93NUMPY\x01\x00"), byte(len(text)), byte(len(text)>>8))
	if _, err := w.Write(append(head, text...)); err != nil {
		return err
	}
	_, err := w.Write(data)
	return err
}
