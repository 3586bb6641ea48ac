//go:build unix

package regular

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestOpen holds that files open, through links too, and that what has no end or no
// writer is refused at once, through links too.
func TestOpen(t *testing.T) {
	dir := t.TempDir()
	file, pipe := filepath.Join(dir, "file"), filepath.Join(dir, "pipe")
	if err := os.WriteFile(file, []byte("text"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	for _, c := range []struct{ path, want string }{
		{file, ""}, {pipe, "is a pipe"}, {"/dev/zero", "is a device"}, {dir, "is a folder"}, {filepath.Join(dir, "none"), "no such file"},
	} {
		link := filepath.Join(dir, "link")
		if err := os.Symlink(c.path, link); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{c.path, link} {
			f, info, err := Open(path)
			if c.want != "" {
				if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
					t.Errorf("%s: %v, want %q", path, err, c.want)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			if b, err := io.ReadAll(f); err != nil || string(b) != "text" || info.Size() != 4 {
				t.Errorf("%s holds %q of %d bytes, %v", path, b, info.Size(), err)
			}
			f.Close()
		}
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
	}
}
