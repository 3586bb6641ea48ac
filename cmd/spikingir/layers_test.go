package main

import (
	"os/exec"
	"strings"
	"testing"
)

// module is the import path of the project.
const module = "spikingir"

// layer says which of our packages the packages under a path may import.
var layers = []struct {
	path  string
	may   []string
	plain bool // may import nothing but the standard library beside these
}{
	{"graph", []string{"graph"}, true},
	{"onnxio", []string{"graph", "onnxio"}, false},
	{"passes", []string{"graph", "passes"}, true},
	{"runtime/reference", []string{"graph"}, false},
	{"runtime", []string{"graph", "runtime"}, false},
	{"fixtures", nil, true},
	{"cmd", []string{"cmd", "fixtures", "graph", "onnxio", "passes", "runtime"}, false},
}

// testsOnly are packages that serve tests and may reach further; nothing else
// may import them.
var testsOnly = []string{module + "/passes/passtest"}

// TestLayers holds the import rules: imports point down, passes and
// runtime do not know each other, graph and passes stand on the standard
// library, only onnxio sees protobuf, and only runtime/reference Gorgonia. The
// reference, an oracle for the rest of the runtime, shares nothing with it.
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
	for _, l := range layers {
		if !under(pkg, l.path) {
			continue
		}
		if !strings.HasPrefix(imp, module+"/") {
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

func under(pkg, path string) bool {
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
		{module + "/cmd/spikingir", module + "/passes/passtest"},
	} {
		if refuse(c[0], c[1]) == "" {
			t.Errorf("%s may import %s", c[0], c[1])
		}
	}
}
