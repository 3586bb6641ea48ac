package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

const (
	magic   = "SPIKCKPT"
	version = 1
	// prefix is the length of what comes before the header, trailer that of the
	// checksum.
	prefix  = 24
	trailer = sha256.Size
	// maxHeader bounds the header: some hundred thousand arrays.
	maxHeader = 1 << 24
	// block is how many bytes of an array are converted at once.
	block = 1 << 15
)

// A document is the header as it is stored.
type document struct {
	Header
	Arrays []entry `json:"arrays"`
}

// An entry describes one array.
type entry struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Length int64  `json:"length"`
}

// Encode writes c in the format of the package's comment.
func Encode(w io.Writer, c *Checkpoint) error {
	if err := c.check(); err != nil {
		return err
	}
	head, size, err := c.header()
	if err != nil {
		return err
	}
	sum := sha256.New()
	out := io.MultiWriter(sum, w)
	start := binary.LittleEndian.AppendUint32([]byte(magic), version)
	start = binary.LittleEndian.AppendUint32(start, uint32(len(head)))
	start = binary.LittleEndian.AppendUint64(start, uint64(size))
	if _, err := out.Write(append(start, head...)); err != nil {
		return err
	}
	for i := range c.Arrays {
		if err := c.Arrays[i].encode(out); err != nil {
			return err
		}
	}
	_, err = w.Write(sum.Sum(nil))
	return err
}

// header returns the JSON and the length of the whole file.
func (c *Checkpoint) header() (head []byte, size int64, err error) {
	d := document{Header: c.Header, Arrays: []entry{}}
	size = prefix + trailer
	for i := range c.Arrays {
		kind, n, err := c.Arrays[i].kind()
		if err != nil {
			return nil, 0, err
		}
		bytes, err := width(kind)
		if err != nil {
			return nil, 0, err
		}
		d.Arrays = append(d.Arrays, entry{c.Arrays[i].Name, kind, int64(n)})
		size += bytes * int64(n)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		return nil, 0, fmt.Errorf("header: %w", err)
	}
	head = bytes.TrimSuffix(b.Bytes(), []byte("\n"))
	if len(head) > maxHeader {
		return nil, 0, fmt.Errorf("header of %d bytes, want at most %d", len(head), maxHeader)
	}
	return head, size + int64(len(head)), nil
}

// encode writes the elements.
func (a *Array) encode(w io.Writer) error {
	switch {
	case a.Float32 != nil:
		return encodeBlocks(w, a.Float32, 4, func(b []byte, v float32) []byte {
			return binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		})
	case a.Float64 != nil:
		return encodeBlocks(w, a.Float64, 8, func(b []byte, v float64) []byte {
			return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		})
	}
	return encodeBlocks(w, a.Uint64, 8, binary.LittleEndian.AppendUint64)
}

func encodeBlocks[T any](w io.Writer, data []T, width int, put func([]byte, T) []byte) error {
	buf := make([]byte, 0, min(block, width*len(data)))
	for len(data) > 0 {
		n := min(len(data), block/width)
		buf = buf[:0]
		for _, v := range data[:n] {
			buf = put(buf, v)
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}
