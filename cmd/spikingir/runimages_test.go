package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/onnxio"
	"spikingir/onnxio/text"
	"spikingir/runtime/dataset"
)

// TestRun16 holds that an image of 16 bits goes through a network without being rounded to 8:
// the file has what float32 gives, rounded once.
func TestRun16(t *testing.T) {
	dir := t.TempDir()
	model, in, out := filepath.Join(dir, "m.onnx"), filepath.Join(dir, "in.png"), filepath.Join(dir, "out.png")
	b, err := fixtures.Model("dncnn")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(model, b, 0o666); err != nil {
		t.Fatal(err)
	}
	p := dataset.Picture{Image: dataset.NewImage(1, 24, 31), Deep: true}
	for i := range p.Pix {
		p.Pix[i] = float32(i*5003%65536) / 65535
	}
	if err := dataset.WritePicture(in, p); err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	if code := run([]string{"run", model, "-i", in, "-o", out}, nil, io.Discard, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	m, err := spikingir.Read(model)
	if err != nil {
		t.Fatal(err)
	}
	net, err := spikingir.Open(m, spikingir.RunOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	want, err := net.Restore(context.Background(), p.Image)
	if err != nil {
		t.Fatal(err)
	}
	got, err := spikingir.ReadPicture(out)
	if err != nil || !got.Deep {
		t.Fatalf("deep %v, %v", got.Deep, err)
	}
	coarse := 0
	for i, v := range want.Clip().Pix {
		if d := math.Abs(float64(v)-float64(got.Pix[i])) * 65535; d > 0.51 {
			t.Fatalf("pixel %d differs by %g steps of 16 bits", i, d)
		}
		if k := float64(got.Pix[i]) * 255; math.Abs(k-math.Round(k)) < 1e-3 {
			coarse++
		}
	}
	if coarse > len(want.Pix)/2 {
		t.Errorf("%d of %d pixels are multiples of 1/255", coarse, len(want.Pix))
	}
}

// frameSource makes a video as it is read, and notes how much memory is in use at each frame.
type frameSource struct {
	frame []byte
	left  int
	rest  []byte
	use   []uint64
}

func (s *frameSource) Read(b []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.left == 0 {
			return 0, io.EOF
		}
		s.left--
		s.rest = s.frame
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		s.use = append(s.use, m.HeapAlloc)
	}
	n := copy(b, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// TestVideoMemory holds that a long video takes no more memory than a short one.
func TestVideoMemory(t *testing.T) {
	m, err := text.Parse(`<ir_version: 8, opset_import: ["" : 17]> g (float[N,1,H,W] x) => (float[N,1,H,W] y) { y = Identity(x) }`)
	if err != nil {
		t.Fatal(err)
	}
	model := filepath.Join(t.TempDir(), "m.onnx")
	if err := onnxio.WriteFile(model, m); err != nil {
		t.Fatal(err)
	}
	const w, h, frames = 320, 240, 60
	header := fmt.Sprintf("YUV4MPEG2 W%d H%d F25:1 C420jpeg\n", w, h)
	s := &frameSource{frame: append([]byte("FRAME\n"), bytes.Repeat([]byte{99}, w*h*3/2)...), left: frames, rest: []byte(header)}
	var errs bytes.Buffer
	count := &counter{}
	if code := run([]string{"run", model, "-i", "-", "-o", "-", "--quiet", "--threads", "1"}, s, count, &errs); code != 0 {
		t.Fatal(errs.String())
	}
	if want := len(header) + frames*len(s.frame); count.n != want {
		t.Errorf("%d bytes were written, want %d", count.n, want)
	}
	early, late := s.use[5], s.use[len(s.use)-1]
	if late > early+10*w*h { // fewer than ten frames of luma
		t.Errorf("after %d frames %d bytes are in use, after 5 %d", frames, late, early)
	}
}

type counter struct{ n int }

func (c *counter) Write(b []byte) (int, error) {
	c.n += len(b)
	return len(b), nil
}
