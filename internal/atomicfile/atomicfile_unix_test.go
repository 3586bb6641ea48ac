//go:build unix

package atomicfile

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestMode checks that a file that is replaced keeps its permissions, at any umask,
// that a new one honours the umask, and that neither can be read by more while it is
// written.
func TestMode(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027))
	dir := t.TempDir()
	for _, c := range []struct {
		name      string
		old, want os.FileMode // old 0: a new file
	}{{"new", 0, 0o640}, {"private", 0o600, 0o600}, {"open", 0o666, 0o666}, {"tool", 0o755, 0o755}, {"fixed", 0o444, 0o444}} {
		path := filepath.Join(dir, c.name)
		if c.old != 0 {
			if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, c.old); err != nil {
				t.Fatal(err)
			}
		}
		err := Write(path, true, func(w io.Writer) error {
			names, err := filepath.Glob(filepath.Join(dir, ".*.tmp"))
			if err != nil || len(names) != 1 {
				t.Errorf("%s: temporary files %v, %v", c.name, names, err)
			}
			for _, name := range names {
				if info, err := os.Stat(name); err != nil || info.Mode().Perm() != c.want {
					t.Errorf("%s is written with mode %v, %v, want %v", c.name, info.Mode(), err, c.want)
				}
			}
			_, err = io.WriteString(w, "new")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != c.want {
			t.Errorf("%s has mode %v, %v, want %v", c.name, info.Mode(), err, c.want)
		}
	}
}

// TestPipe checks that a pipe is written to and not replaced, and refused where the
// content must last.
func TestPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	if err := Write(path, true, text("lasting")); err == nil {
		t.Error("a pipe passes for a file on disk")
	}
	read := make(chan string)
	go func() {
		b, _ := os.ReadFile(path)
		read <- string(b)
	}()
	if err := Write(path, false, text("through")); err != nil {
		t.Fatal(err)
	}
	if got := <-read; got != "through" {
		t.Errorf("the pipe gave %q", got)
	}
}
