package dataset

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestReadAgainstPillow holds pixels, opacity, depth and orientation of files of all formats
// to what other libraries read.
func TestReadAgainstPillow(t *testing.T) {
	var kinds []fileVector
	readJSON(t, "testdata/kinds.json", &kinds)
	for _, f := range append(readVectors(t).Files, kinds...) {
		t.Run(f.File, func(t *testing.T) {
			m, err := ReadPicture(filepath.Join("testdata", f.File))
			if err != nil {
				t.Fatal(err)
			}
			if got := [3]int{m.C, m.H, m.W}; got != f.Shape {
				t.Fatalf("shape %v, want %v", got, f.Shape)
			}
			if deep := f.Max > 255; m.Deep != deep {
				t.Errorf("deep is %v, want %v", m.Deep, deep)
			}
			h, w, err := ReadSize(filepath.Join("testdata", f.File))
			if err != nil || h != m.H || w != m.W {
				t.Errorf("ReadSize: %d rows, %d columns, %v; want %d, %d", h, w, err, m.H, m.W)
			}
			// JPEG and WebP decoders may differ by rounding; the others are exact.
			if d := maxDiff(m.Pix, shares(f.Pix, f.Max)) * f.Max; d > f.Tol+0.01 {
				t.Errorf("differs by %.2f of %g, want at most %g", d, f.Max, f.Tol)
			}
			if f.Alpha != nil && maxDiff(m.Alpha, shares(f.Alpha, f.Max))*f.Max > 0.01 {
				t.Errorf("opacity is %v, want %v", m.Alpha, f.Alpha)
			}
		})
	}
}

// shares are values as parts of the largest one.
func shares(values []float64, largest float64) []float64 {
	out := make([]float64, len(values))
	for i, v := range values {
		out[i] = v / largest
	}
	return out
}

// endless gives text without an end.
type endless struct{ given int }

func (e *endless) Read(b []byte) (int, error) {
	e.given += len(b)
	return copy(b, bytes.Repeat([]byte("text "), len(b)/5+1)), nil
}

// TestEndless holds that what is no image is refused by its beginning.
func TestEndless(t *testing.T) {
	e := &endless{}
	if _, err := Decode(e); err == nil || !strings.Contains(err.Error(), "looks like text/plain") {
		t.Errorf("%v, want that it looks like text", err)
	}
	if e.given > 1<<16 {
		t.Errorf("%d bytes were read", e.given)
	}
}

// TestNotes holds what is said of files that are read in part.
func TestNotes(t *testing.T) {
	for name, want := range map[string]string{"pages.tif": "several pages", "cmyk.jpg": "CMYK", "rgb8.png": ""} {
		p, err := ReadPicture(filepath.Join("testdata", name))
		if err != nil || !strings.Contains(p.Note, want) || want == "" && p.Note != "" {
			t.Errorf("%s: note %q, %v, want %q", name, p.Note, err, want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return p
	}
	gray := mustRead(t, "testdata/gray8.png")
	bmp := mustRead(t, "testdata/rgb24.bmp")
	jpg := mustRead(t, "testdata/420.jpg")
	for _, c := range []struct{ path, want string }{
		{filepath.Join(dir, "absent.png"), "no such file"},
		{dir, "is a folder"},
		{write("empty.png", nil), "the file is empty"},
		{write("text.png", []byte("hello, this is no image at all, not one")), "looks like text/plain"},
		{"testdata/animated.gif", "a GIF image, which is not read"},
		{"testdata/animated.png", "an animated PNG of 3 frames"},
		{"testdata/animated.webp", "an animated WebP of 3 frames"},
		{"testdata/cmyk.tif", "a TIFF in CMYK"},
		{"testdata/planar.tif", "apart from each other"},
		{"testdata/float.tif", "a kind of TIFF that is not read"},
		{write("cut.tif", mustRead(t, "testdata/rgb16.tif")[:600]), "damaged TIFF"},
		{write("cut.webp", mustRead(t, "testdata/lossy.webp")[:100]), "damaged WebP"},
		{write("cut.png", gray[:len(gray)-20]), "damaged PNG"},
		{write("short.png", gray[:20]), "damaged PNG"},
		{write("crc.png", flip(gray, len(gray)-16)), "damaged PNG"},
		{write("cut.jpg", jpg[:100]), "damaged JPEG"},
		{write("cut.bmp", bmp[:100]), "damaged BMP"},
		{write("short.bmp", bmp[:30]), "damaged BMP"},
		{write("rle.bmp", put32(bmp, 30, 1)), "a kind of BMP that is not read"},
		{write("deep.bmp", put32(bmp, 28, 16)), "a kind of BMP that is not read"},
		{write("offset.bmp", put32(bmp, 10, 1<<30)), "a kind of BMP that is not read"},
		{write("wide.bmp", put32(put32(bmp, 18, 1<<30), 22, 1<<30)), "header says 1073741824x1073741824"},
		{write("negative.bmp", put32(bmp, 18, -5)), "a kind of BMP that is not read"},
		{write("huge.png", bigPNG(gray, 1<<20, 1<<20)), "PNG header says 1048576x1048576 pixels"},
	} {
		_, err := Read(c.path)
		if err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), c.path) {
			t.Errorf("Read(%s): %v, want an error with the path and %q", filepath.Base(c.path), err, c.want)
		}
	}
}

func TestReadSizeErrors(t *testing.T) {
	dir := t.TempDir()
	gray := mustRead(t, "testdata/gray8.png")
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"empty.png": {nil, "the file is empty"},
		"text.png":  {[]byte("hello, this is no image at all, not one"), "looks like text/plain"},
		"short.png": {gray[:20], "damaged PNG"},
		"huge.png":  {bigPNG(gray, 1<<20, 1<<20), "PNG header says 1048576x1048576 pixels"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		_, _, err := ReadSize(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("ReadSize(%s): %v, want the path and %q", name, err, c.want)
		}
	}
	if _, _, err := ReadSize(filepath.Join(dir, "absent.png")); err == nil {
		t.Error("ReadSize of a file that is not there succeeds")
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// flip returns data with one byte inverted.
func flip(data []byte, i int) []byte {
	data = bytes.Clone(data)
	data[i] ^= 0xff
	return data
}

// put32 returns data with a little-endian number written at i.
func put32(data []byte, i, v int) []byte {
	data = bytes.Clone(data)
	binary.LittleEndian.PutUint32(data[i:], uint32(v))
	return data
}

// bigPNG returns a PNG whose header claims another size, with a right checksum.
func bigPNG(data []byte, w, h uint32) []byte {
	data = bytes.Clone(data)
	binary.BigEndian.PutUint32(data[16:], w)
	binary.BigEndian.PutUint32(data[20:], h)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	return data
}

func FuzzDecode(f *testing.F) {
	entries, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range entries {
		switch filepath.Ext(e.Name()) {
		case ".png", ".jpg", ".bmp", ".tif", ".webp":
			data, err := os.ReadFile(filepath.Join("testdata", e.Name()))
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		// Keep sizes small: what is tested is the parser, not the memory.
		if cfg, _, err := image.DecodeConfig(bytes.NewReader(data)); err == nil &&
			cfg.Width > 1<<14/max(cfg.Height, 1) {
			t.Skip()
		}
		p, err := DecodePicture(bytes.NewReader(data))
		if err != nil {
			return
		}
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "image")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if h, w, err := ReadSize(path); err != nil || w != p.W || h != p.H {
			t.Fatalf("the header says %dx%d pixels (%v), and there are %dx%d", w, h, err, p.W, p.H)
		}
		writtenAgain(t, p)
	})
}

// writtenAgain holds that a picture comes back from a file, rounded.
func writtenAgain(t *testing.T, p Picture) {
	t.Helper()
	var buf bytes.Buffer
	if err := EncodePicture(&buf, p); err != nil {
		t.Fatal(err)
	}
	again, err := DecodePicture(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if p.Alpha != nil { // gray with alpha is written as RGB
		p.Image, again.Image = p.Color(), again.Color()
	}
	rounded := p.Image.Quantize8()
	if p.Deep {
		rounded = p.Image.apply(func(v float32) float32 { return float32(round16(float64(v)) / 65535) })
	}
	if !p.SameSize(again.Image) || p.Deep != again.Deep || !slices.Equal(rounded.Pix, again.Pix) {
		t.Error("what is written differs from what is read back")
	}
	if opaque := again.Alpha == nil; !opaque && !slices.Equal(p.Alpha, again.Alpha) {
		t.Error("opacity that is written differs from what is read back")
	}
}

// TestPictureRoundTrip writes what was read of files with opacity and with 16 bits.
func TestPictureRoundTrip(t *testing.T) {
	for _, name := range []string{"gray16.png", "rgb16.png", "rgba16.png", "graya16.png", "rgba8.png", "graya8.png", "rgb16.tif", "lossless.webp"} {
		p, err := ReadPicture(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		writtenAgain(t, p)
	}
}

// TestWith holds that depth and opacity go over to what a network makes of a picture.
func TestWith(t *testing.T) {
	p, err := ReadPicture("testdata/rgba16.png")
	if err != nil {
		t.Fatal(err)
	}
	same, err := p.With(NewImage(1, p.H, p.W))
	if err != nil || !same.Deep || !slices.Equal(same.Alpha, p.Alpha) {
		t.Errorf("of the same size: %v, deep %v", err, same.Deep)
	}
	large, err := p.With(NewImage(3, 2*p.H, 2*p.W))
	if err != nil || len(large.Alpha) != 4*p.H*p.W || large.Check() != nil {
		t.Errorf("enlarged: %v, %d values of opacity", err, len(large.Alpha))
	}
	if lo, hi := slices.Min(large.Alpha), slices.Max(large.Alpha); lo < 0 || hi > 1 {
		t.Errorf("opacity from %g to %g", lo, hi)
	}
}

func TestWriteRoundTrip(t *testing.T) {
	for _, c := range []int{1, 3} {
		m := ramp(c, 9, 31)
		path := filepath.Join(t.TempDir(), "out.png")
		for range 2 { // the second time over an existing file
			if err := Write(path, m); err != nil {
				t.Fatal(err)
			}
		}
		got, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, got); diff != "" {
			t.Errorf("%d channels (-want +got):\n%s", c, diff)
		}
		entries, err := os.ReadDir(filepath.Dir(path))
		if err != nil || len(entries) != 1 {
			t.Errorf("folder holds %d entries (%v), want the image alone", len(entries), err)
		}
	}
}

func TestEncodeRounds(t *testing.T) {
	m := Image{C: 1, H: 1, W: 7, Pix: []float32{-1, 0.5 / 255, 0.49 / 255, 127.5 / 255, 1, 2,
		float32(math.Inf(1))}}
	var buf bytes.Buffer
	if err := Encode(&buf, m); err != nil {
		t.Fatal(err)
	}
	out, err := png.Decode(&buf)
	if err != nil {
		t.Fatal(err)
	}
	want := []uint8{0, 1, 0, 128, 255, 255, 255}
	if diff := cmp.Diff(want, out.(*image.Gray).Pix); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWriteErrors(t *testing.T) {
	nan := NewImage(3, 2, 2)
	nan.Pix[7] = float32(math.NaN())
	dir := t.TempDir()
	for _, c := range []struct {
		path string
		m    Image
		want string
	}{
		{"x.png", nan, "column 1, row 1, channel 1 is NaN"},
		{"x.png", Image{C: 2, H: 1, W: 1, Pix: make([]float32, 2)}, "2 channels"},
		{"x.png", Image{C: 1, H: 2, W: 2, Pix: make([]float32, 3)}, "holds 3 values, want 4"},
		{"x.png", Image{C: 1}, "0x0 pixels"},
		{"absent/x.png", ramp(1, 2, 2), "no such file"},
	} {
		err := Write(filepath.Join(dir, c.path), c.m)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Write: %v, want %q", err, c.want)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 0 {
		t.Errorf("failed writes left %d files (%v)", len(entries), err)
	}
}

func TestList(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"b.PNG", "a10.jpg", "a2.jpeg", "c.bmp", "notes.txt", ".hidden.png"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder.png"), 0o755); err != nil {
		t.Fatal(err)
	}
	got, err := List(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range got {
		got[i] = filepath.Base(p)
	}
	if diff := cmp.Diff([]string{"a10.jpg", "a2.jpeg", "b.PNG", "c.bmp"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"none": "does not exist", "folder.png": "holds no image",
	} {
		_, err := List(filepath.Join(dir, name))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("folder %s: %v, want %q", name, err, want)
		}
	}
}
