package equiv

import (
	"context"
	"errors"
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/onnxio/text"
)

// TestWithin holds that models with functions, which are run node by node, and others run
// within a budget and a context.
func TestWithin(t *testing.T) {
	const nodes = `{
  [first] a = Expand (x, shape)
  [second] b = Neg (a)
  [third] c = Neg (b)
  y = ReduceSum <keepdims = 0> (c)
}`
	const header = `<ir_version: 8, opset_import: ["" : 17, "my" : 1]>
`
	plain := header + `g (float[1] x) => (float y) <int64[1] shape = {100000}> ` + nodes
	called := header + `g (float[1] x) => (float y) <int64[1] shape = {100000}> { y = my.F (x, shape) }
<opset_import: ["" : 17], domain: "my"> F (x, shape) => (y) ` + nodes
	in := map[string]*graph.Tensor{"x": graph.NewFloat32([]int64{1}, []float32{2})}
	for name, src := range map[string]string{"plain": plain, "function": called} {
		m, err := text.Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		for _, budget := range []int64{0, -1, 2 << 20} {
			out, err := Within(context.Background(), budget, m.Clone(), in)
			if err != nil {
				t.Errorf("%s with %d bytes: %v", name, budget, err)
			} else if y, err := out["y"].Float32s(); err != nil || y[0] != 200000 {
				t.Errorf("%s gives %v, %v", name, y, err)
			}
		}
		_, err = Within(context.Background(), 1<<18, m.Clone(), in)
		if err == nil || !strings.Contains(err.Error(), `"first"`) || !strings.Contains(err.Error(), "256 KiB are allowed") {
			t.Errorf("%s with 256 KiB: %v", name, err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := Within(ctx, 0, m.Clone(), in); !errors.Is(err, context.Canceled) {
			t.Errorf("%s after the end of its context: %v", name, err)
		}
	}
}
