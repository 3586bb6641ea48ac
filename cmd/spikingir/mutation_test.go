package main

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"spikingir/cmd/internal/cli"
	"spikingir/fixtures"
	"spikingir/onnxio"
)

// mutationsEnv is how many mutations of each fixture TestMutations makes; `make fuzz` makes 5000.
const mutationsEnv = "SPIKINGIR_MUTATIONS"

// TestMutations changes bytes of every fixture, and inspects, copies and converts what that leaves.
// No command may panic or hang, each ends with a code that says whose fault it is, a file
// is written whole or not at all, and what was written reads back.
func TestMutations(t *testing.T) {
	count := 40
	if testing.Short() {
		count = 25
	}
	if text := os.Getenv(mutationsEnv); text != "" {
		var err error
		if count, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s=%s, want a number", mutationsEnv, text)
		}
	}
	images, err := fixtures.Images(fixtures.Calib)
	if err != nil {
		t.Fatal(err)
	}
	small := littleImage(t, images[0].Data, 12)
	for _, name := range append(fixtures.Names(), "tuned") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, tuned := fixtures.Tuned("dncnn")
			if name != "tuned" {
				b, err := fixtures.Model(name)
				if err != nil {
					t.Fatal(err)
				}
				file = b
			} else if !tuned {
				t.Fatal("there is no tuned network")
			}
			c := newMutants(t, file, small)
			for i := range count {
				c.try(t, fmt.Sprintf("mutation %d of %s", i, name), mutate(rand.New(rand.NewPCG(uint64(i), 7)), file, c.structure), i)
			}
			t.Logf("exit codes %v", c.codes)
			for _, code := range []int{cli.ExitOK, cli.ExitInvalid} {
				if count >= 25 && c.codes[code] < 5 {
					t.Errorf("%d of the commands ended with exit code %d: the test shows little", c.codes[code], code)
				}
			}
		})
	}
}

// mutants is a folder in which mutations of a file are tried.
type mutants struct {
	dir       string
	structure []int // the places of bytes that are no weights
	codes     map[int]int
}

func newMutants(t *testing.T, file, image []byte) *mutants {
	t.Helper()
	c := &mutants{dir: t.TempDir(), codes: map[int]int{}}
	if err := os.Mkdir(filepath.Join(c.dir, "images"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.dir, "images", "a.png"), image, 0o666); err != nil {
		t.Fatal(err)
	}
	m, err := onnxio.Decode(file)
	if err != nil {
		t.Fatal(err)
	}
	weight := make([]bool, len(file))
	for _, v := range m.Graph.Initializers() {
		b := v.Const.Bytes()
		if at := bytes.Index(file, b); at >= 0 && len(b) >= 64 {
			for i := range b {
				weight[at+i] = true
			}
		}
	}
	for i, w := range weight {
		if !w {
			c.structure = append(c.structure, i)
		}
	}
	return c
}

// commands are what a mutation goes through, by its number: a conversion takes the recipes and
// forms in turn.
func (c *mutants) commands(i int) [][]string {
	in, out := filepath.Join(c.dir, "m.onnx"), filepath.Join(c.dir, "out.onnx")
	convert := []string{"convert", in, "-o", out, "--quiet", "--threads", "1"}
	conversion := append(slices.Clone(convert), "-T", "2", "--calib", filepath.Join(c.dir, "images"))
	forms := [][]string{
		{"--recipe", "spikingir"}, {"--recipe", "two-phase", "--lower", "counts"}, {"--recipe", "rueckauer", "--lower", "flat"},
		{"--recipe", "two-phase", "--lower", "qdq"}, {"--recipe", "spikingir", "--lower", "none", "--analog", "keep"},
	}
	return [][]string{
		{"inspect", in, "--quiet"},
		append(slices.Clone(convert), "--passes", ""),
		append(conversion, forms[i%len(forms)]...),
		append(slices.Clone(convert), "--lower", []string{"flat", "none"}[i%2]), // of a spiking network; others calibrate on embedded images
	}
}

// try runs the commands on a mutation.
func (c *mutants) try(t *testing.T, name string, file []byte, i int) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(c.dir, "m.onnx"), file, 0o666); err != nil {
		t.Fatal(err)
	}
	commands := c.commands(i)
	if !bytes.Contains(file, []byte("ai.spikingir")) {
		commands = commands[:3]
	}
	for _, args := range commands {
		var errs bytes.Buffer
		// A command takes a hundredth of a second.
		hangs := time.AfterFunc(3*time.Minute, func() { panic(fmt.Sprintf("%s: %v hangs", name, args)) })
		code := run(args, strings.NewReader(""), io.Discard, &errs)
		hangs.Stop()
		c.codes[code]++
		if !slices.Contains([]int{cli.ExitOK, cli.ExitUsage, cli.ExitInvalid, cli.ExitUnsupported}, code) {
			t.Errorf("%s: %v: exit code %d: %s", name, args, code, errs.String())
		}
		if (code == cli.ExitOK) != (errs.Len() == 0) {
			t.Errorf("%s: %v: exit code %d and the message %q", name, args, code, errs.String())
		}
		c.checkFolder(t, fmt.Sprintf("%s: %v", name, args), code == cli.ExitOK && args[0] == "convert")
	}
}

// checkFolder demands that there is a whole file exactly where one was written, and nothing else.
func (c *mutants) checkFolder(t *testing.T, name string, written bool) {
	t.Helper()
	entries, err := os.ReadDir(c.dir)
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	want := []string{"images", "m.onnx"}
	if written {
		want = append(want, "out.onnx")
	}
	if !slices.Equal(have, want) {
		t.Errorf("%s: the folder holds %v, want %v", name, have, want)
	}
	if !written {
		return
	}
	out := filepath.Join(c.dir, "out.onnx")
	if _, err := onnxio.ReadFile(out); err != nil {
		t.Errorf("%s: what it wrote is refused: %v", name, err)
	}
	if err := os.Remove(out); err != nil {
		t.Fatal(err)
	}
}

// mutate changes a file in one place, or in a few: half of them among those given.
func mutate(r *rand.Rand, file []byte, places []int) []byte {
	b := slices.Clone(file)
	edits := 1
	if r.IntN(3) == 0 {
		edits += r.IntN(4)
	}
	for range edits {
		at := r.IntN(len(b))
		if r.IntN(4) > 0 {
			at = min(places[r.IntN(len(places))], len(b)-1)
		}
		n := min(1+r.IntN(8), len(b)-at)
		switch r.IntN(8) {
		case 0, 1, 2:
			b[at] ^= 1 << r.IntN(8)
		case 3:
			b[at] = []byte{0, 0xff, 0x7f, 0x80, 1}[r.IntN(5)]
		case 4:
			b[at] = byte(r.Uint32())
		case 5:
			b = slices.Delete(b, at, at+n)
		case 6:
			more := make([]byte, n)
			for i := range more {
				more[i] = byte(r.Uint32())
			}
			b = slices.Insert(b, at, more...)
		case 7:
			if r.IntN(4) == 0 {
				b = b[:at+1]
			} else {
				copy(b[at:], file[r.IntN(len(file)):][:1])
				copy(b[at:at+n], file[r.IntN(len(file)-n):])
			}
		}
		if len(b) == 0 {
			b = []byte{8}
		}
	}
	return b
}
