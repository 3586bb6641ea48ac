package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spikingir/cmd/internal/cli"
	"spikingir/fixtures"
	"spikingir/onnxio"
)

// TestExternalData demands that an absent data file is named, not the model
// beside it, and that a reader which cannot carry such data does not call the
// model invalid.
func TestExternalData(t *testing.T) {
	b, err := fixtures.Model("dncnn")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "dncnn.onnx")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	m, err := onnxio.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	split := filepath.Join(t.TempDir(), "split.onnx")
	if err := (onnxio.WriteOptions{ExternalThreshold: 1}).WriteFile(split, m); err != nil {
		t.Fatal(err)
	}
	var refused strings.Builder
	if code := run([]string{"inspect", split, "--reader", "onnx-go"}, nil, io.Discard, &refused); code != cli.ExitUnsupported {
		t.Errorf("onnx-go: exit code %d, want %d: %s", code, cli.ExitUnsupported, refused.String())
	}
	data, err := filepath.Glob(split + ".*.data")
	if err != nil || len(data) != 1 {
		t.Fatalf("data files %q, %v, want one", data, err)
	}
	if err := os.Remove(data[0]); err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	if code := run([]string{"inspect", split}, nil, io.Discard, &errs); code != cli.ExitUsage {
		t.Errorf("exit code %d, want %d", code, cli.ExitUsage)
	}
	if got := errs.String(); !strings.Contains(got, filepath.Base(data[0])) || strings.Count(got, "\n") != 1 {
		t.Errorf("standard error %q, want one line that names %s", got, data[0])
	}
}
