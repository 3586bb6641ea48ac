package patches

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/runtime/dataset"
)

// names are the files of the validation and of the training side.
func names(t *testing.T, s *Source) (valid, train []string) {
	t.Helper()
	for i := range s.ValidationLen() {
		valid = append(valid, validation(t, s, i).Name)
	}
	for _, it := range slices.Concat(s.real.items, s.haze.items) {
		train = append(train, it.name)
	}
	return valid, train
}

// TestOpenEnds holds that hashing a folder of images ends with its context, within a file too.
func TestOpenEnds(t *testing.T) {
	o := Options{Task: parse(t, "denoise{sigma=25}"), Dirs: dataset.Dirs{Data: folder(t, map[string]dataset.Image{"a.png": texture(1, 16, 16, 1)})}, Patch: 8}
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := OpenContext(ctx, o); err != nil {
		t.Fatal(err)
	}
	if n, err := (&heeding{ctx, strings.NewReader("ab")}).Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	cancel()
	if _, err := OpenContext(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("opening after the end: %v", err)
	}
	if n, err := (&heeding{ctx, strings.NewReader("ab")}).Read(make([]byte, 1)); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d bytes after the end, %v", n, err)
	}
}

// TestHeldOut checks that the sides do not overlap, that the share is kept, that
// the seed does not matter and that a larger share holds a smaller one.
func TestHeldOut(t *testing.T) {
	images := map[string]dataset.Image{}
	for k := range 20 {
		images[fmt.Sprintf("%02d.png", k)] = texture(1, 10, 10, uint64(k))
	}
	o := Options{Task: parse(t, "denoise{sigma=25}"), Dirs: dataset.Dirs{Data: folder(t, images)}, Patch: 8}
	var last []string
	for _, c := range []struct {
		share float64
		want  int
	}{{0, 0}, {0.001, 1}, {0.1, 2}, {0.3, 6}, {0.99, 19}} {
		o.ValidationShare = c.share
		o.Seed++
		valid, train := names(t, open(t, o))
		if len(valid) != c.want || len(train) != 20-c.want {
			t.Errorf("share %g: %d held out and %d left, want %d of 20", c.share, len(valid), len(train), c.want)
		}
		for _, name := range valid {
			if slices.Contains(train, name) {
				t.Errorf("share %g: %s is on both sides", c.share, name)
			}
		}
		for _, name := range last {
			if !slices.Contains(valid, name) {
				t.Errorf("share %g: %s is no longer held out", c.share, name)
			}
		}
		last = valid
	}
}

// TestHeldOutScenes checks that all levels of a scene are on one side, in
// synthesis too, and that a copy goes with its original.
func TestHeldOutScenes(t *testing.T) {
	o := Options{Task: parse(t, "dehaze"), Dirs: dataset.Dirs{Data: pairs(t)}, Patch: 8, HeldOut: HeldOut{ValidationShare: 0.4}, HazeShare: 0.5}
	valid, train := names(t, open(t, o))
	scenes := map[byte]bool{}
	for _, name := range valid {
		scenes[name[0]] = true
	}
	if len(scenes) != 1 || len(valid)+len(train) != 5+3-1 {
		t.Errorf("held out %v, training on %v, want one scene held out", valid, train)
	}
	for _, name := range train {
		if scenes[name[0]] {
			t.Errorf("%s is trained on, held out are %v", name, valid)
		}
	}

	copies := map[string]dataset.Image{}
	for k := range 8 {
		copies[fmt.Sprint("x", k, ".png")] = texture(1, 10, 10, uint64(k%4))
	}
	valid, _ = names(t, open(t, Options{Task: parse(t, "denoise{sigma=25}"),
		Dirs: dataset.Dirs{Data: folder(t, copies)}, Patch: 8, HeldOut: HeldOut{ValidationShare: 0.25}}))
	if len(valid) != 2 || valid[0][1]%4 != valid[1][1]%4 {
		t.Errorf("held out %v, want one image and its copy", valid)
	}
}

// TestValidation checks held-out samples against the task's own degradation.
func TestValidation(t *testing.T) {
	images := map[string]dataset.Image{}
	for k := range 4 {
		images[fmt.Sprint(k, ".png")] = texture(3, 23, 30, uint64(k))
	}
	dir := folder(t, images)
	for _, c := range []struct {
		task       string
		crop, h, w int
		shave      int
	}{
		{"denoise{sigma=25}", 0, 23, 30, 0},
		{"denoise{sigma=25}", 25, 23, 25, 0},
		{"sr{scale=3}", 0, 21, 30, 3},
		{"sr{scale=3}", 20, 18, 18, 3},
		{"sr{scale=3,input=lowres}", 20, 18, 18, 3},
		{"dehaze", 16, 16, 16, 0},
	} {
		o := Options{Task: parse(t, c.task), Dirs: dataset.Dirs{Data: dir}, Patch: 9, HeldOut: HeldOut{0.5, c.crop},
			SigmaMax: 0}
		if o.Task.Kind == dataset.Dehaze { // of clear images alone
			o.Dirs, o.HazeDir = dataset.Dirs{}, dir
		}
		first, second := open(t, o), open(t, Options{Task: o.Task, Dirs: o.Dirs, HazeDir: o.HazeDir, Patch: 12, Augment: true, Seed: 99,
			HeldOut: HeldOut{0.5, c.crop}, Cache: -1})
		for i := range first.ValidationLen() {
			p := validation(t, first, i)
			if diff := cmp.Diff(p, validation(t, second, i)); diff != "" {
				t.Errorf("%s: depends on the seed, the patch or the cache:\n%s", c.task, diff)
			}
			if p.Target.H != c.h || p.Target.W != c.w || p.Shave != c.shave {
				t.Errorf("%s: target of %dx%d, border %d, want %dx%d, %d", c.task, p.Target.W, p.Target.H, p.Shave, c.w, c.h, c.shave)
			}
			whole, err := o.Task.Prepare(images[p.Name])
			if err != nil {
				t.Fatal(err)
			}
			checkCentral(t, o, whole, p)
		}
	}
}

func checkCentral(t *testing.T, o Options, whole dataset.Image, p dataset.Sample) {
	t.Helper()
	step := max(o.Task.Scale, 1)
	y, x := (whole.H-p.Target.H)/2/step*step, (whole.W-p.Target.W)/2/step*step
	target, err := whole.Crop(y, x, p.Target.H, p.Target.W)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(target, p.Target); diff != "" {
		t.Errorf("%s: target (-want +got):\n%s", o.Task, diff)
	}
	switch o.Task.Kind {
	case dataset.SR:
		input, err := o.Task.Degrade(whole, 0)
		if err != nil {
			t.Fatal(err)
		}
		k := whole.H / input.H
		if input, err = input.Crop(y/k, x/k, p.Target.H/k, p.Target.W/k); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(input, p.Input); diff != "" {
			t.Errorf("%s: input (-want +got):\n%s", o.Task, diff)
		}
	case dataset.Denoise:
		if sigma := 255 * math.Sqrt(variance(p)); math.Abs(sigma-25) > 3 {
			t.Errorf("noise of sigma %.1f, want 25", sigma)
		}
	}
}

func TestSkipped(t *testing.T) {
	dir := folder(t, map[string]dataset.Image{"a.png": texture(1, 9, 40, 1), "b.png": texture(1, 10, 12, 2)})
	o := Options{Task: parse(t, "denoise{sigma=25}"), Dirs: dataset.Dirs{Data: dir}, Patch: 10}
	s := open(t, o)
	want := []string{filepath.Join(dir, "a.png") + " is 40x9 pixels, want at least 10x10"}
	if diff := cmp.Diff(want, s.Skipped()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := s.String(), "denoise{sigma=25}: 1 images, 1 too small, 1 patches of 10 pixels an epoch"; got != want {
		t.Errorf("described as %q, want %q", got, want)
	}
	o.Patch = 11
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), "none of 2 images is as large as a patch") {
		t.Errorf("no image is large enough: %v", err)
	}
}

// TestSHA256 checks that the hash follows names and contents, not the folder.
func TestSHA256(t *testing.T) {
	sum := func(images map[string]dataset.Image) string {
		return open(t, Options{Task: parse(t, "denoise{sigma=25}"), Dirs: dataset.Dirs{Data: folder(t, images)}, Patch: 8}).SHA256()
	}
	a, b := texture(1, 10, 10, 1), texture(1, 10, 10, 2)
	first := sum(map[string]dataset.Image{"a.png": a, "b.png": b})
	if again := sum(map[string]dataset.Image{"a.png": a, "b.png": b}); again != first || len(first) != 64 {
		t.Errorf("hashes %s and %s of equal folders", first, again)
	}
	for _, other := range []map[string]dataset.Image{
		{"a.png": b, "b.png": a}, {"a.png": a}, {"a.png": a, "c.png": b}, {"a.png": a, "b.png": a},
	} {
		if sum(other) == first {
			t.Errorf("the hash does not tell %d other files", len(other))
		}
	}
}

func TestOptionErrors(t *testing.T) {
	dir := folder(t, map[string]dataset.Image{"a.png": texture(1, 20, 20, 1)})
	hazy := pairs(t)
	uneven := folder(t, map[string]dataset.Image{"hazy/a.png": texture(3, 20, 20, 1), "clear/a.png": texture(3, 20, 21, 1)})
	base := func(task string, change func(*Options)) Options {
		o := Options{Patch: 8, Dirs: dataset.Dirs{Data: dir}}
		if task != "" {
			o.Task = parse(t, task)
		}
		change(&o)
		return o
	}
	none := func(*Options) {}
	for _, c := range []struct {
		o    Options
		want string
	}{
		{base("", none), `unknown task ""`},
		{base("none", none), "no target to train towards"},
		{base("denoise{sigma=25}", func(o *Options) { o.Patch = 1 }), "patch of 1 pixels"},
		{base("sr{scale=4,input=lowres}", func(o *Options) { o.Patch = 3 }), "want at least 4"},
		{base("denoise{sigma=25}", func(o *Options) { o.Patch = 1 << 20 }), "want at most"},
		{base("denoise{sigma=25}", func(o *Options) { o.SigmaMin, o.SigmaMax = 5, 4 }), "sigma from 5 to 4"},
		{base("denoise{sigma=25}", func(o *Options) { o.SigmaMax = math.NaN() }), "sigma from 0 to NaN"},
		{base("sr{scale=2}", func(o *Options) { o.SigmaMax = 4 }), "no range of sigma"},
		{base("denoise{sigma=25}", func(o *Options) { o.HazeShare = 0.5 }), "takes no haze"},
		{base("dehaze", func(o *Options) { o.HazeShare = 2 }), "share of synthetic haze is 2"},
		{base("dehaze", func(o *Options) { o.HazeDir = dir }), "has no folder hazy"},
		{base("dehaze", none), "has no folder hazy"},
		{base("dehaze", func(o *Options) {
			o.Dirs.Data = folder(t, map[string]dataset.Image{"clear/a.png": texture(3, 20, 20, 1)})
		}), "has no folder hazy"},
		{base("dehaze", func(o *Options) {
			o.Dirs.Data = folder(t, map[string]dataset.Image{"hazy/a.png": texture(3, 20, 20, 1)})
		}), "has no folder clear"},
		{base("dehaze", func(o *Options) { o.Dirs.Data, o.HazeDir = hazy, dir }), "share of synthetic haze is 0"},
		{base("dehaze", func(o *Options) { o.Dirs = dataset.Dirs{} }), "no data folder"},
		{base("dehaze", func(o *Options) { o.Dirs.Input = dir }), "want a data folder only"},
		{base("dehaze", func(o *Options) { o.Dirs.Data = uneven }), "want equal sizes"},
		{base("denoise{sigma=25}", func(o *Options) { o.Dirs.Data = filepath.Join(dir, "no") }), "does not exist"},
		{base("denoise{sigma=25}", func(o *Options) { o.ValidationShare = 1 }), "validation share is 1"},
		{base("denoise{sigma=25}", func(o *Options) { o.ValidationShare = 0.1 }), "1 different image"},
		{base("sr{scale=4}", func(o *Options) { o.ValidationCrop = 11 }), "validation crop of 11"},
		{base("denoise{sigma=25}", func(o *Options) { o.ValidationCrop = -1 }), "validation crop of -1"},
	} {
		if _, err := Open(c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open: %v, want %q", err, c.want)
		}
	}
}

// TestDamagedFile checks that a file that cannot be decoded, or was changed
// since Open, is named.
func TestDamagedFile(t *testing.T) {
	dir := folder(t, map[string]dataset.Image{"a.png": texture(1, 20, 20, 1)})
	path := filepath.Join(dir, "a.png")
	o := Options{Task: parse(t, "denoise{sigma=25}"), Dirs: dataset.Dirs{Data: dir}, Patch: 8, Cache: -1}
	s := open(t, o)
	if err := dataset.Write(path, texture(1, 21, 20, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Patch(0); err == nil || !strings.Contains(err.Error(), path+" is 20x21 pixels now") {
		t.Errorf("changed file: %v", err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)-30], 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(o); err == nil || !strings.Contains(err.Error(), path+": damaged PNG") {
		t.Errorf("truncated file: %v", err)
	}
}

// TestDamagedFiles checks that all files are looked into at the start, those held out and hazy ones
// too, that the first ones are named, and that one too small to be used does not matter and is told once.
func TestDamagedFiles(t *testing.T) {
	images := map[string]dataset.Image{}
	for k := range 6 {
		name := fmt.Sprint("abcdef"[k:k+1], ".png")
		images["hazy/"+name], images["clear/"+name] = texture(3, 20, 20, uint64(k)), texture(3, 20, 20, uint64(9+k))
	}
	images["hazy/small.png"], images["clear/small.png"] = texture(3, 5, 20, 30), texture(3, 5, 20, 31)
	dir := folder(t, images)
	o := Options{Task: parse(t, "dehaze"), Dirs: dataset.Dirs{Data: dir}, Patch: 8, HeldOut: HeldOut{ValidationShare: 0.4}, Threads: 2}
	damage := func(name string) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		whole, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, whole[:len(whole)-30], 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	damage("hazy/small.png")
	o.HazeShare = 0.5
	if skipped := open(t, o).Skipped(); len(skipped) != 1 {
		t.Errorf("too small are %q, want one", skipped)
	}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		damage("hazy/" + name + ".png")
	}
	damage("clear/f.png")
	_, err := Open(o)
	if err == nil || strings.Count(err.Error(), "damaged PNG") != 3 || !strings.Contains(err.Error(), "some of 12 images") || !strings.HasSuffix(err.Error(), "; and 3 more") {
		t.Errorf("error %v, want three of six damaged images named", err)
	}
}
