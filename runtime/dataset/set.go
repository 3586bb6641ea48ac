package dataset

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Dirs are the folders of a data set: Data for every kind of task but pairs,
// which takes Input and Target.
type Dirs struct {
	Data, Input, Target string
}

// A Sample is one image to run and what it should become. Target is the zero
// Image for task none. Shave pixels of every side are left out of scoring.
type Sample struct {
	Name   string // file name of the input, without its folder
	Input  Image
	Target Image
	Shave  int
}

// A Set is an ordered list of samples that are made when asked for. It is
// immutable, so any number of goroutines may use it.
type Set struct {
	task  Task
	seed  uint64
	files []files
}

// files are the paths behind one sample. One of them is empty where the task
// needs a single file.
type files struct {
	input, target string
}

// Open lists the samples of a task in byte order of their file names and keeps
// the first limit of them (0: all). seed drives the noise. No image is decoded
// yet, but missing folders and partners are found.
func Open(task Task, dirs Dirs, limit int, seed uint64) (*Set, error) {
	if err := task.Check(); err != nil {
		return nil, err
	}
	if limit < 0 {
		return nil, fmt.Errorf("limit of %d images, want 0 (all) or more", limit)
	}
	found, err := find(task.Kind, dirs)
	if err != nil {
		what := "data of --task " + string(task.Kind)
		if task.Kind == None {
			what = "images"
		}
		return nil, fmt.Errorf("open %s: %w", what, err)
	}
	if limit > 0 && limit < len(found) {
		found = found[:limit]
	}
	return &Set{task: task, seed: seed, files: found}, nil
}

func find(kind Kind, dirs Dirs) ([]files, error) {
	switch {
	case kind == Pairs && dirs.Data != "":
		return nil, fmt.Errorf("data folder %s is given, want an input and a target folder",
			dirs.Data)
	case kind == Pairs && (dirs.Input == "" || dirs.Target == ""):
		return nil, fmt.Errorf("input folder is %q and target folder %q, want both",
			dirs.Input, dirs.Target)
	case kind == Pairs:
		return match(dirs.Input, dirs.Target, func(s string) []string { return []string{s} })
	case dirs.Input != "" || dirs.Target != "":
		return nil, errors.New("an input or target folder is given, want a data folder only")
	case dirs.Data == "":
		return nil, errors.New("no data folder is given")
	case kind == Dehaze:
		return match(filepath.Join(dirs.Data, "hazy"), filepath.Join(dirs.Data, "clear"), leading)
	}
	paths, err := List(dirs.Data)
	if err != nil {
		return nil, err
	}
	found := make([]files, len(paths))
	for i, p := range paths {
		found[i] = files{target: p}
	}
	if kind == None {
		for i, p := range paths {
			found[i] = files{input: p}
		}
	}
	return found, nil
}

// match pairs every file of the input folder with the first of its candidate
// stems that the target folder has.
func match(input, target string, candidates func(stem string) []string) ([]files, error) {
	inputs, err := List(input)
	if err != nil {
		return nil, err
	}
	targets, err := byStem(target)
	if err != nil {
		return nil, err
	}
	found := make([]files, len(inputs))
	for i, p := range inputs {
		names := candidates(stem(p))
		found[i].input = p
		for _, name := range names {
			if found[i].target = targets[name]; found[i].target != "" {
				break
			}
		}
		if found[i].target == "" {
			return nil, fmt.Errorf("%s has no partner in %s, want an image named %s",
				p, target, strings.Join(names, " or "))
		}
	}
	return found, nil
}

// leading returns the stems that may name the clear image of a hazy one: the
// whole stem, then what is left as its parts at underscores go. The longest
// comes first: "0001_0.8_0.2", "0001_0.8", "0001".
func leading(stem string) []string {
	names := []string{stem}
	for {
		i := strings.LastIndexByte(stem, '_')
		if i <= 0 {
			return names
		}
		stem = stem[:i]
		names = append(names, stem)
	}
}

// Len returns the number of samples.
func (s *Set) Len() int { return len(s.files) }

// Task returns the task the set was opened with.
func (s *Set) Task() Task { return s.task }

// Name returns the file name of sample i.
func (s *Set) Name(i int) string {
	f := s.files[i]
	if f.input == "" {
		return filepath.Base(f.target)
	}
	return filepath.Base(f.input)
}

// Paths returns the files behind sample i: its input, empty where the input is
// made from the target, and its target, empty for task none.
func (s *Set) Paths(i int) (input, target string) {
	return s.files[i].input, s.files[i].target
}

// At makes sample i, 0 <= i < Len. The noise of a sample depends on the set's
// seed and on i only.
func (s *Set) At(i int) (Sample, error) {
	sample := Sample{Name: s.Name(i), Shave: s.task.Shave()}
	f := s.files[i]
	if f.input == "" {
		clean, err := Read(f.target)
		if err != nil {
			return Sample{}, err
		}
		if sample.Input, sample.Target, err = s.task.Pair(clean, SampleSeed(s.seed, i)); err != nil {
			return Sample{}, fmt.Errorf("%s: %w", f.target, err)
		}
		return sample, nil
	}
	var err error
	if f.target != "" {
		if sample.Target, err = prepared(f.target, s.task.PrepareTruth); err != nil {
			return Sample{}, err
		}
	}
	if sample.Input, err = prepared(f.input, s.task.Prepare); err != nil {
		return Sample{}, err
	}
	if f.target != "" && (sample.Input.H != sample.Target.H || sample.Input.W != sample.Target.W ||
		s.task.Truth == 0 && sample.Input.C != sample.Target.C) {
		return Sample{}, fmt.Errorf("%s is %s and its target %s is %s, want equal sizes",
			f.input, sample.Input.size(), f.target, sample.Target.size())
	}
	return sample, nil
}

// prepared is an image of a file as the task prepares it.
func prepared(path string, prepare func(Image) (Image, error)) (Image, error) {
	m, err := Read(path)
	if err != nil {
		return Image{}, err
	}
	if m, err = prepare(m); err != nil {
		return Image{}, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}
