package dataset

import (
	"bufio"
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

func TestReadAgainstPillow(t *testing.T) {
	for _, f := range readVectors(t).Files {
		t.Run(f.File, func(t *testing.T) {
			m, err := Read(filepath.Join("testdata", f.File))
			if err != nil {
				t.Fatal(err)
			}
			if got := [3]int{m.C, m.H, m.W}; got != f.Shape {
				t.Fatalf("shape %v, want %v", got, f.Shape)
			}
			h, w, err := ReadSize(filepath.Join("testdata", f.File))
			if err != nil || h != m.H || w != m.W {
				t.Errorf("ReadSize: %d rows, %d columns, %v; want %d, %d", h, w, err, m.H, m.W)
			}
			want := make([]float64, len(f.Pix))
			for i, v := range f.Pix {
				want[i] = v / f.Max
			}
			// JPEG decoders may differ by rounding; the others are exact.
			if d := maxDiff(m.Pix, want) * f.Max; d > f.Tol+0.01 {
				t.Errorf("differs by %.2f of %g, want at most %g", d, f.Max, f.Tol)
			}
		})
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
		{write("gif.png", []byte("GIF89a..............................")), "looks like image/gif"},
		{write("cut.png", gray[:len(gray)-20]), "damaged PNG"},
		{write("short.png", gray[:20]), "damaged PNG"},
		{write("crc.png", flip(gray, len(gray)-16)), "damaged PNG"},
		{write("cut.jpg", jpg[:100]), "damaged JPEG"},
		{write("cut.bmp", bmp[:100]), "pixels end in row 1"},
		{write("short.bmp", bmp[:30]), "header is cut short"},
		{write("rle.bmp", put32(bmp, 30, 1)), "compression method 1"},
		{write("deep.bmp", put32(bmp, 28, 16)), "16 bits per pixel"},
		{write("offset.bmp", put32(bmp, 10, 1<<30)), "pixels start at byte"},
		{write("wide.bmp", put32(put32(bmp, 18, 1<<30), 22, 1<<30)), "header says 1073741824x1073741824"},
		{write("negative.bmp", put32(bmp, 18, -5)), "BMP header says -5x"},
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
		case ".png", ".jpg", ".bmp":
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
		if h, err := readBMPHeader(bytes.NewReader(data)); err == nil &&
			(h.width > 1<<7 || h.height > 1<<7) {
			t.Skip()
		}
		m, err := Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(bytes.NewReader(data))
		format, _, err := sniff(in)
		if err != nil {
			t.Fatal(err)
		}
		if cfg, err := format.size(in); err != nil || cfg.Width != m.W || cfg.Height != m.H {
			t.Fatalf("the header says %dx%d pixels (%v), and there are %dx%d", cfg.Width, cfg.Height, err, m.W, m.H)
		}
		var buf bytes.Buffer
		if err := Encode(&buf, m); err != nil {
			t.Fatal(err)
		}
		again, err := Decode(&buf)
		if err != nil {
			t.Fatal(err)
		}
		if !m.SameSize(again) || !slices.Equal(m.Quantize8().Pix, again.Pix) {
			t.Error("Decode(Encode(m)) differs from m.Quantize8()")
		}
	})
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
