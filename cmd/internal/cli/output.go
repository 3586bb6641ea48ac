package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"spikingir/internal/atomicfile"
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

// Writing names the file that could not be written.
func Writing(path string, err error) error {
	if c := atomicfile.Cause(err); c != err {
		return fmt.Errorf("write %s: %w", path, c)
	}
	return err
}

// CheckOutput refuses, before any work is done, a file that cannot be written:
// its folder must exist, it must be no folder, and none of the inputs, which
// Writing would destroy.
func CheckOutput(path string, inputs ...string) error {
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil {
		return fmt.Errorf("write %s: folder %s: %w", path, dir, atomicfile.Cause(err))
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

// WriteFile writes a file that appears under its name only when complete, and
// the folders it is in.
func WriteFile(path string, b []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return Writing(path, atomicfile.WriteBytes(path, false, b))
}
