package spikingir_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// command runs the go command in dir, offline.
func command(t *testing.T, dir string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=readonly -buildvcs=false", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s in %s: %v\n%s", strings.Join(args, " "), dir, err, out)
	}
}

// TestCustomPass runs the program of another module that has a pass of its own, and
// that pass's golden cases.
func TestCustomPass(t *testing.T) {
	dir := filepath.Join("examples", "custompass")
	command(t, dir, "vet", ".")
	command(t, dir, "test", ".")
	out := filepath.Join(t.TempDir(), "spiking.onnx")
	command(t, dir, "run", ".", filepath.Join("..", "..", "fixtures", "models", "aodnet.onnx"), out)
	if _, err := os.Stat(out); err != nil {
		t.Error(err)
	}
}

// TestWeb tests the program that serves a page. The page itself is opened by
// `make interop`.
func TestWeb(t *testing.T) {
	dir := filepath.Join("examples", "web")
	command(t, dir, "vet", ".")
	command(t, dir, "test", ".")
}

// TestLibraryPage runs the program of docs/library.md, in a module of its own, on fixtures.
func TestLibraryPage(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	read := func(path string) string {
		t.Helper()
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	root, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	program := block(t, read("docs/library.md"), "\n## A program\n")
	if n := strings.Count(strings.ReplaceAll(program, "\n\n", "\n"), "\n"); n > 33 {
		t.Errorf("the program has %d lines, want about thirty", n)
	}
	write("main.go", program)
	custom := filepath.Join("examples", "custompass")
	write("go.mod", strings.Replace(read(filepath.Join(custom, "go.mod")), "../..", root, 1))
	write("go.sum", read(filepath.Join(custom, "go.sum")))
	write("model.onnx", read("fixtures/models/dncnn.onnx"))
	for _, name := range []string{"s01", "s02", "s03"} {
		write("photos/"+name+".png", read("fixtures/images/clean/"+name+".png"))
	}
	write("noisy.png", read("fixtures/images/clean/s04.png"))
	command(t, dir, "run", ".")
	for _, name := range []string{"spiking.onnx", "restored.png"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

// block is the first indented block of text behind a heading, without its indent.
func block(t *testing.T, text, heading string) string {
	t.Helper()
	_, text, ok := strings.Cut(text, heading)
	if !ok {
		t.Fatalf("there is no section %q", strings.TrimSpace(heading))
	}
	var b strings.Builder
	for line := range strings.Lines(text) {
		code, indented := strings.CutPrefix(line, "    ")
		switch {
		case indented:
			b.WriteString(code)
		case strings.TrimSpace(line) == "" && b.Len() > 0:
			b.WriteString("\n")
		case b.Len() > 0:
			return b.String()
		}
	}
	return b.String()
}
