package fit_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/onnxio/text"
	"spikingir/runtime/exec"
	"spikingir/runtime/fit"
	"spikingir/runtime/ops"
)

// model is a network of one input x and output y around a body.
func model(t *testing.T, in, body string) *graph.Model {
	t.Helper()
	m, err := text.Parse(`<ir_version: 8, opset_import: ["" : 16]>
g (float[` + in + `] x) => (float[O,P,Q,R] y)
<float[1,1,1,1] one = {1}, float[1,1,2,2] mean = {0.25, 0.25, 0.25, 0.25}, float[1,1,2,2] spread = {1, 1, 1, 1},
 float[1,4,1,1] sum = {1, 1, 1, 1}, float[4,1,1,1] four = {1, 2, 3, 4}, float[1,1,4,6] map = {1,2,3,4,5,6,7,8,9,1,2,3,4,5,6,7,8,9,1,2,3,4,5,6},
 int64[6] view = {1, 1, 2, 2, 4, 6}, int64[6] open = {-1, 1, 2, 2, 4, 6}, int64[4] back = {1, 1, 8, 12}, int64[4] backOpen = {-1, 1, 8, 12},
 int64[6] three = {3, 1, 2, 2, 4, 6}, int64[4] backThree = {3, 1, 8, 12}, int64[3] keep = {0, 0, -1},
 int64[2] start = {0, 0}, int64[2] end = {4, 6}, int64[2] most = {9223372036854775807, 9223372036854775807}, int64[2] last = {-1, -1},
 int64[2] axes = {2, 3}, int64[4] sizes = {1, 1, 8, 12}, int64[4] shape = {1, 1, 4, 6}>
{` + body + "\n}")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

const (
	unet = `
  a = Conv <kernel_shape = [2, 2], strides = [2, 2]> (x, mean)
  b = Conv <kernel_shape = [2, 2], strides = [2, 2]> (a, mean)
  c = ConvTranspose <kernel_shape = [2, 2], strides = [2, 2]> (b, spread)
  d = Concat <axis = 1> (a, c)
  e = ReduceMean <axes = [1]> (d)
  f = ConvTranspose <kernel_shape = [2, 2], strides = [2, 2]> (e, spread)
  y = Add(f, x)`
	shuffle = `
  a = Conv(x, four)
  b = Reshape(a, VIEW)
  c = Transpose <perm = [0, 1, 4, 2, 5, 3]> (b)
  y = Reshape(c, BACK)`
)

// TestIgnored tells which networks give images of one size of whatever they take.
func TestIgnored(t *testing.T) {
	for _, c := range []struct{ name, in, body, want string }{
		{"as the image", "N,1,H,W", `y = Conv(x, one)`, ""},
		{"resized to numbers", "N,1,H,W", `a = Conv(x, one) y = Resize <mode = "linear"> (a, , , sizes)`, `output "y" has size 8 along axis 2 whatever the input's`},
		{"one axis open", "1,1,8,W", `a = Conv(x, one) y = Resize <mode = "linear"> (a, , , sizes)`, `output "y" has size 12 along axis 3 whatever the input's`},
		{"a mean", "N,1,H,W", `y = GlobalAveragePool(x)`, ""},
		{"of one size", "1,1,8,12", `y = Conv(x, one)`, ""},
	} {
		if got := fit.Ignored(model(t, c.in, c.body), "x", 0); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestOnly says sizes of which one axis alone is a number.
func TestOnly(t *testing.T) {
	for body, want := range map[string]string{
		"a, y = Split <axis = 2> (x, end)": "a height of 10 pixels, the size",
		"a, y = Split <axis = 3> (x, end)": "a width of 10 pixels, the size",
		"y = Add(x, map)":                  "6x4 pixels, the size",
	} {
		if got := fit.Free(model(t, "N,1,H,W", body), "x").Only(); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}

// TestFree tells what sizes networks take whose files state one, or none.
func TestFree(t *testing.T) {
	view := func(a, b string) string { return strings.NewReplacer("VIEW", a, "BACK", b).Replace(shuffle) }
	for _, c := range []struct {
		name, in, body string
		want           fit.Sizes
		why            string
	}{
		{"convolution", "1,1,4,6", "y = Conv(x, one)", fit.Sizes{RowsOf: 1, ColumnsOf: 1}, ""},
		{"symbols", "N,1,H,W", "y = Conv(x, one)", fit.Sizes{RowsOf: 1, ColumnsOf: 1}, ""},
		{"unnamed", `"-1",1,"-1","-1"`, "y = Conv(x, one)", fit.Sizes{RowsOf: 1, ColumnsOf: 1}, ""},
		{"open, and a sum with an image", "N,1,H,W", "y = Add(x, map)", fit.Sizes{Rows: 4, Columns: 6, RowsOf: 1, ColumnsOf: 1}, "wants sizes"},
		{"open, and rows split by numbers", "N,1,H,W", "a, y = Split <axis = 2> (x, end)", fit.Sizes{Rows: 10, RowsOf: 1, ColumnsOf: 1}, "(Split) wants sizes"},
		{"open, and a sum with a channel", "N,1,H,W", "y = Add(x, one)", fit.Sizes{RowsOf: 1, ColumnsOf: 1}, ""},
		{"crop", "1,1,4,6", "y = Slice(x, start, end, axes)", fit.Sizes{Rows: 4, Columns: 6, RowsOf: 1, ColumnsOf: 1}, "cuts axis 2 at 4"},
		{"crop from the border", "1,1,4,6", "y = Slice(x, start, last, axes)", fit.Sizes{RowsOf: 1, ColumnsOf: 1}, ""},
		{"crop to the border", "1,1,4,6", "y = Slice(x, start, most, axes)", fit.Sizes{RowsOf: 1, ColumnsOf: 1}, ""},
		{"view", "1,1,4,6", view("view", "back"), fit.Sizes{Rows: 4, Columns: 6, RowsOf: 1, ColumnsOf: 1}, "(Reshape)"},
		{"view of any batch", "1,1,4,6", view("open", "backOpen"), fit.Sizes{Rows: 4, Columns: 6, RowsOf: 1, ColumnsOf: 1}, "views"},
		{"view of three", "3,1,4,6", view("three", "backThree"), fit.Sizes{Batch: 3, Rows: 4, Columns: 6, RowsOf: 1, ColumnsOf: 1}, "(Reshape)"},
		{"resize", "1,1,4,6", `y = Resize <mode = "linear"> (x, , , sizes)`, fit.Sizes{Rows: 4, Columns: 6, RowsOf: 1, ColumnsOf: 1}, "resizes axis 2 to 8"},
		{"map", "1,1,4,6", "y = Add(x, map)", fit.Sizes{Rows: 4, Columns: 6, RowsOf: 1, ColumnsOf: 1}, "want"},
		{"expand", "1,1,4,6", "m = ReduceMean <axes = [2, 3]> (x)\n y = Expand(m, shape)",
			fit.Sizes{Rows: 4, Columns: 6, RowsOf: 1, ColumnsOf: 1}, `output "y" has size 4`},
		{"U-Net", "N,1,H,W", unet, fit.Sizes{RowsOf: 4, ColumnsOf: 4}, ""},
		{"U-Net of one size", "1,1,4,8", unet, fit.Sizes{RowsOf: 4, ColumnsOf: 4}, ""},
		{"blocks", "N,1,H,W", "a = SpaceToDepth <blocksize = 3> (x)\n y = DepthToSpace <blocksize = 3> (a)",
			fit.Sizes{RowsOf: 3, ColumnsOf: 3}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := model(t, c.in, c.body)
			got := *fit.Free(m, "")
			why := got.Only()
			if fixed := c.want.Rows > 0; fixed != got.Fixed() || c.why != "" && !strings.Contains(why, c.why) {
				t.Errorf("fixed: %t, %s; want %t, with %q", got.Fixed(), why, fixed, c.why)
			}
			one := func(n int) int {
				if n == 1 {
					return 0
				}
				return n
			}
			if got.Rows != c.want.Rows || got.Columns != c.want.Columns || got.RowsOf != c.want.RowsOf ||
				got.ColumnsOf != c.want.ColumnsOf || one(got.Batch) != c.want.Batch {
				t.Errorf("%+v, want %+v", got, c.want)
			}
		})
	}
}

func run(m *graph.Model, s *fit.Sizes, x *ops.Tensor) (*ops.Tensor, error) {
	p, err := exec.Compile(m, exec.Options{Sizes: s})
	if err != nil {
		return nil, err
	}
	r, err := p.Run(context.Background(), map[string]*ops.Tensor{"x": x}, exec.RunOptions{})
	if err != nil {
		return nil, err
	}
	return r.Outputs[0], nil
}

func ramp(dims ...int) *ops.Tensor {
	x := ops.NewTensor(graph.Float32, dims)
	for i := range x.F32 {
		x.F32[i] = float32(i*i%17) / 16
	}
	return x
}

// TestPadded runs a U-Net on images whose sizes are no multiples of its stride: where the mirror
// image does not reach, the result is that of the whole multiple.
func TestPadded(t *testing.T) {
	m := model(t, "N,1,H,W", unet)
	s := fit.Free(m, "")
	for _, size := range [][2]int{{7, 10}, {4, 8}, {1, 1}, {2, 5}} {
		x := ramp(1, 1, size[0], size[1])
		y, err := run(m, s, x)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(y.Dims, x.Dims) {
			t.Fatalf("an image of %v gives %v", x.Dims, y.Dims)
		}
		full := fit.Window(x, []int{1, 1, (size[0] + 3) / 4 * 4, (size[1] + 3) / 4 * 4}, 0, 0)
		whole, err := run(m, nil, full)
		if err != nil {
			t.Fatal(err)
		}
		for i := range y.F32 {
			if want := whole.F32[i/size[1]*whole.Dims[3]+i%size[1]]; y.F32[i] != want {
				t.Errorf("%v: pixel %d is %g, want %g", size, i, y.F32[i], want)
			}
		}
	}
}

// TestWindow mirrors at the borders without repeating them, to and fro where little is there.
func TestWindow(t *testing.T) {
	x := ops.Floats([]float32{1, 2, 3}, 1, 1, 1, 3)
	got := fit.Window(x, []int{2, 1, 1, 8}, 0, -2).F32
	want := []float32{3, 2, 1, 2, 3, 2, 1, 2}
	if !slices.Equal(got, append(want, want...)) {
		t.Errorf("%v, want %v for two images", got, want)
	}
}

// TestRefused gives images that do not fit by the name of the node, and repeats one where a batch is
// stated.
func TestRefused(t *testing.T) {
	m := model(t, "3,1,4,6", strings.NewReplacer("VIEW", "three", "BACK", "backThree").Replace(shuffle))
	s := fit.Free(m, "")
	for _, dims := range [][]int{{1, 1, 5, 6}, {1, 1, 4, 7}, {2, 1, 4, 6}} {
		_, err := run(m, s, ramp(dims...))
		if err == nil || !strings.Contains(err.Error(), "exported for") || !strings.Contains(err.Error(), "export") {
			t.Errorf("%v: error is %v, want one that says what the model was exported for", dims, err)
		}
	}
	y, err := run(m, s, ramp(1, 1, 4, 6))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(y.Dims, []int{1, 1, 8, 12}) {
		t.Errorf("one image gives %v", y.Dims)
	}
	if got := s.Crop(ramp(1, 1, 9, 2)).Dims; !slices.Equal(got, []int{3, 1, 4, 6}) {
		t.Errorf("a calibration image is made %v", got)
	}
}
