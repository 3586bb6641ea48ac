package main

import (
	"bytes"
	"context"
	"testing"

	"spikingir/cmd/internal/cli"
)

// TestTuned holds that the embedded fine-tuned network restores the held-out images
// to within 1 dB of its ANN.
func TestTuned(t *testing.T) {
	var errs bytes.Buffer
	a := &app{Common: cli.Common{Err: &errs, Threads: 2, Quiet: true}}
	out := t.TempDir()
	if err := unpack(out); err != nil {
		t.Fatal(err)
	}
	for _, d := range demoCases {
		r, err := a.demoTuned(context.Background(), out, d)
		if err != nil {
			t.Fatalf("%s: %v", d.name, err)
		}
		if d.name != "dncnn" {
			if r != nil {
				t.Errorf("%s was fine-tuned too: measure it here", d.name)
			}
			continue
		}
		if r == nil {
			t.Fatal("no fine-tuned dncnn")
		}
		if loss := float64(r.Ref.PSNR - r.Model.PSNR); !(loss < 1) {
			t.Errorf("%s: %.3f dB, its ANN %.3f, want less than 1 dB between them", d.name, r.Model.PSNR, r.Ref.PSNR)
		}
	}
}
