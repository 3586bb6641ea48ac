package spikingir_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"spikingir"
	"spikingir/onnxio/text"
	"spikingir/passes"
)

func read(t *testing.T, name string) *spikingir.Model {
	t.Helper()
	m, err := spikingir.Read(filepath.Join("fixtures", "models", name+".onnx"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func open(t *testing.T, m *spikingir.Model, o spikingir.RunOptions) *spikingir.Network {
	t.Helper()
	n, err := spikingir.Open(m, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return n
}

func image(t *testing.T, name string) spikingir.Image {
	t.Helper()
	m, err := spikingir.ReadImage(filepath.Join("fixtures", "images", name))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestRestore checks what a network of one channel makes of a colour image, and one of
// three of a gray image.
func TestRestore(t *testing.T) {
	ctx := context.Background()
	colour, err := image(t, "clean/s01.png").Crop(0, 0, 40, 48)
	if err != nil {
		t.Fatal(err)
	}
	gray := colour.Gray()
	dncnn := read(t, "dncnn")
	luma, each := open(t, dncnn, spikingir.RunOptions{}), open(t, dncnn, spikingir.RunOptions{EachChannel: true})
	aod := open(t, read(t, "aodnet"), spikingir.RunOptions{})
	for _, c := range []struct {
		name string
		net  *spikingir.Network
		in   spikingir.Image
		c    int
	}{{"luma", luma, colour, 3}, {"each channel", each, colour, 3}, {"gray", luma, gray, 1}, {"gray made RGB", aod, gray, 3}} {
		out, err := c.net.Restore(ctx, c.in)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if out.C != c.c || out.H != 40 || out.W != 48 {
			t.Errorf("%s: %d channels of %dx%d, want %d of 48x40", c.name, out.C, out.W, out.H, c.c)
		}
	}
	// The luma that was restored is what the network makes of the luma.
	ycc, err := colour.YCbCr()
	if err != nil {
		t.Fatal(err)
	}
	want, err := luma.Restore(ctx, spikingir.Image{C: 1, H: 40, W: 48, Pix: ycc.Plane(0)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := luma.Restore(ctx, colour)
	if err != nil {
		t.Fatal(err)
	}
	if got, err = got.YCbCr(); err != nil {
		t.Fatal(err)
	}
	for i, y := range got.Plane(0) {
		if d := y - want.Pix[i]; d > 1e-5 || d < -1e-5 {
			t.Fatalf("pixel %d: luma %g, want %g", i, y, want.Pix[i])
		}
	}
	for i := range 2 * len(want.Pix) {
		if d := got.Pix[len(want.Pix)+i] - ycc.Pix[len(want.Pix)+i]; d > 1e-5 || d < -1e-5 {
			t.Fatalf("chroma %d moved by %g", i, d)
		}
	}
}

// TestGoroutines checks that a network restores several images at once as one by one.
func TestGoroutines(t *testing.T) {
	m, err := spikingir.Read(filepath.Join("fixtures", "tuned", "dncnn.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	n := open(t, m, spikingir.RunOptions{Threads: 2})
	var wg sync.WaitGroup
	for _, name := range []string{"s01", "s02", "s03"} {
		img, err := image(t, "clean/"+name+".png").Crop(0, 0, 40, 44)
		if err != nil {
			t.Fatal(err)
		}
		want, err := n.Restore(t.Context(), img)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			wg.Go(func() {
				if got, err := n.Restore(t.Context(), img); err != nil || !slices.Equal(got.Pix, want.Pix) {
					t.Errorf("%s: other pixels at once than alone, error %v", name, err)
				}
			})
		}
	}
	wg.Wait()
}

// TestMemoryLimit checks that tiles change no bit, and that what cannot be kept under
// the limit is refused.
func TestMemoryLimit(t *testing.T) {
	ctx := context.Background()
	m, img := read(t, "dncnn"), image(t, "clean/s02.png").Gray()
	whole := open(t, m, spikingir.RunOptions{MemoryLimit: -1})
	want, err := whole.Restore(ctx, img)
	if err != nil {
		t.Fatal(err)
	}
	tiled := open(t, m, spikingir.RunOptions{MemoryLimit: 400 << 10})
	if n := tiled.Tiling(img.W, img.H).Tiles(); n < 2 {
		t.Errorf("%d tiles, want some", n)
	}
	got, err := tiled.Restore(ctx, img)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Pix, want.Pix) {
		t.Error("tiles give other pixels than the whole image")
	}
	if _, err := open(t, m, spikingir.RunOptions{MemoryLimit: 1 << 10}).Restore(ctx, img); err == nil {
		t.Error("an image that no tiles bring under the limit is restored")
	}
}

// TestImagesInMemory checks that images give the conversion that their files give.
func TestImagesInMemory(t *testing.T) {
	files := spikingir.Data{Task: noise, Dir: filepath.Join("fixtures", "images", "clean"), Limit: 1, Seed: 3}
	memory := files
	memory.Dir, memory.Images = "", []spikingir.Image{image(t, "clean/s01.png"), image(t, "clean/s02.png")}
	var sums []string
	for _, d := range []spikingir.Data{files, memory} {
		c, err := spikingir.Convert(context.Background(), read(t, "dncnn"), spikingir.Options{Calibration: d})
		if err != nil {
			t.Fatal(err)
		}
		if c.Images != 1 {
			t.Errorf("%d calibration images, want 1", c.Images)
		}
		sums = append(sums, c.Calib)
	}
	if sums[0] != sums[1] {
		t.Errorf("files give the calibration inputs %s, images in memory %s", sums[0], sums[1])
	}
	n := open(t, read(t, "dncnn"), spikingir.RunOptions{})
	for _, d := range []spikingir.Data{files, memory} {
		r, err := spikingir.Evaluate(context.Background(), n, d, spikingir.EvaluateOptions{Crop: 48})
		if err != nil {
			t.Fatal(err)
		}
		if r[0].Images != 1 || r[0].Model.PSNR < r[0].Input.PSNR+5 {
			t.Errorf("%d images at %.2f dB after %.2f dB, want 1 that is restored", r[0].Images, r[0].Model.PSNR, r[0].Input.PSNR)
		}
	}
}

// TestUnsupported checks that a caller can tell a model's fault from others.
func TestUnsupported(t *testing.T) {
	ctx := context.Background()
	var u *spikingir.UnsupportedError
	m := read(t, "dncnn")
	if _, err := spikingir.Convert(ctx, m, spikingir.Options{Calibration: spikingir.Data{Dir: "nowhere"}}); err == nil || errors.As(err, &u) {
		t.Errorf("a missing folder gives %v, want an error that is not the model's", err)
	}
	if _, err := spikingir.Convert(ctx, m, spikingir.Options{Calibration: spikingir.Data{Limit: 1}}); err != nil {
		t.Fatal(err)
	}
	if _, err := spikingir.Convert(ctx, m, spikingir.Options{}); !errors.As(err, &u) {
		t.Errorf("converting a spiking network gives %v, want an UnsupportedError", err)
	}
	m, err := text.Parse(`<ir_version: 8, opset_import: ["" : 13]>
g (float[N,1,H,W] x) => (float[N,1,H,W] y)
<float[4,1,3,3] w1 = ["location": "seed:1"], float[1,4,3,3] w2 = ["location": "seed:2"]>
{
  a = Conv <pads = [1, 1, 1, 1]> (x, w1)
  b = Relu(a)
  [gate] c = Sigmoid(b)
  y = Conv <pads = [1, 1, 1, 1]> (c, w2)
}`)
	if err != nil {
		t.Fatal(err)
	}
	_, err = spikingir.Convert(ctx, m, spikingir.Options{})
	var refused *passes.Unsupported
	if !errors.As(err, &u) || !errors.As(err, &refused) || !strings.Contains(err.Error(), `"gate"`) {
		t.Errorf("a Sigmoid in the middle gives %v, want an UnsupportedError that names it", err)
	}
}
