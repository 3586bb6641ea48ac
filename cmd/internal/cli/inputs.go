package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"spikingir"
	"spikingir/internal/atomicfile"
	"spikingir/onnxio"
	"spikingir/runtime/dataset"
)

// Inputs are the files that a command reads: no output may take their place, by whatever
// name or link it is called.
type Inputs struct {
	names []string
	files []fs.FileInfo
}

// Add adds files. Those that are not there are passed over: reading them says so.
func (in *Inputs) Add(paths ...string) {
	for _, p := range paths {
		if info, err := os.Stat(p); err == nil {
			in.names, in.files = append(in.names, p), append(in.files, info)
		}
	}
}

// AddModels adds the files that models were read from, with their external data. A nil
// model has none.
func (in *Inputs) AddModels(models ...*spikingir.Model) {
	for _, m := range models {
		if m != nil {
			in.Add(onnxio.Files(m)...)
		}
	}
}

// AddFolders adds the images of folders, and those that a data set of pairs has in them.
// An empty name is no folder.
func (in *Inputs) AddFolders(dirs ...string) {
	for _, dir := range dirs {
		if dir == "" {
			continue
		}
		for _, d := range []string{dir, filepath.Join(dir, "hazy"), filepath.Join(dir, "clear")} {
			list, err := dataset.List(d)
			if err == nil { // else there are none, or opening the set says so
				in.Add(list...)
			}
		}
	}
}

// CheckOutput is the function of that name, with these inputs.
func (in *Inputs) CheckOutput(path string) error {
	switch path {
	case "":
		return fmt.Errorf("an output has an empty name, want a file to write")
	case "-":
		return fmt.Errorf("output - is not standard output here: want the name of a file, or ./- for one of that name")
	}
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil {
		return fmt.Errorf("write %s: folder %s: %w", path, dir, atomicfile.Cause(err))
	} else if !info.IsDir() {
		return fmt.Errorf("write %s: %s is not a folder", path, dir)
	}
	if err := in.Check(path); err != nil {
		return err
	}
	if err := atomicfile.Probe(path); err != nil {
		return fmt.Errorf("write %s: folder %s: %w", path, dir, atomicfile.Cause(err))
	}
	return nil
}

// Check refuses an output that is a folder or one of the inputs.
func (in *Inputs) Check(path string) error {
	to, err := os.Stat(path)
	if err != nil {
		return nil // a new file; or writing will say what is wrong
	}
	if to.IsDir() {
		return fmt.Errorf("output %s is a folder, want a file", path)
	}
	for i, from := range in.files {
		if os.SameFile(from, to) {
			return fmt.Errorf("output %s is the input %s, which it would overwrite; want another file", path, in.names[i])
		}
	}
	return nil
}

// Same reports whether two outputs are one file, or would be.
func Same(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX == nil && errY == nil {
		return os.SameFile(x, y)
	}
	return full(a) == full(b)
}

// full is the place that a file which need not be there has, links followed.
func full(path string) string {
	if to, err := atomicfile.Target(path); err == nil {
		path = to
	}
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return path
}
