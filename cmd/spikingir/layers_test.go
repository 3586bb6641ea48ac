package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// module is the import path of the project.
const module = "spikingir"

// layers says which of our packages the packages under a path may import; the first
// path that fits counts. The empty path is the package at the root alone.
var layers = []struct {
	path  string
	may   []string
	plain bool // may import nothing but the standard library beside these
}{
	{"internal/onnxruntime", []string{"graph"}, true},
	{"internal", []string{"internal"}, true},
	{"graph", []string{"graph"}, true},
	{"onnxio", []string{"graph", "onnxio", "internal"}, false},
	{"passes", []string{"graph", "passes"}, true},
	{"runtime/reference", []string{"graph"}, false},
	{"runtime/kernel/machine", nil, false},
	{"runtime/kernel/spike", []string{"runtime/kernel"}, false},
	{"runtime/kernel/count", []string{"runtime/kernel"}, false},
	{"runtime/kernel", []string{"runtime/kernel/machine"}, false},
	{"runtime/train/kernel", []string{"runtime/kernel"}, false},
	{"runtime/neuron", []string{"runtime/kernel"}, true},
	{"runtime/ops", []string{"graph", "runtime/kernel"}, true},
	{"runtime/watch", nil, true},
	{"runtime/exec", []string{"graph", "runtime/watch", "runtime/fit", "runtime/kernel", "runtime/neuron", "runtime/ops", "runtime/tile"}, true},
	{"runtime/fit", []string{"graph", "runtime/ops"}, true},
	{"runtime/tile", []string{"graph", "runtime/kernel", "runtime/ops", "runtime/tile"}, true},
	{"runtime", []string{"graph", "internal", "runtime"}, false},
	{"fixtures", []string{"graph", "onnxio/npy"}, true},
	{"cmd", []string{"", "cmd", "fixtures", "graph", "internal", "onnxio", "passes", "runtime"}, false},
	{"", []string{"fixtures", "graph", "internal", "onnxio", "passes", "runtime"}, false},
}

// trainers are what may know of training; the rest of the runtime, which runs networks,
// must not.
var trainers = []string{"", "cmd", "runtime/bench", "runtime/train"}

// testsOnly are packages that serve tests and may reach further; nothing else
// may import them.
var testsOnly = []string{module + "/onnxio/hdf5/hdf5test", module + "/internal/python", module + "/internal/randommodel", module + "/passes/passtest", module + "/runtime/kernel/kerneltest", module + "/runtime/cluster/clustertest"}

// TestLayers holds the import rules: imports point down (cmd, the root, then onnxio,
// passes and runtime, then graph; in runtime exec, then watch, fit, tile, neuron and ops, then kernel,
// then kernel/machine), passes and runtime do not know each other, kernels know nothing
// else of ours, what runs networks knows nothing of training, graph and passes stand on
// the standard library, only onnxio sees protobuf, and only runtime/reference Gorgonia.
// The reference, an oracle for the rest of the runtime, shares nothing with it.
func TestLayers(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}}:{{range .Imports}} {{.}}{{end}}", module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(out)) {
		pkg, list, _ := strings.Cut(strings.TrimSpace(line), ":")
		if pkg == module+"/runtime" {
			t.Error("there is a Go package at runtime/")
		}
		if isTestsOnly(pkg) {
			continue
		}
		for _, imp := range strings.Fields(list) {
			if why := refuse(pkg, imp); why != "" {
				t.Errorf("%s imports %s: %s", pkg, imp, why)
			}
		}
	}
}

func isTestsOnly(pkg string) bool {
	for _, p := range testsOnly {
		if pkg == p {
			return true
		}
	}
	return false
}

// refuse gives the reason why pkg must not import imp, "" when it may.
func refuse(pkg, imp string) string {
	if isTestsOnly(imp) {
		return "it is for tests only"
	}
	if strings.Contains(imp, "protobuf") && !under(pkg, "onnxio") {
		return "only onnxio sees protobuf"
	}
	if strings.HasPrefix(imp, "gorgonia.org/gorgonia") && !under(pkg, "runtime/reference") {
		return "only runtime/reference sees Gorgonia"
	}
	if under(imp, "runtime/train") && !slices.ContainsFunc(trainers, func(path string) bool { return under(pkg, path) }) {
		return "what runs networks does not know how they are trained"
	}
	for _, l := range layers {
		if !under(pkg, l.path) {
			continue
		}
		if imp != module && !strings.HasPrefix(imp, module+"/") {
			if l.plain && strings.Contains(strings.Split(imp, "/")[0], ".") {
				return l.path + " stands on the standard library"
			}
			return ""
		}
		for _, m := range l.may {
			if under(imp, m) {
				return ""
			}
		}
		return l.path + " must not know it"
	}
	return "the package is in no layer"
}

// under reports whether pkg is the package at path or one below it.
func under(pkg, path string) bool {
	if path == "" {
		return pkg == module
	}
	p := module + "/" + path
	return pkg == p || strings.HasPrefix(pkg, p+"/")
}

// TestLayersRefuse checks the rules themselves on imports that must not be.
func TestLayersRefuse(t *testing.T) {
	for _, c := range [][2]string{
		{module + "/graph/op", module + "/passes"},
		{module + "/passes/deadnode", module + "/runtime/exec"},
		{module + "/runtime/exec", module + "/passes"},
		{module + "/runtime/exec", module + "/onnxio"},
		{module + "/graph", "github.com/google/go-cmp/cmp"},
		{module + "/runtime/exec", "google.golang.org/protobuf/proto"},
		{module + "/runtime/exec", "gorgonia.org/gorgonia"},
		{module + "/runtime/reference", module + "/runtime/neuron"},
		{module + "/internal/atomicfile", module + "/graph"},
		{module + "/graph", module + "/internal/atomicfile"},
		{module + "/cmd/spikingir", module + "/passes/passtest"},
		{module + "/runtime/exec", module + "/internal/randommodel"},
		{module, module + "/passes/passtest"},
		{module, module + "/cmd/spikingir"},
		{module + "/graph", module},
		{module + "/onnxio", module},
		{module + "/passes", module},
		{module + "/runtime/exec", module},
		{module + "/fixtures", module},
		{module + "/runtime/kernel", module + "/runtime/train/optim"},
		{module + "/runtime/kernel", module + "/runtime/ops"},
		{module + "/runtime/exec", module + "/runtime/train"},
		{module + "/runtime/eval", module + "/runtime/train/patches"},
		{module + "/runtime/tile", module + "/runtime/exec"},
		{module + "/runtime/ops", module + "/runtime/exec"},
		{module + "/runtime/exec", module + "/runtime/eval"},
		{module + "/runtime/train/kernel", module + "/runtime/exec"},
		{module + "/runtime/kernel", module + "/runtime/kernel/spike"},
		{module + "/runtime/kernel", module + "/runtime/kernel/count"},
		{module + "/runtime/kernel/spike", module + "/runtime/train/kernel"},
		{module + "/runtime/kernel/machine", module + "/runtime/kernel"},
		{module + "/runtime/kernel/machine", module + "/graph"},
	} {
		if refuse(c[0], c[1]) == "" {
			t.Errorf("%s may import %s", c[0], c[1])
		}
	}
}
