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

func parse(t testing.TB, task string) dataset.Task {
	t.Helper()
	parsed, err := dataset.ParseTask(task)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
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
