package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"spikingir/runtime/atomicfile"
	"spikingir/runtime/dataset"
)

// output is standard output; it remembers the first error of writing to it, so
// that a full disk does not pass for success.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(b []byte) (int, error) {
	n, err := o.w.Write(b)
	if err != nil && o.err == nil {
		o.err = fmt.Errorf("standard output: %w", cause(err))
	}
	return n, err
}

// cause strips the operation and the path, which may be that of a temporary
// file, from an error of the file system.
func cause(err error) error {
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

// writing names the file that could not be written.
func writing(path string, err error) error {
	if c := cause(err); c != err {
		return fmt.Errorf("write %s: %w", path, c)
	}
	return err
}

// checkOutput refuses, before any work is done, a file that cannot be written:
// its folder must exist, it must be no folder, and none of the inputs, which
// writing would destroy.
func checkOutput(path string, inputs ...string) error {
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil {
		return fmt.Errorf("write %s: folder %s: %w", path, dir, cause(err))
	} else if !info.IsDir() {
		return fmt.Errorf("write %s: %s is not a folder", path, dir)
	}
	to, err := os.Stat(path)
	if err != nil {
		return nil // a new file; or writing will say what is wrong
	}
	if to.IsDir() {
		return fmt.Errorf("output %s is a folder, want a file", path)
	}
	for _, in := range inputs {
		if from, err := os.Stat(in); err == nil && os.SameFile(from, to) {
			return fmt.Errorf("output %s is the input %s, which it would overwrite; want another file", path, in)
		}
	}
	return nil
}

// otherFormats are the names of images that would not hold a PNG.
var otherFormats = []string{".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".onnx"}

// checkImageName refuses a name that says another format than PNG.
func checkImageName(path string) error {
	if ext := strings.ToLower(filepath.Ext(path)); slices.Contains(otherFormats, ext) {
		return fmt.Errorf("output %s: images are written as PNG, want a name that ends in .png", path)
	}
	return nil
}

// writeImage writes a PNG. A device or a pipe is written to; a file is replaced
// when the image is complete.
func writeImage(path string, img dataset.Image) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().IsRegular() {
		return writing(path, dataset.Write(path, img))
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return writing(path, err)
	}
	return writing(path, errors.Join(dataset.Encode(f, img), f.Close()))
}

// writeFile writes a file that appears under its name only when complete, and
// the folders it is in.
func writeFile(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return writing(path, atomicfile.Write(path, false, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}))
}
