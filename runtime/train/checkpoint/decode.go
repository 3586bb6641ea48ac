package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
)

// Decode reads a checkpoint of size bytes. Nothing in it is believed before the
// checksum agrees, and no length after that without a look at the size.
func Decode(r io.ReaderAt, size int64) (*Checkpoint, error) {
	headLen, err := checkFrame(r, size)
	if err != nil {
		return nil, err
	}
	head := make([]byte, headLen)
	if err := readFull(io.NewSectionReader(r, prefix, headLen), head); err != nil {
		return nil, err
	}
	d, err := parseHeader(head)
	if err != nil {
		return nil, err
	}
	begin, end := prefix+headLen, size-trailer
	if err := d.fits(end - begin); err != nil {
		return nil, err
	}
	c := &Checkpoint{Header: d.Header}
	body := io.NewSectionReader(r, begin, end-begin)
	for _, e := range d.Arrays {
		a, err := e.decode(body)
		if err != nil {
			return nil, fmt.Errorf("array %s: %w", e.Name, err)
		}
		c.Arrays = append(c.Arrays, a)
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return c, nil
}

// checkFrame checks all but the header and the arrays, and returns the length of
// the header.
func checkFrame(r io.ReaderAt, size int64) (int64, error) {
	start := make([]byte, min(max(size, 0), prefix))
	if err := readFull(io.NewSectionReader(r, 0, size), start); err != nil {
		return 0, err
	}
	if !bytes.HasPrefix(start, []byte(magic)) {
		return 0, errors.New("not a checkpoint: it does not begin with " + magic)
	}
	if size < prefix+trailer {
		return 0, fmt.Errorf("checkpoint is cut short: it holds %d bytes, want at least %d", size, prefix+trailer)
	}
	if v := binary.LittleEndian.Uint32(start[8:]); v != version {
		return 0, fmt.Errorf("checkpoint has format version %d, want %d", v, version)
	}
	if said := binary.LittleEndian.Uint64(start[16:]); said != uint64(size) {
		return 0, fmt.Errorf("checkpoint is damaged or cut short: it holds %d bytes and says %d", size, said)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(r, 0, size-trailer)); err != nil {
		return 0, err
	}
	var want [trailer]byte
	if err := readFull(io.NewSectionReader(r, size-trailer, trailer), want[:]); err != nil {
		return 0, err
	}
	if !bytes.Equal(sum.Sum(nil), want[:]) {
		return 0, fmt.Errorf("checkpoint is damaged: its SHA-256 is %x, want %x", sum.Sum(nil)[:6], want[:6])
	}
	headLen := int64(binary.LittleEndian.Uint32(start[12:]))
	if headLen > min(size-prefix-trailer, maxHeader) {
		return 0, fmt.Errorf("checkpoint of %d bytes says its header has %d", size, headLen)
	}
	return headLen, nil
}

// parseHeader reads the JSON and refuses what this version would not write.
func parseHeader(head []byte) (*document, error) {
	var d document
	dec := json.NewDecoder(bytes.NewReader(head))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&d); err != nil {
		return nil, fmt.Errorf("header of the checkpoint: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("header of the checkpoint: more than one value")
	}
	if string(d.Settings) == "null" {
		d.Settings = nil
	}
	return &d, nil
}

// fits checks that the arrays fill room exactly.
func (d *document) fits(room int64) error {
	left := room
	for _, e := range d.Arrays {
		bytes, err := width(e.Type)
		if err != nil {
			return fmt.Errorf("array %s: %w", e.Name, err)
		}
		if e.Length < 0 || e.Length > left/bytes {
			return fmt.Errorf("array %s says it has %d values of %s, want no more than the %d bytes left hold",
				e.Name, e.Length, e.Type, left)
		}
		left -= bytes * e.Length
	}
	if left != 0 {
		return fmt.Errorf("arrays of the checkpoint take %d bytes, want all %d", room-left, room)
	}
	return nil
}

// decode reads the elements of an array whose length fits has checked.
func (e entry) decode(r io.Reader) (Array, error) {
	a := Array{Name: e.Name}
	var err error
	switch e.Type {
	case typeFloat32:
		a.Float32 = make([]float32, e.Length)
		err = decodeBlocks(r, a.Float32, 4, func(b []byte) float32 {
			return math.Float32frombits(binary.LittleEndian.Uint32(b))
		})
	case typeFloat64:
		a.Float64 = make([]float64, e.Length)
		err = decodeBlocks(r, a.Float64, 8, func(b []byte) float64 {
			return math.Float64frombits(binary.LittleEndian.Uint64(b))
		})
	default:
		a.Uint64 = make([]uint64, e.Length)
		err = decodeBlocks(r, a.Uint64, 8, binary.LittleEndian.Uint64)
	}
	return a, err
}

func decodeBlocks[T any](r io.Reader, data []T, width int, get func([]byte) T) error {
	buf := make([]byte, min(block, width*len(data)))
	for len(data) > 0 {
		n := min(len(data), block/width)
		if err := readFull(r, buf[:n*width]); err != nil {
			return err
		}
		for i := range n {
			data[i] = get(buf[i*width:])
		}
		data = data[n:]
	}
	return nil
}

// readFull fills buf; a file that ends early was cut while it was read.
func readFull(r io.Reader, buf []byte) error {
	_, err := io.ReadFull(r, buf)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("checkpoint is cut short")
	}
	return err
}
