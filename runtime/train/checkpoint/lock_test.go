//go:build unix

package checkpoint

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestLock holds that a checkpoint has one owner at a time, and that nothing stays behind.
func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.onnx.checkpoint")
	unlock, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(path); !errors.Is(err, ErrLocked) {
		t.Errorf("a second lock gives %v, want %v", err, ErrLocked)
	}
	unlock()
	if _, err := os.Stat(path + ".lock"); err == nil {
		t.Error("the lock's file is left")
	}
	// What a killed run leaves does not stop the next.
	if err := os.WriteFile(path+".lock", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if unlock, err = Lock(path); err != nil {
		t.Fatal(err)
	}
	unlock()
	if _, err := Lock(filepath.Join(t.TempDir(), "none", "x")); err == nil || errors.Is(err, ErrLocked) {
		t.Errorf("in a folder that is not there: %v", err)
	}
}
