package patches

import (
	"math"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/runtime/dataset"
)

// origin is the definition of a symmetry: the pixel of a side by side square that
// comes to row y, column x.
func (sym symmetry) origin(y, x, side int) (int, int) {
	if sym&transpose != 0 {
		y, x = x, y
	}
	if sym&mirrorY != 0 {
		y = side - 1 - y
	}
	if sym&mirrorX != 0 {
		x = side - 1 - x
	}
	return y, x
}

// turned applies a symmetry pixel by pixel.
func turned(m dataset.Image, sym symmetry) dataset.Image {
	out := dataset.NewImage(m.C, m.H, m.W)
	for c := range m.C {
		for i := range m.H * m.W {
			y, x := sym.origin(i/m.W, i%m.W, m.H)
			out.Plane(c)[i] = m.Plane(c)[y*m.W+x]
		}
	}
	return out
}

// locate finds the place and the symmetry under which part was cut from whole,
// by comparing all of them.
func locate(t *testing.T, whole, part dataset.Image) (y, x int, sym symmetry) {
	t.Helper()
	for y := range whole.H - part.H + 1 {
		for x := range whole.W - part.W + 1 {
			for sym := range symmetry(symmetries) {
				if cutFrom(whole, part, y, x, sym) {
					return y, x, sym
				}
			}
		}
	}
	t.Fatal("the patch is no part of its image")
	return
}

func cutFrom(whole, part dataset.Image, y, x int, sym symmetry) bool {
	for c := range whole.C {
		for i, v := range part.Plane(c) {
			row, col := sym.origin(i/part.W, i%part.W, part.H)
			if whole.Plane(c)[(y+row)*whole.W+x+col] != v {
				return false
			}
		}
	}
	return true
}

func crop(t *testing.T, m dataset.Image, y, x, side int, sym symmetry) dataset.Image {
	t.Helper()
	c, err := m.Crop(y, x, side, side)
	if err != nil {
		t.Fatal(err)
	}
	return turned(c, sym)
}

// TestCut checks all symmetries of a patch against their definition, for images
// of bytes and of float32.
func TestCut(t *testing.T) {
	m := texture(3, 9, 11, 1)
	fine := m.Clone()
	fine.Pix[3] = 0.123
	for _, whole := range []dataset.Image{m, fine} {
		p := pack(whole)
		if (p.bytes == nil) != (whole.Pix[3] == 0.123) {
			t.Errorf("packed as %d bytes and %d floats", len(p.bytes), len(p.floats))
		}
		if diff := cmp.Diff(whole, p.unpack()); diff != "" {
			t.Errorf("packed and unpacked (-want +got):\n%s", diff)
		}
		seen := map[float32]bool{}
		for sym := range symmetry(symmetries) {
			got := p.cut(2, 4, 5, sym)
			if diff := cmp.Diff(crop(t, whole, 2, 4, 5, sym), got); diff != "" {
				t.Errorf("symmetry %d (-want +got):\n%s", sym, diff)
			}
			seen[got.Pix[1]] = true
		}
		if len(seen) != symmetries {
			t.Errorf("%d different patches of %d symmetries", len(seen), symmetries)
		}
	}
}

func TestPackOutside(t *testing.T) {
	for _, v := range []float32{-1, 256, 1.001, float32(math.NaN()), float32(math.Inf(1))} {
		m := dataset.NewImage(1, 1, 2)
		m.Pix[1] = v
		if p := pack(m); p.bytes != nil || math.Float32bits(p.unpack().Pix[1]) != math.Float32bits(v) {
			t.Errorf("%g is packed as a byte or lost", v)
		}
	}
}

// TestDenoisePatch checks that targets are cut everywhere under all symmetries
// and that the noise has the sigma asked for.
func TestDenoisePatch(t *testing.T) {
	whole := texture(1, 24, 31, 1)
	dir := folder(t, map[string]dataset.Image{"a.png": whole})
	o := Options{Task: parse(t, "denoise{sigma=25}"), Dirs: dataset.Dirs{Data: dir}, Patch: 16, Augment: true, Seed: 1}
	s := open(t, o)
	rows, cols, syms := map[int]bool{}, map[int]bool{}, map[symmetry]bool{}
	square := 0.0
	for i := range uint64(200) {
		p := patch(t, s, i)
		y, x, sym := locate(t, whole, p.Target)
		rows[y], cols[x], syms[sym] = true, true, true
		square += variance(p)
	}
	if len(rows) != 9 || len(cols) != 16 || len(syms) != symmetries {
		t.Errorf("patches begin in %d rows and %d columns under %d symmetries, want 9, 16 and 8",
			len(rows), len(cols), len(syms))
	}
	if sigma := 255 * math.Sqrt(square/200); math.Abs(sigma-25) > 0.5 {
		t.Errorf("noise of sigma %.2f, want 25", sigma)
	}

	o.Augment, o.SigmaMin, o.SigmaMax = false, 10, 50
	s = open(t, o)
	var sigmas []float64
	for i := range uint64(200) {
		p := patch(t, s, i)
		if _, _, sym := locate(t, whole, p.Target); sym != 0 {
			t.Fatalf("patch %d is turned (%d), want none to be", i, sym)
		}
		sigmas = append(sigmas, 255*math.Sqrt(variance(p)))
	}
	slices.Sort(sigmas)
	if sigmas[0] < 8 || sigmas[0] > 14 || math.Abs(sigmas[100]-30) > 6 || sigmas[199] < 46 || sigmas[199] > 58 {
		t.Errorf("sigmas from %.1f over %.1f to %.1f, want 10 to 50 evenly", sigmas[0], sigmas[100], sigmas[199])
	}
}

// variance is the mean square of the difference between input and target.
func variance(p dataset.Sample) float64 {
	sum := 0.0
	for i, v := range p.Input.Pix {
		d := float64(v) - float64(p.Target.Pix[i])
		sum += d * d
	}
	return sum / float64(len(p.Input.Pix))
}

// TestSRPatch checks that input and target are cut, at the same place under the
// same symmetry, from the very images that the task measures on.
func TestSRPatch(t *testing.T) {
	for _, c := range []struct {
		task          string
		patch, target int
		input         int
	}{
		{"sr{scale=2}", 11, 11, 11},
		{"sr{scale=3,input=lowres}", 13, 12, 4},
		{"sr{scale=4,input=lowres,crop=cumulative}", 12, 12, 3},
	} {
		dirs := dataset.Dirs{Data: folder(t, map[string]dataset.Image{"a.png": texture(3, 27, 34, 1)})}
		s := open(t, Options{Task: parse(t, c.task), Dirs: dirs, Patch: c.patch, Augment: true})
		if target, input := s.Options().Sides(); target != c.target || input != c.input {
			t.Fatalf("%s: sides %d and %d, want %d and %d", c.task, target, input, c.target, c.input)
		}
		set, err := dataset.Open(parse(t, c.task), dirs, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := set.At(0)
		if err != nil {
			t.Fatal(err)
		}
		k := c.target / c.input
		for i := range uint64(30) {
			p := patch(t, s, i)
			y, x, sym := locate(t, whole.Target, p.Target)
			if y%k != 0 || x%k != 0 {
				t.Fatalf("%s: cut at %d, %d, want multiples of %d", c.task, y, x, k)
			}
			if diff := cmp.Diff(crop(t, whole.Input, y/k, x/k, c.input, sym), p.Input); diff != "" {
				t.Fatalf("%s: input (-want +got):\n%s", c.task, diff)
			}
		}
	}
}

// TestPatchIsPure checks that a patch depends neither on the order of calls, nor
// on who else asks, nor on what is in memory, but does on the seed.
func TestPatchIsPure(t *testing.T) {
	dir := folder(t, map[string]dataset.Image{
		"hazy/a_1.png": texture(3, 30, 30, 1), "hazy/a_2.png": texture(3, 30, 30, 2), "clear/a.png": texture(3, 30, 30, 3),
		"hazy/b_1.png": texture(3, 30, 30, 4), "clear/b.png": texture(3, 30, 30, 5),
	})
	o := Options{Task: parse(t, "dehaze"), Dirs: dataset.Dirs{Data: dir}, Patch: 12, Augment: true, HazeShare: 0.4, Seed: 11}
	const n = 40
	var want [n]dataset.Sample
	first := open(t, o)
	for i := range want {
		want[i] = patch(t, first, uint64(i))
	}
	o.Cache = -1
	bare := open(t, o)
	o.Cache = 0
	var wg sync.WaitGroup
	for _, s := range []*Source{bare, open(t, o)} {
		for start := range 4 {
			wg.Go(func() {
				for k := range n {
					i := (start*11 + n - k) % n
					got, err := s.Patch(uint64(i))
					if err != nil {
						t.Error(err)
					} else if diff := cmp.Diff(want[i], got); diff != "" {
						t.Errorf("patch %d (-want +got):\n%s", i, diff)
					}
				}
			})
		}
	}
	wg.Wait()
	o.Seed++
	other := open(t, o)
	same := 0
	for i := range want {
		if slices.Equal(patch(t, other, uint64(i)).Input.Pix, want[i].Input.Pix) {
			same++
		}
	}
	if same > 2 {
		t.Errorf("%d of %d patches are the same for another seed", same, n)
	}
}

// TestCacheLimit checks that no more is kept than the limit allows.
func TestCacheLimit(t *testing.T) {
	images := map[string]dataset.Image{}
	for _, name := range []string{"a.png", "b.png", "c.png", "d.png"} {
		images[name] = texture(1, 20, 20, uint64(name[0]))
	}
	o := Options{Task: parse(t, "denoise{sigma=25}"), Dirs: dataset.Dirs{Data: folder(t, images)}, Patch: 8, Cache: 900}
	s := open(t, o)
	for i := range 2 * s.Epoch() {
		patch(t, s, i)
	}
	kept := 0
	for _, it := range s.real.items {
		if it.target.kept != nil {
			kept++
		}
	}
	if kept != 2 || s.cache.room.Load() != 100 {
		t.Errorf("%d images of 400 bytes are kept and %d bytes free, want 2 and 100", kept, s.cache.room.Load())
	}
}
