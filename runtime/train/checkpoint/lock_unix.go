//go:build unix

package checkpoint

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Lock keeps other processes from a checkpoint until unlock is called or this process
// ends, however it does: by a lock on the file path.lock, which unlock removes. It gives
// ErrLocked where another one holds it. File systems without locks are not locked.
func Lock(path string) (unlock func(), err error) {
	for {
		f, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o666)
		if err != nil {
			return nil, err
		}
		if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
			f.Close()
			return nil, ErrLocked
		}
		if same(f, path+".lock") {
			return func() {
				os.Remove(path + ".lock")
				f.Close()
			}, nil
		}
		f.Close() // its owner has just removed it
	}
}

// same reports whether f is still the file of that name.
func same(f *os.File, name string) bool {
	opened, err := f.Stat()
	if err != nil {
		return true
	}
	named, err := os.Stat(name)
	return err == nil && os.SameFile(opened, named)
}
