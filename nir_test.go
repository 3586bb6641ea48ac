package spikingir_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/onnxio"
	"spikingir/onnxio/hdf5/hdf5test"
	"spikingir/onnxio/nir"
	"spikingir/passes/insertcpm"
)

// spikingFixture is an embedded network, converted to T steps without a post step, with CPMs.
func spikingFixture(t *testing.T, name string, timesteps int) *spikingir.Model {
	t.Helper()
	b, err := fixtures.Model(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnxio.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	s := spikingir.Settings{Timesteps: timesteps, Unit: true, Readout: insertcpm.CPM, Per: "channel"}
	if _, err := spikingir.Convert(t.Context(), m, spikingir.Options{Recipe: "rueckauer", Settings: s, Threads: 2}); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return m
}

// nirFile is the NIR file of a network.
func nirFile(t *testing.T, m *spikingir.Model, o spikingir.NIROptions) ([]byte, *nir.Report) {
	t.Helper()
	net, report, err := spikingir.NIR(t.Context(), m, o)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := net.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), report
}

// TestNIR runs NIR files of embedded networks, read by what knows nothing of the exporter, step by step
// by the equations of NIR, with the soft reset that the metadata state. That gives what this program computes.
func TestNIR(t *testing.T) {
	const timesteps, rows, columns = 8, 10, 12
	for _, name := range []string{"aodnet", "dncnn", "residual", "srvgg", "vdsr"} {
		t.Run(name, func(t *testing.T) {
			m := spikingFixture(t, name, timesteps)
			file, report := nirFile(t, m, spikingir.NIROptions{Rows: rows, Columns: columns})
			net, err := spikingir.Open(m, spikingir.RunOptions{Threads: 2, Precision: spikingir.Float32})
			if err != nil {
				t.Fatal(err)
			}
			defer net.Close()
			random := rand.New(rand.NewPCG(7, 7))
			x := make([]float32, net.Channels()*rows*columns)
			for i := range x {
				x[i] = random.Float32()
			}
			want, err := net.Run(t.Context(), spikingir.NewTensor(x, 1, net.Channels(), rows, columns))
			if err != nil {
				t.Fatal(err)
			}
			got := runNIR(t, file, report, x)
			got = behindReadout(name, got, x, rows, columns)
			if len(got) != len(want[0].F32) {
				t.Fatalf("%d numbers, want %d", len(got), len(want[0].F32))
			}
			for i, y := range want[0].F32 {
				if d := got[i] - y; d > 1e-4 || d < -1e-4 {
					t.Fatalf("element %d is %g, and %g here", i, got[i], y)
				}
			}
		})
	}
}

// behindReadout is what two networks make of the output of their files, by operators that are not in them.
func behindReadout(name string, y, x []float32, rows, columns int) []float32 {
	switch name {
	case "aodnet":
		for i, k := range y {
			y[i] = max(k*x[i]-k+1, 0)
		}
	case "srvgg": // a pixel shuffle by 2, and the image enlarged by its nearest pixels
		shuffled := make([]float32, len(y))
		for i := range y {
			c, row, column := i/(4*rows*columns), i/(2*columns)%(2*rows), i%(2*columns)
			at := row/2*columns + column/2
			shuffled[i] = y[(4*c+row%2*2+column%2)*rows*columns+at] + x[c*rows*columns+at]
		}
		return shuffled
	}
	return y
}

// runNIR runs a file of one input and one output for T steps.
func runNIR(t *testing.T, file []byte, r *nir.Report, x []float32) []float32 {
	t.Helper()
	all, err := hdf5test.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Inputs) != 1 || len(r.Outputs) != 1 {
		t.Fatalf("inputs %v and outputs %v, want one of each", r.Inputs, r.Outputs)
	}
	s := simulation{all: all, from: map[string][]string{}, v: map[string][]float32{}}
	edges := all["/node/edges"].Texts
	for i := 0; i < len(edges); i += 2 {
		s.from[edges[i+1]] = append(s.from[edges[i+1]], edges[i])
	}
	var y []float32
	for range r.Timesteps {
		s.now = map[string][]float32{r.Inputs[0].Node: x}
		y = s.value(t, r.Outputs[0].Node)
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

// conv is a Conv2d.
func (s *simulation) conv(node string, x []float32) []float32 {
	w, bias, size := s.field(node, "weight"), s.field(node, "bias"), s.field(node, "input_shape").Ints
	pad, stride, dilation := s.field(node, "padding").Ints, s.field(node, "stride").Ints, s.field(node, "dilation").Ints
	out := make([]int64, 2)
	for i := range out {
		out[i] = (size[i]+2*pad[i]-dilation[i]*(w.Dims[2+i]-1)-1)/stride[i] + 1
	}
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

// TestNIRReader holds files of all embedded networks, of both readouts, to a Python script that demands of them what the reader of
// the NIR project does. Networks that NIR has no words for are refused by the names of their nodes.
func TestNIRReader(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for _, name := range fixtures.Names() {
		m := spikingFixture(t, name, 4)
		for _, readout := range []nir.Readout{nir.Integrator, nir.Spikes} {
			net, _, err := spikingir.NIR(t.Context(), m, spikingir.NIROptions{Rows: 16, Columns: 12, Readout: readout})
			if name == "rednet" || name == "prelunet" {
				var refused *nir.Refused
				var why *spikingir.UnsupportedError
				if !errors.As(err, &refused) || !errors.As(err, &why) || !strings.Contains(err.Error(), "(ConvTranspose): NIR has no node for it") {
					t.Errorf("%s: error %v, want one that names its ConvTranspose", name, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			var b bytes.Buffer
			path := filepath.Join(dir, fmt.Sprintf("%s.%s.nir", name, readout))
			if err := errors.Join(net.Write(&b), os.WriteFile(path, b.Bytes(), 0o666)); err != nil {
				t.Fatal(err)
			}
			files = append(files, path)
		}
	}
	if _, err := exec.LookPath("h5dump"); err == nil {
		out, err := exec.Command("h5dump", "-d", "/node/nodes/input/shape", files[0]).CombinedOutput()
		if err != nil || !bytes.Contains(out, []byte("(0): 3, 16, 12")) {
			t.Errorf("h5dump: %v\n%s", err, out)
		}
	}
	const python = "/usr/bin/python3"
	if exec.Command(python, "-c", "import h5py").Run() != nil {
		t.Skip("h5py is not there: it is Debian's python3-h5py")
	}
	script := filepath.Join("onnxio", "nir", "testdata", "read.py")
	out, err := exec.Command(python, slices.Concat([]string{script}, files)...).CombinedOutput()
	if err != nil || bytes.Count(out, []byte("\n")) != len(files) {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("name, nodes, edges, IF:\n%s", out)
}
