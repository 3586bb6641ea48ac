package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/fixtures"
	"spikingir/onnxio"
	"spikingir/onnxio/text"
	"spikingir/runtime/dataset"
)

// littleImage is the upper left n x n pixels of a PNG.
func littleImage(t *testing.T, data []byte, n int) []byte {
	t.Helper()
	img, err := dataset.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if img, err = img.Crop(0, 0, n, n); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := dataset.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// heap watches the memory in use over a run of many images.
type heap struct {
	early, late int // after which images it is measured
	bytes       map[int]int64
}

// after is called when an image is done.
func (h *heap) after(done int) {
	if done != h.early && done != h.late {
		return
	}
	runtime.GC()
	runtime.GC() // what the first one found finalizers for
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.bytes[done] = int64(m.HeapAlloc)
}

// check demands that it has stayed: a name and a few figures of each image are all that
// may be kept.
func (h *heap) check(t *testing.T, what string) {
	t.Helper()
	if len(h.bytes) != 2 {
		t.Fatalf("%s: measured %d times, want 2", what, len(h.bytes))
	}
	more, most := h.bytes[h.late]-h.bytes[h.early], int64(h.late-h.early)*512
	t.Logf("%s: %d KiB in use after %d images, %d KiB after %d", what, h.bytes[h.early]>>10, h.early, h.bytes[h.late]>>10, h.late)
	if more > most {
		t.Errorf("%s: %d bytes more are in use after %d images than after %d, want %d at most", what, more, h.late, h.early, most)
	}
}

// lineCounter hears of each line that is written.
type lineCounter struct {
	lines int
	each  func(lines int)
}

func (w *lineCounter) Write(b []byte) (int, error) {
	for range bytes.Count(b, []byte("\n")) {
		w.lines++
		w.each(w.lines)
	}
	return len(b), nil
}

// TestFlatMemory restores and measures a folder of 2,000 images: what is in use does not grow.
func TestFlatMemory(t *testing.T) {
	h := heap{early: 200, late: 2000}
	if testing.Short() {
		h = heap{early: 100, late: 400}
	}
	dir := t.TempDir()
	path := func(name ...string) string { return filepath.Join(append([]string{dir}, name...)...) }
	images, err := fixtures.Images(fixtures.Clean)
	if err != nil {
		t.Fatal(err)
	}
	ann, err := text.Parse(`<ir_version: 8, opset_import: ["" : 17]>
g (float[N,1,H,W] x) => (float[N,1,H,W] y)
<float[2,1,1,1] v = {0.75, -0.5}, float[1,2,1,1] w = {0.5, 0.25}, float[2] b = {0, 0.25}>
{
  c = Conv (x, v, b)
  r = Relu (c)
  y = Conv (r, w)
}`)
	if err != nil {
		t.Fatal(err)
	}
	b, err := onnxio.Encode(ann)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path("in"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"ann.onnx": b, "a.png": littleImage(t, images[0].Data, 12)} {
		if err := os.WriteFile(path(name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for i := range h.late {
		if err := os.Link(path("a.png"), path("in", fmt.Sprintf("%04d.png", i))); err != nil {
			t.Skipf("no links here: %v", err)
		}
	}
	h.bytes = map[int]int64{}
	var errs bytes.Buffer
	if code := run([]string{"convert", path("ann.onnx"), "-o", path("m.onnx"), "-T", "2", "--limit", "1", "--quiet"}, nil, io.Discard, &errs); code != cli.ExitOK {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	args := []string{"run", path("m.onnx"), "-i", path("in"), "-o", path("out"), "--threads", "1"}
	if code := run(args, nil, &lineCounter{each: h.after}, &errs); code != cli.ExitOK {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	h.check(t, "run")

	h.bytes = map[int]int64{}
	m, err := spikingir.Read(path("m.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	net, err := spikingir.Open(m, spikingir.RunOptions{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	data := spikingir.Data{Dir: path("in"), Task: spikingir.Task{Kind: spikingir.Denoise, Sigma: 25}}
	o := spikingir.EvaluateOptions{Progress: func(done, _ int) { h.after(done) }}
	if _, err := spikingir.Evaluate(context.Background(), net, data, o); err != nil {
		t.Fatal(err)
	}
	h.check(t, "eval")
}
