package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
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
		if err := binary.Write(out, binary.LittleEndian, c.Arrays[i].elements()); err != nil {
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
		d.Arrays = append(d.Arrays, entry{c.Arrays[i].Name, kind, int64(n)})
		size += widths[kind] * int64(n)
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
