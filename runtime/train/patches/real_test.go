package patches

import (
	"os"
	"path/filepath"
	"testing"

	"spikingir/runtime/dataset"
)

// TestRealFolders opens the training folders of the papers and cuts patches.
func TestRealFolders(t *testing.T) {
	data := os.Getenv("SPIKINGIR_DATA")
	if data == "" {
		t.Skip("SPIKINGIR_DATA is unset: no real images")
	}
	for _, c := range []struct {
		folder, task string
		channels     int
		images       int
		held         int
		share        float64
	}{
		{"Train400", "denoise{sigma=25,channels=1}", 1, 380, 20, 0},
		{"T91", "sr{scale=2}", 1, 86, 5, 0},
		{"T91", "sr{scale=4,crop=cumulative}", 1, 86, 5, 0},
		// 30 scenes of two levels each, of which two scenes are held out.
		{"SOTS-indoor/train", "dehaze", 3, 56, 4, 0.5},
	} {
		s := open(t, Options{Task: parse(t, c.task), Dirs: dataset.Dirs{Data: filepath.Join(data, "images", c.folder)},
			Patch: 40, Augment: true, HeldOut: HeldOut{0.05, 96}, HazeShare: c.share})
		if len(s.real.items) != c.images || s.ValidationLen() != c.held || len(s.Skipped()) != 0 {
			t.Errorf("%s: %s", c.folder, s)
		}
		for i := range uint64(8) {
			if p := patch(t, s, i); p.Target.C != c.channels || p.Input.H != 40 || p.Target.W != 40 {
				t.Errorf("%s: patch of %d channels, %dx%d", c.folder, p.Target.C, p.Target.W, p.Input.H)
			}
		}
		validation(t, s, c.held-1)
	}
}
