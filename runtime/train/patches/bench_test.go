package patches

import (
	"testing"

	"spikingir/runtime/dataset"
)

// BenchmarkPatch makes patches of 40x40 pixels from files that are in memory.
func BenchmarkPatch(b *testing.B) {
	gray := folder(b, map[string]dataset.Image{"a.png": texture(1, 180, 180, 1), "b.png": texture(1, 180, 180, 2)})
	color := folder(b, map[string]dataset.Image{"a.png": texture(3, 180, 180, 1), "b.png": texture(3, 180, 180, 2)})
	for _, c := range []struct {
		name, task, dir string
	}{
		{"denoise", "denoise{sigma=25,channels=1}", gray},
		{"bicubic", "sr{scale=2}", color},
		{"lowres", "sr{scale=2,input=lowres}", color},
		{"haze", "dehaze", color},
	} {
		b.Run(c.name, func(b *testing.B) {
			o := Options{Task: parse(b, c.task), Dirs: dataset.Dirs{Data: c.dir}, Patch: 40, Augment: true}
			if o.Task.Kind == dataset.Dehaze {
				o.Dirs, o.HazeDir = dataset.Dirs{}, c.dir
			}
			s, err := Open(o)
			if err != nil {
				b.Fatal(err)
			}
			for i := range 8 {
				if _, err := s.Patch(uint64(i)); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportAllocs()
			for i := uint64(0); b.Loop(); i++ {
				if _, err := s.Patch(i); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
