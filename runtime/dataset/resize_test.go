package dataset

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResizeAgainstDenseMatrices(t *testing.T) {
	for _, c := range readVectors(t).Resize {
		got, err := Resize(Image{C: 1, H: c.H, W: c.W, Pix: c.Input}, c.OH, c.OW)
		if err != nil {
			t.Fatal(err)
		}
		if d := maxDiff(got.Pix, c.Want); d > 1e-7 {
			t.Errorf("%dx%d to %dx%d differs by %g", c.H, c.W, c.OH, c.OW, d)
		}
	}
}

func TestResizeAgainstTorchInside(t *testing.T) {
	for _, c := range readVectors(t).Torch {
		got, err := Resize(Image{C: 1, H: c.H, W: c.W, Pix: c.Input}, c.OH, c.OW)
		if err != nil {
			t.Fatal(err)
		}
		for y := c.Margin; y < c.OH-c.Margin; y++ {
			for x := c.Margin; x < c.OW-c.Margin; x++ {
				i := y*c.OW + x
				if d := math.Abs(float64(got.Pix[i]) - c.Want[i]); d > 1e-6 {
					t.Fatalf("%dx%d to %dx%d, row %d, column %d differs by %g", c.H, c.W, c.OH, c.OW, y, x, d)
				}
			}
		}
	}
}

// The kernel at odd multiples of 1/4 and 1/8 gives fractions of 128 and 256.
func TestContributions(t *testing.T) {
	half := contributions(8, 4, 0.5)[1]
	var weights []float64
	for _, c := range half {
		weights = append(weights, c.weight*256)
	}
	want := []float64{-3, -9, 29, 111, 111, 29, -9, -3}
	if diff := cmp.Diff(want, weights); diff != "" {
		t.Errorf("shrinking by 2 (-want +got):\n%s", diff)
	}
	weights = nil
	for _, c := range contributions(8, 16, 2)[8] {
		weights = append(weights, c.weight*128)
	}
	if diff := cmp.Diff([]float64{-3, 29, 111, -9}, weights); diff != "" {
		t.Errorf("enlarging by 2 (-want +got):\n%s", diff)
	}
}

func TestResizeProperties(t *testing.T) {
	m := ramp(3, 11, 14)
	same, err := Resize(m, 11, 14)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, same); diff != "" {
		t.Errorf("same size (-want +got):\n%s", diff)
	}
	flat := Image{C: 1, H: 5, W: 5, Pix: slices.Repeat([]float32{0.3}, 25)}
	for _, size := range [][2]int{{1, 1}, {2, 3}, {5, 20}, {40, 3}} {
		out, err := Resize(flat, size[0], size[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range out.Pix {
			if math.Abs(float64(v)-0.3) > 1e-7 {
				t.Fatalf("a flat image of 0.3 resized to %v holds %g", size, v)
			}
		}
	}
	transposed, err := Resize(transpose(m), 9, 4)
	if err != nil {
		t.Fatal(err)
	}
	direct, err := Resize(m, 4, 9)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(direct, transpose(transposed)); diff != "" {
		t.Errorf("resizing does not commute with transposition:\n%s", diff)
	}
}

func transpose(m Image) Image {
	out := NewImage(m.C, m.W, m.H)
	for c := range m.C {
		for y := range m.H {
			for x := range m.W {
				out.Plane(c)[x*m.H+y] = m.Plane(c)[y*m.W+x]
			}
		}
	}
	return out
}

func TestResizeScale(t *testing.T) {
	for _, c := range []struct {
		factor float64
		h, w   int
	}{{0.5, 4, 5}, {2, 14, 20}, {1.0 / 3, 3, 4}, {0.01, 1, 1}} {
		got, err := ResizeScale(ramp(1, 7, 10), c.factor)
		if err != nil || got.H != c.h || got.W != c.w {
			t.Errorf("by %g: %dx%d, %v, want %dx%d", c.factor, got.H, got.W, err, c.h, c.w)
		}
	}
	for _, factor := range []float64{0, -1, math.NaN(), math.Inf(1), 1e6} {
		if _, err := ResizeScale(ramp(1, 7, 10), factor); err == nil {
			t.Errorf("scaling by %g succeeded", factor)
		}
	}
	for _, size := range [][2]int{{0, 1}, {1, -1}, {1 << 20, 1 << 20}} {
		if _, err := Resize(ramp(1, 7, 10), size[0], size[1]); err == nil {
			t.Errorf("resizing to %v succeeded", size)
		}
	}
}
