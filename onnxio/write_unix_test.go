//go:build unix

package onnxio

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestWritePipe holds that a pipe is written to and not replaced.
func TestWritePipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	m := mustDecode(t, base())
	read := make(chan []byte)
	go func() {
		data, _ := os.ReadFile(path)
		read <- data
	}()
	if err := WriteFile(path, m); err != nil {
		t.Fatal(err)
	}
	if got := <-read; !bytes.Equal(got, wire(t, base())) {
		t.Errorf("the pipe gave %d bytes, want the model", len(got))
	}
}
