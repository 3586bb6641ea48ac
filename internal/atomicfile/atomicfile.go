// Package atomicfile writes files that appear whole or not at all.
package atomicfile

import (
	"bufio"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Write makes or replaces the file at path with what fill writes. That goes to a
// temporary file in the same folder, which is renamed when it is complete: until
// then, and when anything fails, what was at path stays. With durable the
// content is on disk before the file is renamed, and the rename before Write
// returns, as far as the system can tell: a loss of power leaves the old file or
// the new one.
//
// A process that is killed leaves its temporary file behind, see [Sweep].
// Anything at path but a regular file, such as a device, is refused.
func Write(path string, durable bool, fill func(io.Writer) error) (err error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return &fs.PathError{Op: "write", Path: path, Err: errors.New("is no regular file")}
	}
	dir, prefix := temporary(path)
	f, err := os.CreateTemp(dir, prefix+"*"+suffix)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// What is closed or removed already gives an error that says nothing.
			f.Close()
			os.Remove(f.Name())
		}
	}()
	w := bufio.NewWriter(f)
	if err := fill(w); err != nil {
		return err
	}
	if err := errors.Join(w.Flush(), f.Chmod(0o644)); err != nil {
		return err
	}
	if durable {
		if err := f.Sync(); err != nil {
			return err
		}
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	if durable {
		syncFolder(dir)
	}
	return nil
}

// suffix ends the names of temporary files.
const suffix = ".tmp"

// temporary returns the folder of path and what the names of its temporary files
// begin with.
func temporary(path string) (dir, prefix string) {
	return filepath.Dir(path), "." + filepath.Base(path) + "."
}

// syncFolder brings a rename to disk. Not every system can open or sync a
// folder, and the file itself is safe: an error is no failure.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

// Sweep removes the temporary files that killed processes left beside path. A
// process that is just writing path fails then, with what was at path untouched.
func Sweep(path string) error {
	dir, prefix := temporary(path)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		middle, begins := strings.CutPrefix(e.Name(), prefix)
		middle, ends := strings.CutSuffix(middle, suffix)
		if begins && ends && isNumber(middle) && e.Type().IsRegular() {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// isNumber tells what os.CreateTemp puts into a name from what users do.
func isNumber(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
