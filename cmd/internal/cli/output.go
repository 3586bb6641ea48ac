package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"spikingir/internal/atomicfile"
	"spikingir/onnxio"
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
		o.err = fmt.Errorf("standard output: %w", atomicfile.Cause(err))
	}
	return n, err
}

// Writing names the file that could not be written. What is wrong with a model that was to
// be written was so when it was read.
func Writing(path string, err error) error {
	var model *onnxio.Error
	if errors.As(err, &model) {
		return Invalid(err)
	}
	if c := atomicfile.Cause(err); c != err {
		return fmt.Errorf("write %s: %w", path, c)
	}
	return err
}

// CheckOutput refuses, before any work is done, a file that cannot be written:
// its folder must exist and take files, and it must be no folder and none of the inputs,
// which Writing would destroy.
func CheckOutput(path string, inputs ...string) error {
	var in Inputs
	in.Add(inputs...)
	return in.CheckOutput(path)
}

// CheckFolder refuses a folder that cannot be made, or takes no files.
func CheckFolder(dir string) error {
	at := dir
	for {
		info, err := os.Stat(at)
		if errors.Is(err, fs.ErrNotExist) && filepath.Dir(at) != at {
			at = filepath.Dir(at)
			continue
		}
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is not a folder", at)
		}
		if err == nil {
			err = atomicfile.Probe(filepath.Join(at, "probe"))
		}
		if err != nil {
			return fmt.Errorf("write into %s: %w", dir, atomicfile.Cause(err))
		}
		return nil
	}
}

// WriteFile writes a file that appears under its name only when complete, and
// the folders it is in.
func WriteFile(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return Writing(path, atomicfile.WriteBytes(path, false, b))
}
