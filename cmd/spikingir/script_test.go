package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"spikingir/cmd/internal/cli"
	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/onnxio"
	"spikingir/onnxio/text"
	"spikingir/runtime/dataset"
)

func TestMain(m *testing.M) {
	testscript.Main(tests{m}, map[string]func(){
		"spikingir": func() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// tests are those of this package, and no program of theirs.
type tests struct{ *testing.M }

// Run keeps commands that restore images from having all tests behind them collect garbage often: see
// [collectOften].
func (m tests) Run() int {
	if os.Getenv("GOGC") == "" {
		if err := os.Setenv("GOGC", "100"); err != nil {
			panic(err)
		}
	}
	return m.M.Run()
}

// TestScripts runs the whole program as its users do. UPDATE=1 rewrites the
// expected outputs.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: os.Getenv("UPDATE") != "",
		// How the race detector ends a program is not a script's own matter.
		Setup: func(e *testscript.Env) error {
			e.Setenv("GORACE", os.Getenv("GORACE"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"fixture": fixture,
			"image":   image,
			"crop":    crop,
			"kind":    kind,
			"equal":   equal,
			"frames":  frames,
			"onnx":    onnx,
			"cut":     cut,
			"code":    code,
			"tune":    tune,
			"lines":   lines,

			"external": external,
			"full":     full,
			"only":     only,
		},
	})
}

// fixture MODEL FILE writes an embedded model.
func fixture(ts *testscript.TestScript, _ bool, args []string) {
	b, err := fixtures.Model(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o666))
}

// image SET NAME FILE writes an embedded image.
func image(ts *testscript.TestScript, _ bool, args []string) {
	files, err := fixtures.Images(args[0])
	ts.Check(err)
	for _, f := range files {
		if f.Name == args[1] {
			ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(args[2])), 0o777))
			ts.Check(os.WriteFile(ts.MkAbs(args[2]), f.Data, 0o666))
			return
		}
	}
	ts.Fatalf("no image %s in %s", args[1], args[0])
}

// crop FILE N keeps the upper left N x N pixels of an image: large ones take long
// where kernels are not in assembly.
func crop(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	img, err := dataset.Read(ts.MkAbs(args[0]))
	ts.Check(err)
	img, err = img.Crop(0, 0, n, n)
	ts.Check(err)
	ts.Check(dataset.Write(ts.MkAbs(args[0]), img))
}

// kind NAME FILE copies an image of a kind that fixtures are not, of the tests of reading.
func kind(ts *testscript.TestScript, _ bool, args []string) {
	b, err := os.ReadFile(filepath.Join("..", "..", "runtime", "dataset", "testdata", args[0]))
	ts.Check(err)
	ts.Check(os.MkdirAll(filepath.Dir(ts.MkAbs(args[1])), 0o777))
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o666))
}

// equal A B demands that two images have the same colours, opacity and depth.
func equal(ts *testscript.TestScript, _ bool, args []string) {
	a, err := dataset.ReadPicture(ts.MkAbs(args[0]))
	ts.Check(err)
	b, err := dataset.ReadPicture(ts.MkAbs(args[1]))
	ts.Check(err)
	if !a.SameSize(b.Image) || a.Deep != b.Deep || !slices.Equal(a.Pix, b.Pix) || !slices.Equal(a.Alpha, b.Alpha) {
		ts.Fatalf("%s and %s differ: %dx%d of %d channels, deep %v, opacity %v; %dx%d of %d channels, deep %v, opacity %v", args[0], args[1],
			a.W, a.H, a.C, a.Deep, a.Alpha != nil, b.W, b.H, b.C, b.Deep, b.Alpha != nil)
	}
}

// frames FILE HEADER FRAMES SIZE writes a Y4M video of frames of so many bytes.
func frames(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[2])
	ts.Check(err)
	size, err := strconv.Atoi(args[3])
	ts.Check(err)
	b := []byte("YUV4MPEG2 " + args[1] + "\n")
	for f := range n {
		b = append(b, "FRAME\n"...)
		for i := range size {
			b = append(b, byte(40+(i*7+f*31)%160))
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o666))
}

// onnx TEXT FILE makes a model of its textual form.
func onnx(ts *testscript.TestScript, _ bool, args []string) {
	m, err := text.Parse(ts.ReadFile(args[0]))
	ts.Check(err)
	ts.Check(onnxio.WriteFile(ts.MkAbs(args[1]), m))
}

// external MODEL FILE DATA writes a model with its initializers in a data file of that name.
func external(ts *testscript.TestScript, _ bool, args []string) {
	m, err := onnxio.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	var data []byte
	for _, v := range m.Graph.Initializers() {
		at := &graph.External{Entries: graph.Metadata{
			{Key: "location", Value: args[2]}, {Key: "offset", Value: strconv.Itoa(len(data))},
		}}
		t, err := graph.NewExternal(v.Const.DType, v.Const.Dims, at, v.Const.Bytes())
		ts.Check(err)
		data = append(data, t.Bytes()...)
		m.Graph.SetInitializer(v, t, nil)
	}
	b, err := onnxio.Encode(m)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), b, 0o666))
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), data, 0o666))
}

// full TEXT args... runs the program where no file may have more than 1 KiB, and demands one
// line with the text and the exit code of input and output.
func full(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("sh", append([]string{"-c", `ulimit -f 2 && exec spikingir "$@"`, "sh"}, args[1:]...)...)
	var exit *exec.ExitError
	said := ts.ReadFile("stderr")
	if !errors.As(err, &exit) || exit.ExitCode() != cli.ExitUsage || strings.Count(said, "\n") != 1 || !strings.Contains(said, args[0]) {
		ts.Fatalf("%v, want exit code %d and %q: %s", err, cli.ExitUsage, args[0], said)
	}
}

// only FILE... demands that these are all files of the folder whose names begin with out,
// hidden ones included.
func only(ts *testscript.TestScript, _ bool, args []string) {
	entries, err := os.ReadDir(ts.MkAbs("."))
	ts.Check(err)
	var found []string
	for _, e := range entries {
		if strings.HasPrefix(strings.TrimPrefix(e.Name(), "."), "out.") {
			found = append(found, e.Name())
		}
	}
	if !slices.Equal(found, args) {
		ts.Fatalf("the folder has %q, want %q", found, args)
	}
}

// cut FILE N keeps the first N bytes.
func cut(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	b := []byte(ts.ReadFile(args[0]))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b[:n], 0o666))
}

// code N args... runs the program, demands the exit code, and leaves its output
// in the files out and err.
func code(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec("spikingir", args[1:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	for _, f := range [][2]string{{"out", "stdout"}, {"err", "stderr"}} {
		ts.Check(os.WriteFile(ts.MkAbs(f[0]), []byte(ts.ReadFile(f[1])), 0o666))
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d\n%s%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// tune N MODEL args... is code N finetune MODEL on the images of the folder data, small
// enough to take no time.
func tune(ts *testscript.TestScript, neg bool, args []string) {
	code(ts, neg, slices.Concat(args[:1], []string{"finetune", args[1]}, smallRun("data"), args[2:]))
}

// smallRun is flags of finetune that make a step take milliseconds.
func smallRun(data string) []string {
	return []string{"--task", "denoise", "--sigma", "25", "--data", data, "--batch", "2", "--patch", "16",
		"--validation-share", "0.25", "--validation-crop", "24", "--calibrate-patches", "2", "--threads", "2"}
}

// lines FILE N demands a number of lines.
func lines(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[1])
	ts.Check(err)
	if got := bytes.Count([]byte(ts.ReadFile(args[0])), []byte("\n")); got != want {
		ts.Fatalf("%s has %d lines, want %d:\n%s", args[0], got, want, ts.ReadFile(args[0]))
	}
}
