//go:build unix

package checkpoint

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"spikingir/internal/atomicfile"
	"spikingir/internal/regular"
)

// lockMark is how the file of a lock begins that Lock has made: others are left alone.
const lockMark = "spikingir: locked by process "

// Lock keeps other processes from a file until unlock is called or this process
// ends, however it does: by a lock on the file path.lock, which unlock removes if Lock has
// made it. It gives ErrLocked where another one holds it. What a process that was killed
// leaves is taken over. File systems without locks are not locked.
func Lock(path string) (unlock func(), err error) {
	name := LockName(path)
	for {
		f, err := openLock(name)
		if errors.Is(err, fs.ErrNotExist) && exists(filepath.Dir(name)) {
			continue // its owner has removed it in between
		}
		if errors.Is(err, unix.ELOOP) {
			err = errors.New("is a link, want it removed or another name")
		}
		if err != nil {
			return nil, fmt.Errorf("lock %s: %w", name, atomicfile.Cause(err))
		}
		if unlock, err = hold(f, name); !errors.Is(err, errRemoved) {
			if err != nil {
				f.Close()
			}
			return unlock, err
		}
		f.Close()
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// openLock opens the file of a lock and makes it where there is none.
func openLock(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o666)
	if err == nil { // marked before it is locked: another process may be faster
		_, err = f.WriteString(lockMark)
		return f, err
	}
	if errors.Is(err, fs.ErrExist) {
		f, err = os.OpenFile(name, os.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	}
	return f, err
}

// errRemoved says that the owner of a lock has just removed its file.
var errRemoved = errors.New("removed")

// hold locks the file of a lock, which it has opened.
func hold(f *os.File, name string) (unlock func(), err error) {
	info, err := f.Stat()
	if err == nil {
		err = regular.Check(info)
	}
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, atomicfile.Cause(err))
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
		return nil, ErrLocked
	}
	if !same(f, name) {
		return nil, errRemoved
	}
	own, err := mark(f)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, atomicfile.Cause(err))
	}
	return func() {
		if own && same(f, name) {
			os.Remove(name)
		}
		f.Close()
	}, nil
}

// mark writes into the file of a lock whose it is. It reports whether Lock has made the
// file: one that held something else before stays as it is.
func mark(f *os.File) (own bool, err error) {
	start := make([]byte, len(lockMark))
	n, err := f.ReadAt(start, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, err
	}
	if n < len(start) || !bytes.Equal(start, []byte(lockMark)) {
		return false, nil
	}
	if err := f.Truncate(0); err != nil {
		return false, err
	}
	_, err = f.WriteAt(fmt.Appendf(nil, "%s%d\n", lockMark, os.Getpid()), 0)
	return true, err
}

// same reports whether f is still the file of that name.
func same(f *os.File, name string) bool {
	opened, err := f.Stat()
	if err != nil {
		return true
	}
	named, err := os.Lstat(name)
	return err == nil && os.SameFile(opened, named)
}
