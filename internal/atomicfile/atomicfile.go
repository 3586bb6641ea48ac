// Package atomicfile writes files that appear whole or not at all.
package atomicfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// Write makes or replaces the file at path with what fill writes. That goes to a
// temporary file in the same folder, which is renamed when it is complete: until
// then, and when anything fails, what was at path stays. A symbolic link stays
// and its target is replaced. A file that is replaced keeps its permissions; a new
// one has those of the umask. A device or a pipe is written to.
//
// With durable the content is on disk before the file is renamed, and the rename
// before Write returns, as far as the system can tell: a loss of power leaves the
// old file or the new one. Devices and pipes are then refused.
//
// A process that is killed leaves its temporary file behind, see [Sweep].
func Write(path string, durable bool, fill func(io.Writer) error) error {
	old, err := os.Stat(path)
	switch {
	case err != nil: // a new file, or making it says what is wrong
		old = nil
	case old.Mode().IsRegular():
	case durable:
		return &fs.PathError{Op: "write", Path: path, Err: errors.New("is no regular file")}
	case old.IsDir():
		return &fs.PathError{Op: "write", Path: path, Err: errors.New("is a folder, want a file name")}
	default:
		return writeThrough(path, fill)
	}
	if path, err = Target(path); err != nil {
		return err
	}
	return replace(path, old, durable, fill)
}

// Replace is a durable Write that follows no link: one at path is replaced itself, and
// what it leads to stays.
func Replace(path string, fill func(io.Writer) error) error {
	return replace(path, nil, true, fill)
}

// unfinished is the temporary files of writes under way.
var unfinished struct {
	sync.Mutex
	names     map[string]bool
	abandoned bool
}

// Abandon ends all writes under way, as the process is about to end: no file appears any
// more, and nothing is left of those that were not complete. Writes fail from then on.
func Abandon() {
	unfinished.Lock()
	defer unfinished.Unlock()
	unfinished.abandoned = true
	for name := range unfinished.names {
		os.Remove(name) // as well as can be
	}
}

// begin makes a temporary file for path, as create does.
func begin(path string, old fs.FileInfo) (*os.File, error) {
	unfinished.Lock()
	defer unfinished.Unlock()
	if unfinished.abandoned {
		return nil, &fs.PathError{Op: "write", Path: path, Err: errors.New("the program ends")}
	}
	f, err := create(path, old)
	if err == nil {
		if unfinished.names == nil {
			unfinished.names = map[string]bool{}
		}
		unfinished.names[f.Name()] = true
	}
	return f, err
}

// appear gives a complete temporary file its name.
func appear(name, path string) error {
	unfinished.Lock()
	defer unfinished.Unlock()
	if unfinished.abandoned {
		return &fs.PathError{Op: "write", Path: path, Err: errors.New("the program ends")}
	}
	return os.Rename(name, path)
}

func replace(path string, old fs.FileInfo, durable bool, fill func(io.Writer) error) (err error) {
	f, err := begin(path, old)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			// What is closed or removed already gives an error that says nothing.
			f.Close()
			os.Remove(f.Name())
		}
		unfinished.Lock()
		defer unfinished.Unlock()
		delete(unfinished.names, f.Name())
	}()
	if err := filled(f, fill); err != nil {
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
	if err := appear(f.Name(), path); err != nil {
		return err
	}
	if durable {
		syncFolder(filepath.Dir(path))
	}
	return nil
}

// Probe reports why Write could not make a file at path, in a folder that is there: it
// makes a temporary one and removes it. Nothing is tried where Write writes to a device.
func Probe(path string) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil
	}
	path, err := Target(path)
	if err != nil {
		return err
	}
	f, err := create(path, nil)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// WriteBytes is Write of data.
func WriteBytes(path string, durable bool, data []byte) error {
	return Write(path, durable, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// filled writes what fill gives to f.
func filled(f *os.File, fill func(io.Writer) error) error {
	w := bufio.NewWriter(f)
	if err := fill(w); err != nil {
		return err
	}
	return w.Flush()
}

func writeThrough(path string, fill func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(filled(f, fill), f.Close())
}

// Target follows the symbolic links at path, to a file that need not exist.
func Target(path string) (string, error) {
	for range 40 {
		dir, base := filepath.Split(path)
		if dir == "" {
			dir = "."
		}
		// Links among the folders first: ".." in a link starts from where it is.
		dir, err := filepath.EvalSymlinks(dir)
		if err != nil {
			return "", err
		}
		path = filepath.Join(dir, base)
		to, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link
		}
		if !filepath.IsAbs(to) {
			to = dir + string(filepath.Separator) + to
		}
		path = to
	}
	return "", &fs.PathError{Op: "write", Path: path, Err: errors.New("too many symbolic links")}
}

// create makes a temporary file for path, with the permissions of old, the file
// that it is to replace, or those of the umask where old is nil.
func create(path string, old fs.FileInfo) (*os.File, error) {
	perm := fs.FileMode(0o666)
	if old != nil {
		perm = old.Mode().Perm()
	}
	for {
		name := filepath.Join(filepath.Dir(path), temporary(path, fmt.Sprint(rand.Uint32())))
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil || old == nil {
			return f, err
		}
		if err := f.Chmod(perm); err != nil {
			f.Close()
			os.Remove(name)
			return nil, err
		}
		return f, nil
	}
}

// temporary is the name of a temporary file of path; number is digits.
func temporary(path, number string) string {
	return "." + filepath.Base(path) + "." + number + ".tmp"
}

// isTemporary reports whether name is one that temporary gives for path.
func isTemporary(name, path string) bool {
	number := strings.TrimSuffix(strings.TrimPrefix(name, "."+filepath.Base(path)+"."), ".tmp")
	return number != "" && strings.Trim(number, "0123456789") == "" && name == temporary(path, number)
}

// Sweep removes the temporary files that killed processes left beside path. A
// process that is just writing path fails then, with what was at path untouched.
func Sweep(path string) error {
	path, err := Target(path)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	for _, e := range entries {
		if isTemporary(e.Name(), path) && e.Type().IsRegular() {
			err = errors.Join(err, os.Remove(filepath.Join(filepath.Dir(path), e.Name())))
		}
	}
	return err
}

// syncFolder brings a rename to disk. Not every system can open or sync a
// folder, and the file itself is safe: an error is no failure.
func syncFolder(dir string) {
	if d, err := os.Open(dir); err == nil {
		d.Sync()
		d.Close()
	}
}

// Cause strips the operation and the path, which may be that of a temporary
// file, from an error of the file system.
func Cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}
