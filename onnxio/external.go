package onnxio

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"spikingir/graph"
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
	}
	return nil
}

// externalFiles reads data files of one folder. os.Root refuses symbolic links
// that lead out of the folder.
type externalFiles struct {
	root  *os.Root
	files map[string]*externalFile // by clean location
}

// externalFile is an open data file.
type externalFile struct {
	f       *os.File
	size    int64
	used    int64 // bytes read so far
	sum     string
	regions map[[2]int64][]byte // by offset and size: tensors may share one
}

func openExternal(dir string) (*externalFiles, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	return &externalFiles{root: root, files: map[string]*externalFile{}}, nil
}

func (x *externalFiles) close() {
	for _, file := range x.files {
		file.f.Close()
	}
	x.root.Close()
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
		return nil, fmt.Errorf("%s has %d bytes, want %d at offset %d: the file is "+
			"truncated or belongs to another model", w.location, file.size, size, w.offset)
	}
	if w.checksum != "" {
		if err := file.check(w.checksum); err != nil {
			return nil, fmt.Errorf("%s %w", w.location, err)
		}
	}
	data, err := file.region(w.offset, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", w.location, err)
	}
	return data, nil
}

func (x *externalFiles) open(location string) (*externalFile, error) {
	name := path.Clean(location)
	if file := x.files[name]; file != nil {
		return file, nil
	}
	// Opening a pipe would wait for its writer, so ask first.
	info, err := x.root.Stat(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is not a regular file", location)
	}
	f, err := x.root.Open(filepath.FromSlash(name))
	if err != nil {
		return nil, err
	}
	file := &externalFile{f: f, size: info.Size(), regions: map[[2]int64][]byte{}}
	x.files[name] = file
	return file, nil
}

// region reads bytes once. Regions that overlap without being the same are
// bounded by the file's size, lest a small model take any amount of memory.
func (file *externalFile) region(offset, size int64) ([]byte, error) {
	key := [2]int64{offset, size}
	if data, ok := file.regions[key]; ok {
		return data, nil
	}
	if file.used += size; file.used > file.size {
		return nil, errors.New("the places of its tensors overlap")
	}
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
