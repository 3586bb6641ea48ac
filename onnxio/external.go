package onnxio

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"spikingir/graph"
	"spikingir/internal/regular"
)

// externalPlace is where the elements of a tensor lie, as its entries say.
type externalPlace struct {
	location string // slash-separated path relative to the model's folder
	offset   int64
	length   int64  // -1: not given
	checksum string // SHA-1 of the whole file in hex, "" when not given
}

func parseExternal(ext *graph.External) (externalPlace, error) {
	w := externalPlace{length: -1}
	var err error
	for _, kv := range ext.Entries {
		switch kv.Key {
		case "location":
			w.location = kv.Value
		case "offset":
			w.offset, err = parseSize(kv)
		case "length":
			w.length, err = parseSize(kv)
		case "checksum":
			w.checksum = kv.Value
		}
		if err != nil {
			return w, err
		}
	}
	return w, checkLocation(w.location)
}

func parseSize(kv graph.KV) (int64, error) {
	n, err := strconv.ParseInt(kv.Value, 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("external data: %s is %q, want a number of bytes", kv.Key, kv.Value)
	}
	return n, nil
}

// checkLocation keeps data inside of the model's folder.
func checkLocation(location string) error {
	switch {
	case location == "":
		return errors.New("external data: no location is given")
	case path.IsAbs(location) || filepath.IsAbs(filepath.FromSlash(location)):
		return fmt.Errorf("external data: location %q is absolute, want a path relative "+
			"to the model's folder", location)
	case !filepath.IsLocal(filepath.FromSlash(location)):
		return fmt.Errorf("external data: location %q leaves the model's folder", location)
	case strings.ContainsRune(location, 0):
		return fmt.Errorf("external data: location %q has a zero byte, want the name of a file", location)
	}
	return nil
}

// Files lists the files that a model was read from: its own and those of external data.
// It is empty for one that was not read from a file.
func Files(m *graph.Model) []string {
	if m.Source == nil || m.Source.Path == "" {
		return nil
	}
	list := []string{m.Source.Path}
	dirs := []string{filepath.Dir(m.Source.Path)}
	if to := linkedFolder(m.Source.Path); to != "" {
		dirs = append(dirs, to)
	}
	seen := map[string]bool{}
	for t := range tensors(m) {
		if t.External == nil {
			continue
		}
		w, err := parseExternal(t.External)
		if err != nil || seen[w.location] {
			continue
		}
		seen[w.location] = true
		for _, dir := range dirs {
			list = append(list, filepath.Join(dir, filepath.FromSlash(w.location)))
		}
	}
	return list
}

// linkedFolder is the folder of the file that a link leads to, empty where it is that of
// the link or path is none.
func linkedFolder(path string) string {
	if to, err := filepath.EvalSymlinks(path); err == nil && filepath.Dir(to) != filepath.Dir(path) {
		return filepath.Dir(to)
	}
	return ""
}

// externalFiles reads data files of a model's folder. os.Root refuses symbolic links
// that lead out of it.
type externalFiles struct {
	roots []*os.Root               // the folder; where the model is a link, that of its file too
	files map[string]*externalFile // by clean location
	left  int64                    // bytes that may still be read
}

// externalFile is an open data file.
type externalFile struct {
	f       *os.File
	size    int64
	used    int64 // bytes read so far
	sum     string
	regions map[[2]int64][]byte // by offset and size: tensors may share one
}

// openExternal opens the folders in which data is looked for, the first one first. It
// reads no more than limit bytes; 0 is any number.
func openExternal(limit int64, dirs ...string) (*externalFiles, error) {
	if limit <= 0 {
		limit = math.MaxInt64
	}
	x := &externalFiles{files: map[string]*externalFile{}, left: limit}
	for _, dir := range dirs {
		root, err := os.OpenRoot(dir)
		if err != nil {
			x.close()
			return nil, err
		}
		x.roots = append(x.roots, root)
	}
	return x, nil
}

func (x *externalFiles) close() {
	for _, file := range x.files {
		file.f.Close()
	}
	for _, root := range x.roots {
		root.Close()
	}
}

func (x *externalFiles) read(w externalPlace, size int64) ([]byte, error) {
	if w.length >= 0 && w.length != size {
		return nil, fmt.Errorf("length is %d, want %d for the tensor's type and dimensions",
			w.length, size)
	}
	file, err := x.open(w.location)
	if err != nil {
		return nil, err
	}
	if w.offset > file.size || size > file.size-w.offset {
		return nil, fmt.Errorf("%q has %d bytes, want %d at offset %d: the file is "+
			"truncated or belongs to another model", w.location, file.size, size, w.offset)
	}
	if w.checksum != "" {
		if err := file.check(w.checksum); err != nil {
			return nil, fmt.Errorf("%q %w", w.location, err)
		}
	}
	data, err := file.region(w.offset, size, &x.left)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", w.location, err)
	}
	return data, nil
}

func (x *externalFiles) open(location string) (*externalFile, error) {
	name := path.Clean(location)
	if file := x.files[name]; file != nil {
		return file, nil
	}
	var f *os.File
	var info fs.FileInfo
	var err error
	for _, root := range x.roots {
		if f, info, err = openIn(root, filepath.FromSlash(name)); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		missing := &fs.PathError{Op: "open", Path: location, Err: fs.ErrNotExist}
		return nil, fmt.Errorf("%w in the folder of the model: copy it there, under this name", missing)
	case err != nil:
		return nil, err
	}
	file := &externalFile{f: f, size: info.Size(), regions: map[[2]int64][]byte{}}
	x.files[name] = file
	return file, nil
}

// openIn opens a regular file of a folder.
func openIn(root *os.Root, name string) (*os.File, fs.FileInfo, error) {
	// Opening a pipe would wait for its writer, so ask first; it may be one by then.
	info, err := root.Stat(name)
	if err != nil {
		return nil, nil, outside(root, name, err)
	}
	if err := regular.Check(info); err != nil {
		return nil, nil, fmt.Errorf("%q %w", name, err)
	}
	f, err := root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = regular.Check(info)
	}
	if err != nil {
		f.Close()
		return nil, nil, fmt.Errorf("%q %w", name, err)
	}
	return f, info, nil
}

// outside says it in words where name is a link that leads out of the folder: os.Root
// refuses those with an error that has no name.
func outside(root *os.Root, name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.ELOOP) {
		return err
	}
	for at := name; at != "."; at = filepath.Dir(at) {
		info, failed := root.Lstat(at)
		if failed == nil && info.Mode()&fs.ModeSymlink != 0 {
			return fmt.Errorf("location %q leads out of the model's folder by the link %q: copy the file into the folder", name, at)
		}
	}
	return err
}

// region reads bytes once, and takes them off what is left. Regions that overlap without
// being the same are bounded by the file's size, lest a small model take any amount of
// memory.
func (file *externalFile) region(offset, size int64, left *int64) ([]byte, error) {
	key := [2]int64{offset, size}
	if data, ok := file.regions[key]; ok {
		return data, nil
	}
	if file.used += size; file.used > file.size {
		return nil, errors.New("the places of its tensors overlap")
	}
	if size > *left {
		return nil, fmt.Errorf("a tensor of %d bytes, and there is room for %d more in memory", size, *left)
	}
	*left -= size
	data := make([]byte, size)
	if _, err := file.f.ReadAt(data, offset); err != nil {
		return nil, err
	}
	file.regions[key] = data
	return data, nil
}

func (file *externalFile) check(want string) error {
	if file.sum == "" {
		h := sha1.New()
		if _, err := io.Copy(h, io.NewSectionReader(file.f, 0, file.size)); err != nil {
			return err
		}
		file.sum = hex.EncodeToString(h.Sum(nil))
	}
	if !strings.EqualFold(file.sum, want) {
		return fmt.Errorf("has SHA-1 %s, want %s", file.sum, want)
	}
	return nil
}
