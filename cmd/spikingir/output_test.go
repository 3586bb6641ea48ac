package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spikingir/cmd/internal/cli"
)

// fullDisk fails every write.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// TestFullOutput demands that lost output is no success.
func TestFullOutput(t *testing.T) {
	for _, args := range [][]string{{"passes"}, {"passes", "--format", "json"}, {"completion", "bash"}, {"--help"}} {
		var errs bytes.Buffer
		if code := run(args, nil, fullDisk{}, &errs); code != cli.ExitUsage {
			t.Errorf("%v: exit code %d, want %d", args, code, cli.ExitUsage)
		}
		if got := errs.String(); !strings.Contains(got, "no space left") || strings.Count(got, "\n") != 1 {
			t.Errorf("%v: standard error %q, want one line that says why", args, got)
		}
	}
}

// TestWriteFileLeavesNothing checks that a file that cannot take its name leaves
// no temporary one.
func TestWriteFileLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	taken := filepath.Join(dir, "taken")
	if err := os.MkdirAll(filepath.Join(taken, "inside"), 0o777); err != nil {
		t.Fatal(err)
	}
	err := cli.WriteFile(taken, []byte("x"))
	if err == nil || !strings.Contains(err.Error(), "write "+taken+": ") {
		t.Errorf("error %v, want one that names %s", err, taken)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("%d files left (%v), want the folder alone", len(files), err)
	}
}
