package main

import (
	"path/filepath"
	"testing"

	"spikingir"
	"spikingir/passes/passtest"
)

// TestPass runs the golden cases of testdata.
func TestPass(t *testing.T) { passtest.Run(t, relu6ToRelu) }

// TestConvert converts a network that PyTorch exported.
func TestConvert(t *testing.T) {
	out := filepath.Join(t.TempDir(), "spiking.onnx")
	if err := convert(filepath.Join("..", "..", "fixtures", "models", "dncnn.onnx"), out); err != nil {
		t.Fatal(err)
	}
	m, err := spikingir.Read(out)
	if err != nil {
		t.Fatal(err)
	}
	if !spikingir.Spiking(m) {
		t.Errorf("%s holds no neurons", out)
	}
}
