package main

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"spikingir"
	"spikingir/runtime/train"
)

// FuzzMemory holds that a size which --memory takes is no negative one, and reads back as itself
// from what help shows.
func FuzzMemory(f *testing.F) {
	for _, s := range []string{"0", "none", "512MiB", "1.5GiB", "2GB", "1", "-1", "1,5GiB", "9223372036854775807", "1e30 EiB", "NaN", "0.1B", "+5k"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var m memorySize
		if m.Set(s) != nil {
			return
		}
		if m == 0 || m < -1 {
			t.Fatalf("%q is taken for %d bytes", s, m)
		}
		var again memorySize
		if err := again.Set(m.String()); err != nil || again != m {
			t.Errorf("%q is %d bytes, shown as %q, which is %d (%v)", s, m, m.String(), again, err)
		}
	})
}

// FuzzInput holds that --input takes a path or a feed, and a feed only of a number.
func FuzzInput(f *testing.F) {
	for _, s := range []string{"x.png", "sigma=0.1", "sigma=", "=3", "a=b=c", "a=NaN", "a=-1e400", "a=0x1p-2", "a=/dev/zero", "a=.", "a=b=0.5", "=0.5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var path string
		var feeds map[string]spikingir.Feed
		var files []string
		v := inputValue{&path, &feeds, &files}
		if v.Set(s) != nil {
			if path != "" || feeds != nil {
				t.Errorf("%q is refused and taken: %q, %v", s, path, feeds)
			}
			return
		}
		if path != s && len(feeds) != 1 || path == s && feeds != nil {
			t.Errorf("%q is path %q and feeds %v", s, path, feeds)
		}
		for name, feed := range feeds {
			if name == "" || math.IsNaN(feed.Number) || math.IsInf(feed.Number, 0) {
				t.Errorf("%q feeds %q with %v", s, name, feed.Number)
			}
		}
	})
}

// TestCutFeed takes feeds of inputs apart whose names hold an equals sign, or whose files do.
func TestCutFeed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s=1.npy")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][3]string{{"a=0.5", "a", "0.5"}, {"a=b=0.5", "a=b", "0.5"}, {"a=" + file, "a", file}, {"a=b=" + file, "a=b", file}, {"a=high", "a", "high"}} {
		if name, value, ok := cutFeed(c[0]); name != c[1] || value != c[2] || !ok {
			t.Errorf("%q is %q fed %q, want %q and %q", c[0], name, value, c[1], c[2])
		}
	}
	if _, _, ok := cutFeed("folder"); ok {
		t.Error("a path is taken for a feed")
	}
}

// FuzzPipeline holds that passes which --passes takes are told in the same words.
func FuzzPipeline(f *testing.F) {
	for _, s := range []string{"", "infer-shapes", "fold-batchnorm,relu-to-if{v0=0.5}", "quantise-weights{bits=12},dead-node", "a{", "infer-shapes,,dead-node",
		"encode-input{timesteps=10,schedule=two-phase}", "relu-to-if{v0=NaN}", "relu-to-if{v0=0.5,v0=0.5}"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := spikingir.ParsePipeline(s)
		if err != nil {
			return
		}
		again, err := spikingir.ParsePipeline(p.String())
		if err != nil || again.String() != p.String() {
			t.Errorf("%q is %q, which is %q (%v)", s, p, again, err)
		}
	})
}

// FuzzStages holds that --stages has the steps that were asked for, in whatever shares.
func FuzzStages(f *testing.F) {
	for _, s := range []string{"", "calibrate,rates=50%,rate-backward,spikes", "rate-backward=3, spikes=4", "calibrate", "rates=33%,rate-backward=33%,spikes=34%", "rate-backward=1e3"} {
		f.Add(s, 100)
	}
	f.Fuzz(func(t *testing.T, s string, steps int) {
		plan, err := spikingir.ParseStages(s)
		if err != nil || steps < 0 || steps > 1<<30 {
			return
		}
		if (len(plan) == 0) != (s == "") { // which stands for the default
			t.Fatalf("%q has %d stages", s, len(plan))
		}
		for i, n := range train.StepsOf(plan, steps) {
			if n < 0 {
				t.Errorf("%q: stage %d has %d steps", s, i, n)
			}
		}
	})
}
