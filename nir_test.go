package spikingir_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/internal/randommodel"
	"spikingir/onnxio"
	"spikingir/onnxio/nir"
	"spikingir/passes/insertcpm"
	"spikingir/passes/recipes"
	"spikingir/passes/splitregions"
)

// spikingFixture is an embedded network, converted to T steps without a post step, with CPMs.
func spikingFixture(t *testing.T, name string, timesteps int, exact bool) *spikingir.Model {
	t.Helper()
	b, err := fixtures.Model(name)
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnxio.Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	s := spikingir.Settings{Timesteps: timesteps, Unit: true, Exact: exact, Readout: insertcpm.CPM, Per: "channel"}
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
			m := spikingFixture(t, name, timesteps, false)
			x, got, want := bothNIR(t, m, rows, columns)
			got = behindReadout(name, got, x, rows, columns)
			if len(got) != len(want) {
				t.Fatalf("%d numbers, want %d", len(got), len(want))
			}
			for i, y := range want {
				if d := got[i] - y; d > 1e-4 || d < -1e-4 {
					t.Fatalf("element %d is %g, and %g here", i, got[i], y)
				}
			}
		})
	}
}

// TestNIRExact does so with a network in its exact form, of which the file has not the rounding in front: it
// moves a spike here and there.
func TestNIRExact(t *testing.T) {
	_, got, want := bothNIR(t, spikingFixture(t, "dncnn", 8, true), 10, 12)
	moved := 0
	for i, y := range want {
		switch d := math.Abs(float64(got[i] - y)); {
		case d > 0.1:
			t.Errorf("element %d is %g, and %g here", i, got[i], y)
		case d > 1e-5:
			moved++
		}
	}
	if moved > len(want)/2 { // a spike moves the pixels around it
		t.Errorf("%d of %d elements differ", moved, len(want))
	}
}

// bothNIR runs a network on random pixels, by its NIR file and here.
func bothNIR(t *testing.T, m *spikingir.Model, rows, columns int) (x, got, want []float32) {
	t.Helper()
	file, report := nirFile(t, m, spikingir.NIROptions{Rows: rows, Columns: columns})
	net, err := spikingir.Open(m, spikingir.RunOptions{Threads: 2, Precision: spikingir.Float32})
	if err != nil {
		t.Fatal(err)
	}
	defer net.Close()
	random := rand.New(rand.NewPCG(7, 7))
	x = make([]float32, net.Channels()*rows*columns)
	for i := range x {
		x[i] = random.Float32()
	}
	y, err := net.Run(t.Context(), spikingir.NewTensor(x, 1, net.Channels(), rows, columns))
	if err != nil {
		t.Fatal(err)
	}
	return x, runNIR(t, file, report, map[string][]float32{report.Inputs[0].Node: x})[0], y[0].F32
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

// randomNIR is how many random networks are exported.
const randomNIR = 300

// TestNIRRandom exports random spiking networks. Their files, run as TestNIR does, give what this program computes, and are such as
// the reader of the NIR project takes.
func TestNIRRandom(t *testing.T) {
	dir, refused, ran, flipped := t.TempDir(), 0, 0, 0
	var files []string
	count, least := randomNIR, 20
	if testing.Short() {
		count, least = randomNIR/5, 3
	}
	for i, seed := range randommodel.Seeds(count) {
		r := randommodel.Network(seed)
		settle(t, r.Model)
		image, alone := r.Image()
		if !alone || len(image.Dims) != 4 {
			continue
		}
		s := recipes.Defaults()
		s.Timesteps, s.Unit, s.Readout, s.Analog = 4, true, insertcpm.CPM, splitregions.Keep
		p, err := recipes.New("rueckauer", s)
		if err != nil {
			t.Fatal(err)
		}
		m := r.Model.Clone()
		if _, err := p.Run(m, randommodel.PassOptions(image)); err != nil || !spikingir.Spiking(m) {
			continue
		}
		net, report, err := spikingir.NIR(t.Context(), m, spikingir.NIROptions{Rows: image.Dims[2], Columns: image.Dims[3]})
		var why *spikingir.UnsupportedError
		switch {
		case errors.As(err, &why):
			refused++
			continue
		case err != nil:
			t.Errorf("network %d: %v", i, err)
			continue
		}
		var b bytes.Buffer
		path := filepath.Join(dir, fmt.Sprintf("%d.nir", i))
		if err := errors.Join(net.Write(&b), os.WriteFile(path, b.Bytes(), 0o666)); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
		n, same := sameNIR(t, r, m, b.Bytes(), report, image.Dims[0])
		ran += n
		if !same {
			t.Logf("network %d gives something else", i)
			flipped++
		}
	}
	t.Logf("%d files with %d outputs, %d networks refused; %d networks differ", len(files), ran, refused, flipped)
	if ran < least || flipped > ran/20 {
		t.Errorf("%d networks of %d outputs give something else", flipped, ran)
	}
	readNIR(t, files)
}

// sameNIR runs the first image of a batch, and reports how many outputs a file has and whether they are what this program
// computes; what the file leaves to who feeds it is computed here.
func sameNIR(t *testing.T, r *randommodel.Model, m *spikingir.Model, file []byte, report *nir.Report, batch int) (compared int, same bool) {
	t.Helper()
	m = m.Clone()
	for _, p := range slices.Concat(report.Inputs, report.Outputs) {
		if v := m.Graph.Value(p.Value); v == nil {
			return 0, true // which a pass made for the file
		} else if !v.IsInput() && !v.IsOutput() {
			m.Graph.AddOutput(v)
		}
	}
	in := another(r)
	values := map[string][]float32{}
	for name, x := range in {
		xs, err := x.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		values[name] = xs[:len(xs)/batch]
	}
	for i, y := range computed(t, m, in) {
		values[m.Graph.Outputs()[i].Name()] = y.F32[:len(y.F32)/batch]
	}
	feeds := map[string][]float32{}
	for _, p := range report.Inputs {
		feeds[p.Node] = values[p.Value]
	}
	got := runNIR(t, file, report, feeds)
	same = true
	for i, p := range report.Outputs {
		want := values[p.Value]
		if len(got[i]) != len(want) {
			t.Errorf("output %s has %d numbers, want %d", p.Node, len(got[i]), len(want))
			return i, false
		}
		for k, y := range want {
			same = same && math.Abs(float64(got[i][k]-y)) <= 1e-4*max(1, math.Abs(float64(y)))
		}
	}
	return len(report.Outputs), same
}

// TestNIRReader holds files of all embedded networks, of both readouts, to a Python script that demands of them what the reader of
// the NIR project does. Networks that NIR has no words for are refused by the names of their nodes.
func TestNIRReader(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for _, name := range fixtures.Names() {
		m := spikingFixture(t, name, 4, false)
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
	readNIR(t, files)
}

// readNIR has files read by the script.
func readNIR(t *testing.T, files []string) {
	t.Helper()
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
