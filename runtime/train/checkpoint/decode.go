package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
		a := Array{Name: e.Name}
		if e.Type == "float32" {
			a.Float32 = make([]float32, e.Length)
		} else {
			a.Uint64 = make([]uint64, e.Length)
		}
		if err := cutShort(binary.Read(body, binary.LittleEndian, a.elements())); err != nil {
			return nil, fmt.Errorf("array %s: %w", e.Name, err)
		}
		c.Arrays = append(c.Arrays, a)
	}
	return c, c.check()
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
		bytes := widths[e.Type]
		if bytes == 0 {
			return fmt.Errorf("array %s: unknown array type %q, want float32 or uint64", e.Name, e.Type)
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

// readFull fills buf.
func readFull(r io.Reader, buf []byte) error {
	_, err := io.ReadFull(r, buf)
	return cutShort(err)
}

// cutShort says it in words where a file ends early: it was cut while it was read.
func cutShort(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("checkpoint is cut short")
	}
	return err
}
