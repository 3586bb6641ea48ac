package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// contents are the files of a folder and what they hold.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(b)
	}
	return out
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, c := range []struct {
		s       string
		durable bool
	}{{"one", true}, {"two", false}, {"", true}} {
		if err := Write(path, c.durable, text(c.s)); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, dir); len(got) != 1 || got["a"] != c.s {
			t.Errorf("the folder holds %v, want a with %q", got, c.s)
		}
	}
}

// TestWriteFails checks that what was there stays, alone.
func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := Write(path, true, text("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	err := Write(path, true, func(w io.Writer) error {
		if _, err := io.WriteString(w, "half of the new"); err != nil {
			return err
		}
		if got := contents(t, dir); got["a"] != "old" || len(got) != 2 {
			t.Errorf("while writing the folder holds %v, want the old file and a temporary one", got)
		}
		return full
	})
	if !errors.Is(err, full) {
		t.Errorf("%v, want the error of the writer", err)
	}
	if got := contents(t, dir); len(got) != 1 || got["a"] != "old" {
		t.Errorf("afterwards the folder holds %v, want the old file", got)
	}
	if err := Write(filepath.Join(dir, "no", "a"), true, text("")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
	if err := Write(dir, true, text("")); err == nil {
		t.Error("a folder was replaced by a file")
	}
}

// TestSweep checks that only temporary files of this very name go.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", ".a.123.tmp", ".a.5.tmp", ".a.b.tmp", ".a..tmp", ".b.123.tmp", "a.123.tmp", ".a.123"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sweep(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	got := contents(t, dir)
	for _, name := range []string{".a.123.tmp", ".a.5.tmp"} {
		if _, there := got[name]; there {
			t.Errorf("%s was left", name)
		}
	}
	if len(got) != 6 {
		t.Errorf("%v is left, want all other files", got)
	}
}
