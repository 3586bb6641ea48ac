package main

import (
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"spikingir"
	"spikingir/internal/regular"
	"spikingir/onnxio/npy"
	"spikingir/runtime/ops"
)

// feedHelp is what --input says of itself beside its other meaning.
const feedHelp = "; or NAME=VALUE or NAME=FILE.npy, what an input of the model beside the image is fed; may be repeated"

// inputValue is the value of --input: a path, and any number of NAME=VALUE and
// NAME=FILE.npy. A text with an equals sign is a path where such a file exists.
type inputValue struct {
	path  *string
	feeds *map[string]spikingir.Feed
	files *[]string // that tensors came from
}

// addInput adds --input, whose path means what help says. It gives the list of the files
// that tensors are read from.
func addInput(f *pflag.FlagSet, short string, path *string, feeds *map[string]spikingir.Feed, help string) *[]string {
	files := new([]string)
	f.VarP(inputValue{path, feeds, files}, "input", short, help+feedHelp)
	return files
}

// addOutputName adds --output-name.
func addOutputName(f *pflag.FlagSet, name *string) {
	f.StringVar(name, "output-name", "", "the output of the model that is taken as the image; without it, the first that may be one")
}

// String gives the path. pflag asks a zero value for it too.
func (v inputValue) String() string {
	if v.path == nil {
		return ""
	}
	return *v.path
}

// Type is what help calls the value.
func (v inputValue) Type() string { return "string" }

// Set takes a path or a feed.
func (v inputValue) Set(s string) error {
	name, value, named := cutFeed(s)
	if _, err := os.Stat(s); err == nil || !named || name == "" {
		*v.path = s
		return nil
	}
	if _, twice := (*v.feeds)[name]; twice {
		return fmt.Errorf("input %q is fed twice", name)
	}
	f, err := readFeed(value)
	if err != nil {
		return err
	}
	if *v.feeds == nil {
		*v.feeds = map[string]spikingir.Feed{}
	}
	(*v.feeds)[name] = f
	if f.Tensor != nil {
		*v.files = append(*v.files, value)
	}
	return nil
}

// cutFeed takes NAME=VALUE apart. A name may hold an equals sign itself, as a number does not; the name
// of a file may, which is there then.
func cutFeed(s string) (name, value string, named bool) {
	last := strings.LastIndexByte(s, '=')
	if last >= 0 {
		if _, err := strconv.ParseFloat(s[last+1:], 64); err == nil {
			return s[:last], s[last+1:], true
		}
	}
	for i := 0; i < last; i++ {
		if s[i] != '=' {
			continue
		}
		if _, err := os.Stat(s[i+1:]); err == nil {
			return s[:i], s[i+1:], true
		}
	}
	if last >= 0 {
		return s[:last], s[last+1:], true
	}
	return s, "", false
}

// readFeed reads a number, or the tensor of a file.
func readFeed(text string) (spikingir.Feed, error) {
	if x, err := strconv.ParseFloat(text, 64); err == nil {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return spikingir.Feed{}, fmt.Errorf("%q is no number to feed", text)
		}
		return spikingir.Feed{Number: x}, nil
	}
	t, err := feedTensor(text)
	if err != nil {
		return spikingir.Feed{}, fmt.Errorf("want a number, or a tensor in a file: %w", err)
	}
	return spikingir.Feed{Tensor: t}, nil
}

// feedTensor reads an .npy file.
func feedTensor(path string) (*spikingir.Tensor, error) {
	f, _, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	t, err := npy.Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	x, err := ops.FromGraph(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return x, nil
}

// notePorts says what a run takes for granted: values of inputs beside the image that the
// model states, which of its outputs is the image, and that this has one size.
func (a *app) notePorts(m *loaded, outputName string) {
	stated := m.Stated()
	for _, name := range slices.Sorted(maps.Keys(stated)) {
		a.Warnf("%s: input %q is %s, as in its conversion; --input %s=VALUE gives another",
			m.path, name, spikingir.DescribeFeed(stated[name]), name)
	}
	if names, at := m.Outputs(); len(names) > 1 && outputName == "" {
		others := slices.Delete(slices.Clone(names), at, at+1)
		a.Warnf("%s: output %q is taken as the image; --output-name takes %s", m.path, names[at], quoted(others))
	}
	if text := m.Ignores(); text != "" {
		a.Warnf("%s: %s: images are stretched or cut to it", m.path, text)
	}
}

// quoted lists names.
func quoted(names []string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = strconv.Quote(n)
	}
	return strings.Join(list, " or ")
}
