// Package python asks packages of Python what they make of models, for tests that hold ours
// to it: those of Debian 12, python3-onnx and python3-opencv.
package python

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Variable is the environment variable that holds the interpreter; `make interop` sets it.
const Variable = "SPIKINGIR_PYTHON"

//go:embed check.py
var checker string

// Check is what onnx's checker says of each model, given as the bytes of its file: nil of one that it
// accepts. The models are written to dir, an empty folder.
func Check(ctx context.Context, interpreter, dir string, models [][]byte) ([]error, error) {
	var names []string
	for i, m := range models {
		name := filepath.Join(dir, fmt.Sprintf("%d.onnx", i))
		if err := os.WriteFile(name, m, 0o666); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	out, err := script(ctx, interpreter, checker, names...)
	if err != nil {
		return nil, err
	}
	said := make([]error, len(models))
	d := json.NewDecoder(bytes.NewReader(out))
	for i := range said {
		var text string
		if err := d.Decode(&text); err != nil {
			return nil, fmt.Errorf("onnx's checker said nothing of model %d: %w", i, err)
		}
		if text != "" {
			said[i] = errors.New(text)
		}
	}
	return said, nil
}

// script is what a program in Python prints.
func script(ctx context.Context, interpreter, program string, args ...string) ([]byte, error) {
	var out, complaint bytes.Buffer
	c := exec.CommandContext(ctx, interpreter, append([]string{"-c", program}, args...)...)
	c.Stdout, c.Stderr = &out, &complaint
	if err := c.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", interpreter, err, bytes.TrimSpace(complaint.Bytes()))
	}
	return out.Bytes(), nil
}
