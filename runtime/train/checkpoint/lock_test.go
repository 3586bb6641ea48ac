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
	if _, err := Lock(filepath.Join(t.TempDir(), "none", "x")); err == nil || errors.Is(err, ErrLocked) {
		t.Errorf("in a folder that is not there: %v", err)
	}
}

// TestLockStale holds that what a killed run leaves does not stop the next, and goes.
func TestLockStale(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	for _, left := range []string{lockMark, lockMark + "123456\n"} {
		if err := os.WriteFile(LockName(path), []byte(left), 0o600); err != nil {
			t.Fatal(err)
		}
		unlock, err := Lock(path)
		if err != nil {
			t.Fatal(err)
		}
		unlock()
		if _, err := os.Stat(LockName(path)); err == nil {
			t.Errorf("%q is left", left)
		}
	}
}

// TestLockOfOthers holds that a file of that name which Lock has not made stays as it is,
// and that no link is followed.
func TestLockOfOthers(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x")
	for _, mine := range []string{"", "mine", "spikingir: but not locked by any process"} {
		if err := os.WriteFile(LockName(path), []byte(mine), 0o600); err != nil {
			t.Fatal(err)
		}
		unlock, err := Lock(path)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Lock(path); !errors.Is(err, ErrLocked) {
			t.Errorf("a second lock gives %v, want %v", err, ErrLocked)
		}
		unlock()
		if b, err := os.ReadFile(LockName(path)); err != nil || string(b) != mine {
			t.Errorf("the file holds %q, %v, want %q", b, err, mine)
		}
	}
	// Another one that has taken its place while it was locked stays too.
	if err := os.Remove(LockName(path)); err != nil {
		t.Fatal(err)
	}
	unlock, err := Lock(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(LockName(path)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(LockName(path), []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	unlock()
	if b, err := os.ReadFile(LockName(path)); err != nil || string(b) != "mine" {
		t.Errorf("the file holds %q, %v", b, err)
	}
	link := filepath.Join(dir, "y")
	if err := os.Symlink("x.lock", LockName(link)); err != nil {
		t.Fatal(err)
	}
	if _, err := Lock(link); err == nil || errors.Is(err, ErrLocked) {
		t.Errorf("a link was locked: %v", err)
	}
}
