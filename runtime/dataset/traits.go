package dataset

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
)

// traits are what Go's decoders do not tell of a file. They are read on their own, because
// libraries of Exif data either are no longer kept or bring parsers of all of it, and one
// number is wanted. What is damaged here is passed over: the decoder finds it, or it does
// not matter.
type traits struct {
	orientation orientation
	frames      int  // of an animation; 0 or 1 for a still image
	cmyk        bool // of a TIFF
	planar      bool // a TIFF has the planes of its colours one after the other
	inverted    bool // a TIFF that the decoder gives as its negative
	pages       bool // a TIFF has more than one image
}

// maxParts bounds how many chunks or segments are looked at.
const maxParts = 1 << 20

// jpegTraits looks for Exif data in the segments before the pixels.
func jpegTraits(r io.ReaderAt) (t traits) {
	pos := int64(2)
	for range maxParts {
		b := bytesAt(r, pos, 10)
		if len(b) < 4 || b[0] != 0xff {
			return t
		}
		size := int64(binary.BigEndian.Uint16(b[2:]))
		switch marker := b[1]; {
		case marker == 0xff: // fills up
			pos++
			continue
		case marker == 0xda || marker == 0xd9 || size < 2: // the pixels, or the end
			return t
		case marker == 0xe1 && string(b[4:]) == exifPrefix:
			t.orientation = exif(r, pos+4, size-2)
			return t
		}
		pos += 2 + size
	}
	return t
}

// pngTraits looks at all chunks: eXIf may stand behind the pixels. An animation is stated
// before them.
func pngTraits(r io.ReaderAt) (t traits) {
	pos := int64(8)
	for range maxParts {
		b := bytesAt(r, pos, 12)
		if len(b) < 8 {
			return t
		}
		size := int64(binary.BigEndian.Uint32(b))
		switch string(b[4:8]) {
		case "IEND":
			return t
		case "acTL":
			if len(b) == 12 {
				t.frames = int(min(binary.BigEndian.Uint32(b[8:]), math.MaxInt32))
			}
		case "eXIf":
			t.orientation = exif(r, pos+8, size)
		}
		pos += 12 + size
	}
	return t
}

// webpTraits looks at the chunks of a file that has more than pixels.
func webpTraits(r io.ReaderAt) (t traits) {
	pos := int64(12)
	for range maxParts {
		b := bytesAt(r, pos, 8)
		if len(b) < 8 || pos == 12 && string(b[:4]) != "VP8X" {
			return t
		}
		size := int64(binary.LittleEndian.Uint32(b[4:]))
		switch string(b[:4]) {
		case "ANMF":
			t.frames++
		case "EXIF":
			t.orientation = exif(r, pos+8, size)
		}
		pos += 8 + size + size%2
	}
	return t
}

// tiffTraits reads the first directory of a TIFF.
func tiffTraits(r io.ReaderAt) (t traits) {
	d, ok := readDirectory(r, 0)
	if !ok {
		return t
	}
	const blackIsZero, separated, group3, group4 = 1, 5, 3, 4
	return traits{
		orientation: d.orientation,
		cmyk:        d.photometric == separated,
		planar:      d.planar == 2 && d.samples > 1,
		pages:       d.next != 0,
		// Runs that fax codes call white are zeros, which are black then. The decoder (x/image
		// 0.48) takes them for white.
		inverted: d.photometric == blackIsZero && (d.compression == group3 || d.compression == group4),
	}
}

const exifPrefix = "Exif\x00\x00"

// exif is the orientation that Exif data of so many bytes states: a TIFF without pixels, with
// a prefix or not.
func exif(r io.ReaderAt, pos, size int64) orientation {
	if string(bytesAt(r, pos, len(exifPrefix))) == exifPrefix {
		pos, size = pos+int64(len(exifPrefix)), size-int64(len(exifPrefix))
	}
	d, _ := readDirectory(io.NewSectionReader(r, pos, max(size, 0)), 0)
	return d.orientation
}

// directory is what is wanted of a TIFF's first one.
type directory struct {
	orientation orientation
	photometric uint16
	compression uint16
	planar      uint16
	samples     uint16
	next        uint32
}

func readDirectory(r io.ReaderAt, pos int64) (d directory, ok bool) {
	var order binary.ByteOrder
	head := bytesAt(r, pos, 8)
	switch {
	case bytes.HasPrefix(head, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(head, []byte("MM\x00*")):
		order = binary.BigEndian
	}
	if order == nil || len(head) < 8 {
		return d, false
	}
	pos += int64(order.Uint32(head[4:]))
	count := bytesAt(r, pos, 2)
	if len(count) < 2 {
		return d, false
	}
	const size, short = 12, 3
	n := int(order.Uint16(count))
	entries := bytesAt(r, pos+2, n*size+4)
	for i := 0; i < n && len(entries) >= size; i++ {
		value := order.Uint16(entries[8:])
		if order.Uint16(entries[2:]) == short && order.Uint32(entries[4:]) == 1 {
			switch order.Uint16(entries) {
			case 0x103:
				d.compression = value
			case 0x106:
				d.photometric = value
			case 0x115:
				d.samples = value
			case 0x11c:
				d.planar = value
			case 0x112:
				d.orientation = orientation(value)
			}
		}
		entries = entries[size:]
	}
	if len(entries) == 4 {
		d.next = order.Uint32(entries)
	}
	return d, true
}

// bytesAt are up to n bytes.
func bytesAt(r io.ReaderAt, pos int64, n int) []byte {
	b := make([]byte, n)
	got, _ := r.ReadAt(b, pos) // what is cut short gives fewer
	return b[:got]
}
