package main

import (
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"
)

// TestForms holds that each form has a row, with its times beside the ANN's of the same round, and that a
// model which the other runtime refuses is named. A script takes ONNX Runtime's place.
func TestForms(t *testing.T) {
	if goruntime.GOOS == "windows" {
		t.Skip("runs shell scripts")
	}
	dir := t.TempDir()
	script := `#!/bin/sh
shift 7
for model; do
  ms='[2, 4, 100]' error=
  case $model in *functions*) ms='[3, 8, 50]';; *flat*) ms='[]' error=refused;; esac
  for level in disabled basic extended all; do
    echo "{\"model\": \"$model\", \"level\": \"$level\", \"ms\": $ms, \"error\": \"$error\"}"
  done
done
`
	if err := os.WriteFile(filepath.Join(dir, "node"), []byte(script), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	r := testRace(t)
	r.only = []string{"forms-dncnn-64"}
	page := rendered(t, r, "forms", r.forms(t.Context()))
	for _, want := range []string{
		"| DnCNN-17 | 64x64 | the ANN | 4.00 (1.00) | 4.00 (1.00) | 4.00 (1.00) | 4.00 (1.00) |",
		"| functions | 8.00 (1.50) | 8.00 (1.50) |", "| flat | - | - | - | - |", "| unrolled | 4", "| counts | 4", "| qdq | 4",
		"- DnCNN-17 at 64x64, flat at level basic: refused",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q:\n%s", want, page)
		}
	}
}
