//go:build unix

package dataset

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestWriteToPipe checks that what is no regular file is written to, not
// replaced.
func TestWriteToPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	got := make(chan int)
	go func() {
		f, err := os.Open(path)
		if err != nil {
			got <- -1
			return
		}
		defer f.Close()
		b, _ := io.ReadAll(f)
		got <- len(b)
	}()
	if err := Write(path, NewImage(1, 3, 4)); err != nil {
		t.Fatal(err)
	}
	if n := <-got; n <= 0 {
		t.Errorf("%d bytes came through the pipe", n)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().IsRegular() {
		t.Errorf("the pipe was replaced: %v, %v", info, err)
	}
}
