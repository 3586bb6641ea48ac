// Package y4m reads and writes YUV4MPEG2 streams, uncompressed video as other programs pipe
// it, one frame at a time.
//
// A [Frame] holds the samples of the file. [Header.Luma] and [Header.RGB] make images of them
// as package dataset has them, and [Header.SetLuma] and [Header.SetRGB] bring images back. The
// matrix is that of BT.601, studio swing or full range as the stream says by XCOLORRANGE, and
// chroma of fewer pixels is taken as centred between those of luma and resized by the bicubic of
// package dataset. Neither matters to luma alone.
package y4m

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"spikingir/runtime/dataset"
)

// Magic is what a stream begins with.
const Magic = "YUV4MPEG2 "

// maxLine is the most bytes of a header, of the stream or of a frame.
const maxLine = 4096

// A Space is how samples stand for pixels: an entry of "C" such as 420jpeg or 444p10.
type Space struct {
	Tag    string // as the stream has it; empty is 420jpeg
	SX, SY int    // pixels of luma for one of chroma, across and down; 0 without chroma
	Depth  int    // bits of a sample: 8, or up to 16 in two bytes
}

// spaces are the layouts that are read; with 8 bits, or with more by a suffix.
var spaces = map[string]Space{
	"420": {SX: 2, SY: 2}, "420jpeg": {SX: 2, SY: 2}, "420mpeg2": {SX: 2, SY: 2}, "420paldv": {SX: 2, SY: 2},
	"422": {SX: 2, SY: 1}, "444": {SX: 1, SY: 1}, "411": {SX: 4, SY: 1}, "mono": {},
}

// parseSpace reads the value of "C".
func parseSpace(tag string) (Space, error) {
	s, ok := spaces[tag]
	s.Depth = 8
	if !ok {
		base, bits, found := strings.Cut(tag, "p")
		if rest, mono := strings.CutPrefix(tag, "mono"); mono {
			base, bits, found = "mono", rest, true
		}
		depth, err := strconv.Atoi(bits)
		if s, ok = spaces[base]; !found || !ok || err != nil || depth < 9 || depth > 16 {
			return s, fmt.Errorf("colour space C%s, want 420, 422, 444, 411 or mono, of 8 to 16 bits, without alpha", tag)
		}
		s.Depth = depth
	}
	s.Tag = tag
	return s, nil
}

// colour is the space of the same depth that has full chroma.
func (s Space) colour() Space {
	out := Space{Tag: "444", SX: 1, SY: 1, Depth: s.Depth}
	if s.Depth > 8 {
		out.Tag = fmt.Sprintf("444p%d", s.Depth)
	}
	return out
}

// Mono reports whether there is no chroma.
func (s Space) Mono() bool { return s.SX == 0 }

// A Header says what all frames of a stream are like.
type Header struct {
	W, H  int
	Space Space
	Full  bool // samples have the full range, and not studio swing

	rest []string // entries that are passed on: rate, aspect and others
}

// Sized is h of frames of another size, with chroma even where h has none if that is asked for.
func (h Header) Sized(width, height int, colour bool) Header {
	h.W, h.H = width, height
	if colour && h.Space.Mono() {
		h.Space = h.Space.colour()
		var rest []string
		for _, e := range h.rest {
			if !strings.HasPrefix(e, "XYSCSS=") { // says the space once more
				rest = append(rest, e)
			}
		}
		h.rest = rest
	}
	return h
}

// String is the line that a stream begins with, without its end.
func (h Header) String() string {
	fields := append([]string{strings.TrimSpace(Magic), fmt.Sprintf("W%d", h.W), fmt.Sprintf("H%d", h.H)}, h.rest...)
	if h.Space.Tag != "" {
		fields = append(fields, "C"+h.Space.Tag)
	}
	return strings.Join(fields, " ")
}

// parseHeader reads the first line.
func parseHeader(line string) (h Header, err error) {
	body, ok := strings.CutPrefix(line, Magic)
	if !ok {
		return h, errors.New("not a Y4M stream: it does not begin with YUV4MPEG2")
	}
	h.Space, _ = parseSpace("420jpeg")
	h.Space.Tag = "" // unless it is stated
	for entry := range strings.FieldsSeq(body) {
		if err := h.add(entry[:1], entry[1:]); err != nil {
			return h, err
		}
	}
	if h.W < 1 || h.H < 1 || h.W > dataset.MaxPixels/h.H {
		return h, fmt.Errorf("header says %dx%d pixels, want 1 to %d in all", h.W, h.H, dataset.MaxPixels)
	}
	return h, nil
}

func (h *Header) add(key, value string) (err error) {
	switch key {
	case "W":
		h.W, err = side(value)
	case "H":
		h.H, err = side(value)
	case "C":
		h.Space, err = parseSpace(value)
	case "I":
		if value != "p" && value != "?" {
			return fmt.Errorf("interlaced video (I%s), want whole frames: deinterlace it first", value)
		}
		fallthrough
	default:
		h.rest = append(h.rest, key+value)
		if swing, ok := strings.CutPrefix(value, "COLORRANGE="); ok && key == "X" {
			h.Full = swing == "FULL"
		}
	}
	return err
}

func side(value string) (int, error) {
	n, err := strconv.Atoi(value)
	if err != nil {
		return 0, fmt.Errorf("header says a side of %q pixels, want a number", value)
	}
	return n, nil
}

// readLine reads to the end of a line of printable ASCII.
func readLine(r *bufio.Reader) (string, error) {
	var line []byte
	for {
		c, err := r.ReadByte()
		switch {
		case err == io.EOF && len(line) == 0:
			return "", io.EOF
		case err == io.EOF:
			return "", errors.New("a header is cut short")
		case err != nil:
			return "", err
		case c == '\n':
			return string(line), nil
		case c < ' ' || c > '~':
			return "", fmt.Errorf("a header has the byte %#02x, want text", c)
		case len(line) == maxLine:
			return "", fmt.Errorf("a header is longer than %d bytes", maxLine)
		}
		line = append(line, c)
	}
}
