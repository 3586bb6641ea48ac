package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"spikingir/cmd/internal/cli"
	"spikingir/fixtures"
)

// TestSameBytes converts every fixture again and again, at 1 and 2 threads: the
// files must be the same byte for byte.
func TestSameBytes(t *testing.T) {
	runs := 20
	if testing.Short() {
		runs = 2
	}
	for _, name := range fixtures.Names() {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			in := filepath.Join(dir, name+".onnx")
			b, err := fixtures.Model(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(in, b, 0o666); err != nil {
				t.Fatal(err)
			}
			var first []byte
			for i := range runs {
				out := filepath.Join(dir, "out.onnx")
				var errs bytes.Buffer
				code := run([]string{"convert", in, "-o", out, "-T", "6", "--limit", "2", "--quiet",
					"--threads", strconv.Itoa(1 + i%2)}, nil, io.Discard, &errs)
				if code != cli.ExitOK {
					t.Fatalf("exit code %d: %s", code, errs.String())
				}
				got, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				if first == nil {
					first = got
				}
				if !bytes.Equal(first, got) {
					t.Fatalf("run %d, %d threads: other bytes than the first", i, 1+i%2)
				}
			}
		})
	}
}
