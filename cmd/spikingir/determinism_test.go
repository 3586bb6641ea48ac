package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"spikingir/cmd/internal/cli"
	"spikingir/fixtures"
)

// processors is the numbers of processors that Go is given, in turn.
var processors = []int{1, 8, 2, 3, 4, 5, 6, 7}

// sameBytes runs a command again and again, on 1 to 8 processors: the file that it writes must be
// the same byte for byte.
func sameBytes(t *testing.T, runs int, out string, args ...string) {
	t.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var first []byte
	for i := range runs {
		n := processors[i%len(processors)]
		runtime.GOMAXPROCS(n)
		var errs bytes.Buffer
		if code := run(args, nil, io.Discard, &errs); code != cli.ExitOK {
			t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
		}
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		}
		if !bytes.Equal(first, got) {
			t.Fatalf("%v: run %d, on %d processors, gives other bytes than the first", args, i, n)
		}
	}
}

// repeats is how often a command is run.
func repeats() int {
	if testing.Short() {
		return 2
	}
	return 20
}

// TestSameBytes converts every fixture.
func TestSameBytes(t *testing.T) {
	for _, name := range fixtures.Names() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			in, out := filepath.Join(dir, name+".onnx"), filepath.Join(dir, "out.onnx")
			b, err := fixtures.Model(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(in, b, 0o666); err != nil {
				t.Fatal(err)
			}
			sameBytes(t, repeats(), out, "convert", in, "-o", out, "-T", "6", "--limit", "2", "--quiet")
		})
	}
}

// TestSameBytesOfForms converts by every recipe and into every form, and writes a finished network
// in another one.
func TestSameBytesOfForms(t *testing.T) {
	runs := repeats()
	dir := t.TempDir()
	path := func(name ...string) string { return filepath.Join(append([]string{dir}, name...)...) }
	images, err := fixtures.Images(fixtures.Calib)
	if err != nil {
		t.Fatal(err)
	}
	b, err := fixtures.Model("residual")
	if err != nil {
		t.Fatal(err)
	}
	tuned, ok := fixtures.Tuned("dncnn")
	if !ok {
		t.Fatal("there is no tuned network")
	}
	if err := os.Mkdir(path("calib"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"ann.onnx": b, "snn.onnx": tuned,
		"calib/a.png": littleImage(t, images[0].Data, 24), "calib/b.png": littleImage(t, images[1].Data, 20)} {
		if err := os.WriteFile(path(filepath.FromSlash(name)), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, flags := range []string{
		"--recipe spikingir --lower functions", "--recipe spikingir --lower flat", "--recipe spikingir --lower none",
		"--recipe rueckauer --lower flat", "--recipe spikingir --absorb-scales --weight-bits 8",
		"--recipe two-phase --lower functions", "--recipe two-phase --lower flat", "--recipe two-phase --lower none",
		"--recipe two-phase --lower counts", "--recipe two-phase --lower qdq",
		"--recipe spikingir --exact --currents spike --lower flat", "--recipe two-phase --exact --currents spike",
	} {
		t.Run(flags, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out.onnx")
			sameBytes(t, runs, out, slices.Concat([]string{"convert", path("ann.onnx"), "-o", out, "-T", "4",
				"--calib", path("calib"), "--quiet"}, strings.Fields(flags))...)
		})
	}
	for _, form := range []string{"flat", "none"} {
		t.Run("again "+form, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out.onnx")
			sameBytes(t, runs, out, "convert", path("snn.onnx"), "-o", out, "--lower", form, "--quiet")
		})
	}
}

// TestSameBytesOfTraining trains with a fixed number of threads, however many processors there are.
func TestSameBytesOfTraining(t *testing.T) {
	runs := min(repeats(), len(processors))
	_, args := trained(t, 6)
	out := filepath.Join(t.TempDir(), "out.onnx")
	for _, threads := range []int{1, 3} {
		sameBytes(t, runs, out, append(slices.Clone(args), "-o", out, "--threads", strconv.Itoa(threads), "--quiet")...)
	}
}
