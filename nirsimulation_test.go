package spikingir_test

import (
	"maps"
	"testing"

	"spikingir/onnxio/hdf5/hdf5test"
	"spikingir/onnxio/nir"
)

// runNIR runs a file for T steps, fed by the names of its nodes, and gives its outputs in the order of the report.
func runNIR(t *testing.T, file []byte, r *nir.Report, feeds map[string][]float32) [][]float32 {
	t.Helper()
	all, err := hdf5test.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	s := simulation{all: all, from: map[string][]string{}, v: map[string][]float32{}}
	edges := all["/node/edges"].Texts
	for i := 0; i < len(edges); i += 2 {
		s.from[edges[i+1]] = append(s.from[edges[i+1]], edges[i])
	}
	y := make([][]float32, len(r.Outputs))
	for range r.Timesteps {
		s.now = maps.Clone(feeds)
		for i, p := range r.Outputs {
			y[i] = s.value(t, p.Node)
		}
	}
	return y
}

// simulation is a network at a step.
type simulation struct {
	all  map[string]*hdf5test.Array
	from map[string][]string
	v    map[string][]float32 // potentials
	now  map[string][]float32 // what nodes give at this step
}

func (s *simulation) field(node, name string) *hdf5test.Array {
	return s.all["/node/nodes/"+node+"/"+name]
}

// value is what a node gives at this step.
func (s *simulation) value(t *testing.T, node string) []float32 {
	t.Helper()
	if y, ok := s.now[node]; ok {
		return y
	}
	var in []float32
	for _, from := range s.from[node] {
		x := s.value(t, from)
		if in == nil {
			in = make([]float32, len(x))
		}
		for i := range x {
			in[i] += x[i]
		}
	}
	var y []float32
	switch kind := s.field(node, "type").Texts[0]; kind {
	case "Output":
		y = in
	case "Conv2d":
		y = s.conv(node, in)
	case "AvgPool2d":
		y = s.pool(node, in)
	case "Flatten":
		y = in
	case "Linear", "Affine":
		w := s.field(node, "weight")
		for out := range w.Dims[0] {
			sum := float32(0)
			for i, x := range in {
				sum += w.Floats[int(out)*len(in)+i] * x
			}
			if kind == "Affine" {
				sum += s.field(node, "bias").Floats[out]
			}
			y = append(y, sum)
		}
	case "Scale":
		for i, f := range s.field(node, "scale").Floats {
			y = append(y, f*in[i])
		}
	case "I", "IF":
		y = s.integrate(node, in, kind == "IF")
	default:
		t.Fatalf("node %s of type %s", node, kind)
	}
	s.now[node] = y
	return y
}

// integrate is a step of an I or IF.
func (s *simulation) integrate(node string, in []float32, fires bool) []float32 {
	v := s.v[node]
	if v == nil {
		v = make([]float32, len(in))
		s.v[node] = v
	}
	y := make([]float32, len(in))
	for i, r := range s.field(node, "r").Floats {
		v[i] += r * in[i]
		y[i] = v[i]
		if !fires {
			continue
		}
		y[i] = 0
		if theta := s.field(node, "v_threshold").Floats[i]; v[i] >= theta {
			y[i] = 1
			v[i] -= theta
		}
	}
	return y
}

// pool is an AvgPool2d of an image whose shape is that of the node in front.
func (s *simulation) pool(node string, x []float32) []float32 {
	k, stride, pad := s.field(node, "kernel_size").Ints, s.field(node, "stride").Ints, s.field(node, "padding").Ints
	c, h, w := s.shape(s.from[node][0])
	var y []float32
	for m := range c {
		for oy := -pad[0]; oy+k[0] <= h+pad[0]; oy += stride[0] {
			for ox := -pad[1]; ox+k[1] <= w+pad[1]; ox += stride[1] {
				sum := float32(0)
				for iy := max(oy, 0); iy < min(oy+k[0], h); iy++ {
					for ix := max(ox, 0); ix < min(ox+k[1], w); ix++ {
						sum += x[(m*h+iy)*w+ix]
					}
				}
				y = append(y, sum/float32(k[0]*k[1]))
			}
		}
	}
	return y
}

// shape is that of what a node gives.
func (s *simulation) shape(node string) (c, h, w int64) {
	dims := []int64(nil)
	switch s.field(node, "type").Texts[0] {
	case "IF", "I":
		dims = s.field(node, "r").Dims
	case "Scale":
		dims = s.field(node, "scale").Dims
	case "Input":
		dims = s.field(node, "shape").Ints
	case "Conv2d":
		dims = []int64{s.field(node, "weight").Dims[0], 0, 0}
		copy(dims[1:], s.convSize(node))
	default: // a pool
		k, stride, pad := s.field(node, "kernel_size").Ints, s.field(node, "stride").Ints, s.field(node, "padding").Ints
		c, h, w = s.shape(s.from[node][0])
		return c, (h+2*pad[0]-k[0])/stride[0] + 1, (w+2*pad[1]-k[1])/stride[1] + 1
	}
	return dims[0], dims[1], dims[2]
}

// convSize is the rows and columns of what a Conv2d gives.
func (s *simulation) convSize(node string) []int64 {
	w, size := s.field(node, "weight"), s.field(node, "input_shape").Ints
	pad, stride, dilation := s.field(node, "padding").Ints, s.field(node, "stride").Ints, s.field(node, "dilation").Ints
	out := make([]int64, 2)
	for i := range out {
		out[i] = (size[i]+2*pad[i]-dilation[i]*(w.Dims[2+i]-1)-1)/stride[i] + 1
	}
	return out
}

// conv is a Conv2d.
func (s *simulation) conv(node string, x []float32) []float32 {
	w, bias, size := s.field(node, "weight"), s.field(node, "bias"), s.field(node, "input_shape").Ints
	pad, stride, dilation := s.field(node, "padding").Ints, s.field(node, "stride").Ints, s.field(node, "dilation").Ints
	out := s.convSize(node)
	var y []float32
	for m := range w.Dims[0] {
		for oy := range out[0] {
			for ox := range out[1] {
				sum := bias.Floats[m]
				for c := range w.Dims[1] {
					for ky := range w.Dims[2] {
						for kx := range w.Dims[3] {
							iy, ix := oy*stride[0]-pad[0]+ky*dilation[0], ox*stride[1]-pad[1]+kx*dilation[1]
							if iy >= 0 && ix >= 0 && iy < size[0] && ix < size[1] {
								sum += w.Floats[((m*w.Dims[1]+c)*w.Dims[2]+ky)*w.Dims[3]+kx] * x[(c*size[0]+iy)*size[1]+ix]
							}
						}
					}
				}
				y = append(y, sum)
			}
		}
	}
	return y
}
