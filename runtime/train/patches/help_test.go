package patches

import (
	"os"
	"path/filepath"
	"testing"

	"spikingir/runtime/dataset"
)

// texture is an image of 8-bit values that no symmetry and no shift maps to
// itself, another one for each seed.
func texture(c, h, w int, seed uint64) dataset.Image {
	m := dataset.NewImage(c, h, w)
	for i := range m.Pix {
		m.Pix[i] = unit8[mix(seed, uint64(i))&255]
	}
	return m
}

// folder writes images under names, with slashes, into a new folder.
func folder(t testing.TB, images map[string]dataset.Image) string {
	t.Helper()
	dir := t.TempDir()
	for name, m := range images {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := dataset.Write(path, m); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tasks is tasks by what the tests call them.
var tasks = map[string]dataset.Task{
	"none":                         {Kind: dataset.None},
	"pairs":                        {Kind: dataset.Pairs},
	"dehaze":                       {Kind: dataset.Dehaze},
	"denoise{sigma=25}":            {Kind: dataset.Denoise, Sigma: 25},
	"denoise{sigma=25,channels=1}": {Kind: dataset.Denoise, Sigma: 25, Channels: 1},
	"sr{scale=2}":                  {Kind: dataset.SR, Scale: 2},
	"sr{scale=3}":                  {Kind: dataset.SR, Scale: 3},
	"sr{scale=4}":                  {Kind: dataset.SR, Scale: 4},
	"sr{scale=2,input=lowres}":     {Kind: dataset.SR, Scale: 2, Input: dataset.LowRes},
	"sr{scale=3,input=lowres}":     {Kind: dataset.SR, Scale: 3, Input: dataset.LowRes},
	"sr{scale=4,input=lowres}":     {Kind: dataset.SR, Scale: 4, Input: dataset.LowRes},
	"sr{scale=4,crop=cumulative}":  {Kind: dataset.SR, Scale: 4, Crop: dataset.Cumulative},
	"sr{scale=4,input=lowres,crop=cumulative}": {Kind: dataset.SR, Scale: 4, Input: dataset.LowRes,
		Crop: dataset.Cumulative},
}

func parse(t testing.TB, text string) dataset.Task {
	t.Helper()
	task, known := tasks[text]
	if err := task.Check(); err != nil || !known {
		t.Fatalf("task %q: known %t, %v", text, known, err)
	}
	return task
}

func open(t testing.TB, o Options) *Source {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func patch(t testing.TB, s *Source, i uint64) dataset.Sample {
	t.Helper()
	p, err := s.Patch(i)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func validation(t testing.TB, s *Source, i int) dataset.Sample {
	t.Helper()
	p, err := s.Validation(i)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
