package main

import (
	"bytes"
	"encoding/binary"
	"math"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"spikingir"
	"spikingir/fixtures"
	"spikingir/passes/recipes"
	"spikingir/runtime/bench"
)

// ortRun computes a model of one input and prints the numbers of its output.
const ortRun = `const ort = require('onnxruntime-node'), fs = require('fs');
const [model, input, c, h, w] = process.argv.slice(2);
(async () => {
  const s = await ort.InferenceSession.create(model, { intraOpNumThreads: 2, logSeverityLevel: 3 });
  const x = new Float32Array(new Uint8Array(fs.readFileSync(input)).buffer);
  const y = (await s.run({ [s.inputNames[0]]: new ort.Tensor('float32', x, [1, +c, +h, +w]) }))[s.outputNames[0]];
  process.stdout.write(new Uint8Array(y.data.buffer, y.data.byteOffset, y.data.byteLength));
})();
`

// TestONNXRuntime holds that ONNX Runtime computes each form of a two-phase network as this
// program does. It runs where node finds onnxruntime-node.
func TestONNXRuntime(t *testing.T) {
	if err := osexec.Command("node", "-e", "require('onnxruntime-node')").Run(); err != nil {
		t.Skip("node has no onnxruntime-node: ", err)
	}
	dir := t.TempDir()
	script := filepath.Join(dir, "run.js")
	writeFile(t, script, []byte(ortRun))
	for _, name := range fixtures.Names() {
		b, err := fixtures.Model(name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name+".onnx")
		writeFile(t, path, b)
		for _, form := range recipes.Forms() {
			if form == string(recipes.None) {
				continue // which no other runtime knows
			}
			t.Run(name+"/"+form, func(t *testing.T) { checkForm(t, dir, path, recipes.Form(form)) })
		}
	}
}

func checkForm(t *testing.T, dir, path string, form recipes.Form) {
	t.Helper()
	const side = 40
	ours := converted(t, path, recipes.None, form == recipes.QDQ)
	channels, err := spikingir.Channels(ours)
	if err != nil {
		t.Fatal(err)
	}
	x := bench.Uniform(1, max(channels, 1), side, side)
	input, model := filepath.Join(dir, "x.f32"), filepath.Join(dir, "form.onnx")
	writeFile(t, input, littleEndian(x.F32))
	if err := spikingir.Write(model, converted(t, path, form, false)); err != nil {
		t.Fatal(err)
	}
	cmd := osexec.Command("node", filepath.Join(dir, "run.js"), model, input, strconv.Itoa(max(channels, 1)), strconv.Itoa(side), strconv.Itoa(side))
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, strings.TrimSpace(stderr.String()))
	}
	for _, precision := range []spikingir.Precision{spikingir.Float32, spikingir.FixedPoint} {
		net, err := spikingir.Open(ours, spikingir.RunOptions{Precision: precision, Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		y, err := net.Run(t.Context(), x)
		net.Close()
		if err != nil {
			t.Fatal(err)
		}
		want := 60.0
		if precision == spikingir.FixedPoint {
			want = 50 // sums of branches keep weights that integers round
		}
		if db := decibels(y[0].F32, out); !(db >= want) {
			t.Errorf("%v: agreement %.1f dB, want %v", precision, db, want)
		}
	}
}

// converted is a two-phase network with weights of its default, or of 8 bits.
func converted(t *testing.T, path string, form recipes.Form, few bool) *spikingir.Model {
	t.Helper()
	m, err := spikingir.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	s := spikingir.Settings{Timesteps: 6, Lower: form}
	if few {
		s.WeightBits = 8
	}
	if _, err := spikingir.Convert(t.Context(), m, spikingir.Options{Recipe: "two-phase", Settings: s, Threads: 2}); err != nil {
		t.Fatal(err)
	}
	return m
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

func littleEndian(xs []float32) (data []byte) {
	for _, x := range xs {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(x))
	}
	return data
}

// decibels is the agreement of an image with little-endian numbers.
func decibels(want []float32, data []byte) float64 {
	if len(data) != 4*len(want) {
		return 0
	}
	sum := 0.0
	for i, x := range want {
		d := float64(x) - float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*i:])))
		sum += d * d
	}
	return -10 * math.Log10(sum/float64(len(want)))
}
