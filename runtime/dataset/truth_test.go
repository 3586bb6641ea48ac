package dataset

import (
	"path/filepath"
	"slices"
	"testing"
)

// TestTruth makes samples for networks that give other channels than they take: the input
// is made gray or colour for the one side, the target for the other.
func TestTruth(t *testing.T) {
	clean := NewImage(3, 4, 6)
	for i := range clean.Pix {
		clean.Pix[i] = float32(i%7) / 8
	}
	clean = clean.Quantize8()
	dir := t.TempDir()
	if err := Write(filepath.Join(dir, "a.png"), clean); err != nil {
		t.Fatal(err)
	}
	gray := clean.Gray().Quantize8()
	for _, c := range []struct {
		name          string
		task          Task
		dirs          Dirs
		input, target Image
	}{
		{"colour of gray", Task{Kind: Pairs, Channels: 1, Truth: 3}, Dirs{Input: dir, Target: dir}, gray, clean},
		{"gray of colour", Task{Kind: Pairs, Channels: 3, Truth: 1}, Dirs{Input: dir, Target: dir}, clean, gray},
		{"the same", Task{Kind: Pairs, Channels: 3}, Dirs{Input: dir, Target: dir}, clean, clean},
		{"noise on gray", Task{Kind: Denoise, Sigma: 25, Channels: 1, Truth: 3}, Dirs{Data: dir}, AddNoise(gray, 25, SampleSeed(9, 0)), clean},
		{"noise on colour", Task{Kind: Denoise, Sigma: 25, Channels: 3, Truth: 1}, Dirs{Data: dir}, AddNoise(clean, 25, SampleSeed(9, 0)), gray},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := Open(c.task, c.dirs, 0, 9)
			if err != nil {
				t.Fatal(err)
			}
			s, err := set.At(0)
			if err != nil {
				t.Fatal(err)
			}
			if !s.Input.SameSize(c.input) || !slices.Equal(s.Input.Pix, c.input.Pix) {
				t.Errorf("input of %d channels is not the image that was wanted", s.Input.C)
			}
			if !s.Target.SameSize(c.target) || !slices.Equal(s.Target.Pix, c.target.Pix) {
				t.Errorf("target of %d channels is not the image that was wanted", s.Target.C)
			}
		})
	}
	if err := (Task{Kind: Denoise, Sigma: 25, Truth: 2}).Check(); err == nil {
		t.Error("a target of 2 channels is accepted")
	}
	if got := (Task{Kind: Denoise, Sigma: 25, Channels: 1, Truth: 3}).String(); got != "denoise{sigma=25,channels=1,truth=3}" {
		t.Errorf("the task is %s", got)
	}
}
