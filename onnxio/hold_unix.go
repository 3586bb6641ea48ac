//go:build unix

package onnxio

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// locks tells that files have locks that end with their process.
const locks = true

// hold keeps other processes from removing a data file that no model states yet, until
// release is called. It reports whether the file was still there. Where there are no locks
// it is not held, and nobody removes it.
func hold(name string) (release func(), there bool) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return func() {}, !errors.Is(err, fs.ErrNotExist)
	}
	_ = unix.Flock(int(f.Fd()), unix.LOCK_SH) // who has it for its own removes the file at once
	if !isNamed(f, name) {
		f.Close()
		return func() {}, false
	}
	return func() { f.Close() }, true
}

// removeUnheld removes a data file that no process holds. Where that cannot be told the file
// goes too, unless it is to be certain.
func removeUnheld(name string, certain bool) {
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return
	}
	defer f.Close()
	switch err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); {
	case errors.Is(err, unix.EWOULDBLOCK), err != nil && certain:
		return
	}
	if isNamed(f, name) {
		os.Remove(name) // what stays does no harm
	}
}

// isNamed reports whether f is the file of that name.
func isNamed(f *os.File, name string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Lstat(name)
	return err == nil && os.SameFile(opened, named)
}
