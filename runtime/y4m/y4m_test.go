package y4m

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"spikingir/runtime/dataset"
)

// stream is a stream of so many bytes of samples in each of its frames.
func stream(header string, frames, size int) []byte {
	var b bytes.Buffer
	b.WriteString(header + "\n")
	for f := range frames {
		b.WriteString("FRAME\n")
		for i := range size {
			b.WriteByte(byte(16 + (i*37+f*11)%200))
		}
	}
	return b.Bytes()
}

// deep is a frame of 16-bit samples, of up to so many bits.
func deep(header string, samples, bits int) []byte {
	b := []byte(header + "\nFRAME\n")
	for i := range samples {
		v := i * 5003 % (1 << bits)
		b = append(b, byte(v), byte(v>>8))
	}
	return b
}

func open(t *testing.T, data []byte) *Reader {
	t.Helper()
	r, err := NewReader(bufio.NewReader(bytes.NewReader(data)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// streams are of all spaces.
func streams() map[string][]byte {
	return map[string][]byte{
		"420":     stream("YUV4MPEG2 W5 H3 F25:1", 3, 15+2*6),
		"420jpeg": stream("YUV4MPEG2 W4 H4 F30000:1001 Ip A1:1 C420jpeg XYSCSS=420JPEG", 2, 24),
		"422":     stream("YUV4MPEG2 W5 H3 F25:1 C422", 1, 15+2*9),
		"444":     stream("YUV4MPEG2 W5 H3 F25:1 C444 XCOLORRANGE=FULL", 1, 45),
		"411":     stream("YUV4MPEG2 W5 H3 F25:1 C411", 1, 15+2*6),
		"mono":    stream("YUV4MPEG2 W5 H3 F25:1 Cmono", 2, 15),
		"420p10":  deep("YUV4MPEG2 W4 H2 F25:1 C420p10", 12, 10),
		"mono16":  deep("YUV4MPEG2 W4 H2 F25:1 Cmono16", 8, 16),
		"params":  []byte("YUV4MPEG2 H1 W2 Cmono\nFRAME Ipp\nab"),
	}
}

// copied reads a stream and writes it.
func copied(data []byte) ([]byte, error) {
	r, err := NewReader(bufio.NewReader(bytes.NewReader(data)))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := NewWriter(&out, r.Header)
	for f := (Frame{}); err == nil; {
		if err = r.Next(&f); err == nil {
			err = w.Write(&f)
		}
	}
	if err != io.EOF {
		return nil, err
	}
	return out.Bytes(), nil
}

func TestRoundTrip(t *testing.T) {
	for name, data := range streams() {
		got, err := copied(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, frames, _ := bytes.Cut(data, []byte("\n"))
		if _, again, _ := bytes.Cut(got, []byte("\n")); !bytes.Equal(frames, again) {
			t.Errorf("%s: frames differ", name)
		}
		if twice, err := copied(got); err != nil || !bytes.Equal(got, twice) {
			t.Errorf("%s: written twice it differs: %v", name, err)
		}
	}
}

func TestHeader(t *testing.T) {
	r := open(t, streams()["420jpeg"])
	if got, want := r.Sized(8, 6, false).String(), "YUV4MPEG2 W8 H6 F30000:1001 Ip A1:1 XYSCSS=420JPEG C420jpeg"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	h := open(t, []byte("YUV4MPEG2 W4 H4 Cmono12 XYSCSS=MONO12 XCOLORRANGE=FULL\n")).Sized(4, 4, true)
	if got, want := h.String(), "YUV4MPEG2 W4 H4 XCOLORRANGE=FULL C444p12"; got != want || !h.Full {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestErrors(t *testing.T) {
	for data, want := range map[string]string{
		"":                                     "it is empty",
		"hello":                                "cut short",
		"hello\n":                              "does not begin with YUV4MPEG2",
		"YUV4MPEG2 W4":                         "cut short",
		"YUV4MPEG2 W4\n":                       "4x0 pixels",
		"YUV4MPEG2 W4 H-4\n":                   "4x-4 pixels",
		"YUV4MPEG2 W1048576 H1048576\n":        "1048576x1048576 pixels",
		"YUV4MPEG2 W99999999999999999999 H1\n": "want a number",
		"YUV4MPEG2 W4 H4 C410\n":               "colour space C410",
		"YUV4MPEG2 W4 H4 C444alpha\n":          "colour space C444alpha",
		"YUV4MPEG2 W4 H4 C420p17\n":            "colour space C420p17",
		"YUV4MPEG2 W4 H4 It\n":                 "interlaced video (It)",
		"YUV4MPEG2 W4 H4 X\x1b[2J\n":           "has the byte 0x1b",
		"YUV4MPEG2 W4 H4 X" + strings.Repeat("x", 5000):   "longer than 4096",
		"YUV4MPEG2 W2 H1 Cmono\nFRAME\nabFRAME\na":        "frame 2: the stream ends within it",
		"YUV4MPEG2 W2 H1 Cmono\nFRAMES\nab":               "frame 1: it does not begin with FRAME",
		"YUV4MPEG2 W2 H1 Cmono\nab":                       "frame 1: a header is cut short",
		"YUV4MPEG2 W1 H1 Cmono10\nFRAME\n\xff\xff":        "frame 1: a sample is 65535, want at most 1023",
		"YUV4MPEG2 W16000 H16000 C444p16\nFRAME\nnothing": "frame 1: the stream ends within it",
	} {
		if _, err := copied([]byte(data)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60q: %v, want %q", data, err, want)
		}
	}
}

// TestHostileSize holds that a header takes no memory for frames that do not come.
func TestHostileSize(t *testing.T) {
	data := []byte("YUV4MPEG2 W16000 H16000 C444p16\nFRAME\nnothing")
	if n := testing.AllocsPerRun(1, func() {
		r := open(t, data)
		var f Frame
		if r.Next(&f) == nil {
			t.Error("a frame of 7 bytes is read")
		}
		if len(f.Planes) == 3 && cap(f.Planes[0]) > chunk {
			t.Errorf("room for %d samples was made", cap(f.Planes[0]))
		}
	}); n > 100 {
		t.Errorf("%g allocations", n)
	}
}

// TestLuma holds that luma is that of the frame as a picture, and that a frame whose luma is
// set to its own is the same, chroma to the bit.
func TestLuma(t *testing.T) {
	for name, data := range streams() {
		r := open(t, data)
		var f, same Frame
		if err := r.Next(&f); err != nil {
			t.Fatal(err)
		}
		for _, p := range f.Planes {
			same.Planes = append(same.Planes, slices.Clone(p))
		}
		luma := r.Luma(&f)
		if !r.Full && r.Space.Depth == 8 && luma.Pix[0] != float32(float64(f.Planes[0][0])/255) {
			t.Errorf("%s: luma is %v of %d", name, luma.Pix[0], f.Planes[0][0])
		}
		if err := r.SetLuma(&f, r.Header, luma); err != nil {
			t.Fatal(err)
		}
		for k, p := range f.Planes {
			if !slices.Equal(p, same.Planes[k]) {
				t.Errorf("%s: plane %d changed", name, k)
			}
		}
	}
}

// TestRGB holds the conversion to known colours, and that colour comes back from it where there
// is chroma for each pixel.
func TestRGB(t *testing.T) {
	for _, c := range []struct {
		header string
		ycc    [3]uint16
		rgb    [3]float64
	}{
		{"YUV4MPEG2 W1 H1 C444", [3]uint16{235, 128, 128}, [3]float64{1, 1, 1}},
		{"YUV4MPEG2 W1 H1 C444", [3]uint16{81, 90, 240}, [3]float64{1, 0, 0}},
		{"YUV4MPEG2 W1 H1 C444p10", [3]uint16{41 * 4, 240 * 4, 110 * 4}, [3]float64{0, 0, 1}},
		{"YUV4MPEG2 W1 H1 C444 XCOLORRANGE=FULL", [3]uint16{255, 128, 128}, [3]float64{1, 1, 1}},
		{"YUV4MPEG2 W1 H1 C444 XCOLORRANGE=FULL", [3]uint16{76, 85, 255}, [3]float64{1, 0, 0}},
	} {
		r := open(t, []byte(c.header+"\n"))
		f := Frame{Planes: [][]uint16{{c.ycc[0]}, {c.ycc[1]}, {c.ycc[2]}}}
		m, err := r.RGB(&f)
		if err != nil {
			t.Fatal(err)
		}
		for k, want := range c.rgb {
			if math.Abs(float64(m.Pix[k])-want) > 0.01 {
				t.Errorf("%s %v: channel %d is %g, want %g", c.header, c.ycc, k, m.Pix[k], want)
			}
		}
		if err := r.SetRGB(&f, m); err != nil {
			t.Fatal(err)
		}
		for k, want := range c.ycc {
			if d := int(f.Planes[k][0]) - int(want); d < -4 || d > 4 {
				t.Errorf("%s: plane %d comes back as %d, want %d", c.header, k, f.Planes[k][0], want)
			}
		}
	}
}

// TestEnlarged holds the sizes of planes of frames that grow.
func TestEnlarged(t *testing.T) {
	for _, name := range []string{"420", "411", "420p10", "mono"} {
		r := open(t, streams()[name])
		var f Frame
		if err := r.Next(&f); err != nil {
			t.Fatal(err)
		}
		to := r.Sized(2*r.W, 2*r.H, false)
		if err := r.SetLuma(&f, to, dataset.NewImage(1, to.H, to.W)); err != nil {
			t.Fatal(err)
		}
		w, err := NewWriter(io.Discard, to)
		if err != nil || w.Write(&f) != nil {
			t.Errorf("%s: the frame does not fit its header", name)
		}
		if err := r.SetLuma(&f, r.Header, dataset.NewImage(1, to.H, to.W)); err == nil {
			t.Errorf("%s: a picture of another size is taken", name)
		}
	}
}

func TestNaN(t *testing.T) {
	r := open(t, []byte("YUV4MPEG2 W1 H1 Cmono\n"))
	m := dataset.NewImage(1, 1, 1)
	m.Pix[0] = float32(math.NaN())
	if err := r.SetLuma(&Frame{Planes: [][]uint16{{0}}}, r.Header, m); err == nil {
		t.Error("NaN becomes a sample")
	}
}

// FuzzReader holds that what is read is written and read back as the same.
func FuzzReader(f *testing.F) {
	for _, data := range streams() {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		once, err := copied(data)
		if err != nil {
			return
		}
		twice, err := copied(once)
		if err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("%q is written as %q and that as %q (%v)", data, once, twice, err)
		}
		r := open(t, once)
		var frame Frame
		if r.W > 1<<12/r.H || r.Next(&frame) != nil {
			return
		}
		if _, err := r.RGB(&frame); err != nil {
			t.Fatal(fmt.Errorf("no colour of %s: %w", r.Header, err))
		}
	})
}
