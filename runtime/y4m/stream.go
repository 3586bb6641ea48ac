package y4m

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// A Frame is the samples of one picture.
type Frame struct {
	// Planes are luma, and where there is chroma Cb and Cr, row by row.
	Planes [][]uint16

	params string // of the frame's own header, with the space before them
}

// planes are the sizes of a frame's planes.
func (h Header) planes() [][2]int {
	list := [][2]int{{h.H, h.W}}
	if s := h.Space; !s.Mono() {
		chroma := [2]int{(h.H + s.SY - 1) / s.SY, (h.W + s.SX - 1) / s.SX}
		list = append(list, chroma, chroma)
	}
	return list
}

// A Reader gives the frames of a stream, of which it holds one at a time.
type Reader struct {
	Header
	r   *bufio.Reader
	n   int
	buf []byte
}

// NewReader reads the header of a stream.
func NewReader(r *bufio.Reader) (*Reader, error) {
	line, err := readLine(r)
	if err == io.EOF {
		err = errors.New("not a Y4M stream: it is empty")
	}
	if err != nil {
		return nil, err
	}
	h, err := parseHeader(line)
	return &Reader{Header: h, r: r}, err
}

// Next reads a frame into f, whose memory it takes where that is large enough. The error is
// io.EOF behind the last frame; others name the frame.
func (r *Reader) Next(f *Frame) error {
	line, err := readLine(r.r)
	if err == io.EOF {
		return err
	}
	r.n++
	if err == nil {
		err = r.frame(f, line)
	}
	if err != nil {
		return fmt.Errorf("frame %d: %w", r.n, err)
	}
	return nil
}

func (r *Reader) frame(f *Frame, line string) error {
	params, ok := strings.CutPrefix(line, "FRAME")
	if !ok || params != "" && params[0] != ' ' {
		return errors.New("it does not begin with FRAME")
	}
	f.params = params
	sizes := r.planes()
	if len(f.Planes) != len(sizes) {
		f.Planes = make([][]uint16, len(sizes))
	}
	for k, s := range sizes {
		var err error
		if f.Planes[k], err = r.plane(f.Planes[k][:0], s[0]*s[1]); err != nil {
			return err
		}
	}
	return nil
}

// chunk is how many samples are read at once: a header that promises much takes no more
// memory than what follows it.
const chunk = 1 << 15

// plane appends n samples to dst.
func (r *Reader) plane(dst []uint16, n int) ([]uint16, error) {
	size := 1
	if r.Space.Depth > 8 {
		size = 2
	}
	if r.buf == nil {
		r.buf = make([]byte, chunk*size)
	}
	top := uint16(1<<r.Space.Depth - 1)
	for len(dst) < n {
		b := r.buf[:size*min(n-len(dst), chunk)]
		if _, err := io.ReadFull(r.r, b); err != nil {
			if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
				err = errors.New("the stream ends within it")
			}
			return dst, err
		}
		if size == 1 {
			for _, v := range b {
				dst = append(dst, uint16(v))
			}
			continue
		}
		for i := 0; i < len(b); i += 2 {
			v := uint16(b[i]) | uint16(b[i+1])<<8
			if v > top {
				return dst, fmt.Errorf("a sample is %d, want at most %d (%d bits)", v, top, r.Space.Depth)
			}
			dst = append(dst, v)
		}
	}
	return dst, nil
}

// A Writer writes a stream.
type Writer struct {
	h   Header
	w   *bufio.Writer
	buf []byte
}

// NewWriter writes the header of a stream.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	out := &Writer{h: h, w: bufio.NewWriter(w)}
	if _, err := out.w.WriteString(h.String() + "\n"); err != nil {
		return nil, err
	}
	return out, out.w.Flush()
}

// Write writes a frame, to the last byte.
func (w *Writer) Write(f *Frame) error {
	if _, err := w.w.WriteString("FRAME" + f.params + "\n"); err != nil {
		return err
	}
	for k, s := range w.h.planes() {
		if k >= len(f.Planes) || len(f.Planes[k]) != s[0]*s[1] {
			return fmt.Errorf("frame whose plane %d is not of %dx%d samples", k, s[1], s[0])
		}
		if err := w.plane(f.Planes[k]); err != nil {
			return err
		}
	}
	return w.w.Flush()
}

func (w *Writer) plane(samples []uint16) error {
	for len(samples) > 0 {
		n := min(len(samples), chunk)
		w.buf = w.buf[:0]
		for _, v := range samples[:n] {
			w.buf = append(w.buf, byte(v))
			if w.h.Space.Depth > 8 {
				w.buf = append(w.buf, byte(v>>8))
			}
		}
		if _, err := w.w.Write(w.buf); err != nil {
			return err
		}
		samples = samples[n:]
	}
	return nil
}
