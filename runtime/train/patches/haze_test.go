package patches

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/runtime/dataset"
)

// pairs is a folder of three scenes, two of them with two hazy levels.
func pairs(t testing.TB) string {
	return folder(t, map[string]dataset.Image{
		"hazy/a_1.png": texture(3, 20, 30, 1), "hazy/a_2.png": texture(3, 20, 30, 2),
		"hazy/b_1.png": texture(3, 20, 30, 3), "hazy/b_2.png": texture(3, 20, 30, 4), "hazy/c_1.png": texture(3, 20, 30, 5),
		"clear/a.png": texture(3, 20, 30, 6), "clear/b.png": texture(3, 20, 30, 7), "clear/c.png": texture(3, 20, 30, 8),
	})
}

// TestPairsPatch checks that hazy and clear are cut at the same place under the
// same symmetry.
func TestPairsPatch(t *testing.T) {
	s := open(t, Options{Task: parse(t, "dehaze"), Dirs: dataset.Dirs{Data: pairs(t)}, Patch: 10, Augment: true})
	clear := map[byte]dataset.Image{}
	hazy := map[string]dataset.Image{}
	for k, name := range []string{"a_1.png", "a_2.png", "b_1.png", "b_2.png", "c_1.png"} {
		hazy[name] = texture(3, 20, 30, uint64(1+k))
	}
	for k := range 3 {
		clear["abc"[k]] = texture(3, 20, 30, uint64(6+k))
	}
	for i := range s.Epoch() {
		p := patch(t, s, i)
		y, x, sym := locate(t, clear[p.Name[0]], p.Target)
		if diff := cmp.Diff(crop(t, hazy[p.Name], y, x, 10, sym), p.Input); diff != "" {
			t.Errorf("%s (-want +got):\n%s", p.Name, diff)
		}
	}
}

// TestSyntheticHaze checks, alone and beside pairs, that a hazy patch lies
// between the scene and an airlight of the range, as the model says.
func TestSyntheticHaze(t *testing.T) {
	scene := texture(3, 40, 50, 1)
	bare := folder(t, map[string]dataset.Image{"a.png": scene})
	for name, o := range map[string]Options{
		"haze folder":  {HazeDir: bare},
		"beside pairs": {Dirs: dataset.Dirs{Data: pairs(t)}, HazeDir: bare, HazeShare: 1},
	} {
		o.Task, o.Patch, o.Augment = parse(t, "dehaze"), 16, true
		s := open(t, o)
		for i := range uint64(20) {
			p := patch(t, s, i)
			locate(t, scene, p.Target)
			checkHazy(t, name, p)
		}
	}
}

// checkHazy finds, pixel by pixel, the share of the scene that is left: the same
// for all channels, and as the ranges of drawVeil allow.
func checkHazy(t *testing.T, name string, p dataset.Sample) {
	t.Helper()
	n := p.Target.H * p.Target.W
	least := math.Exp(-1.8)
	for i := range n {
		for c := range 3 {
			j, h := float64(p.Target.Pix[c*n+i]), float64(p.Input.Pix[c*n+i])
			if h != float64(unit8[int(math.Round(h*255))]) {
				t.Fatalf("%s: %g is no 8-bit value", name, h)
			}
			// I = J t + A (1-t) with A in [0.7,1], t in [exp(-1.8),1].
			low, high := math.Min(j, j*least+0.7*(1-least)), math.Max(j, j*least+1*(1-least))
			if h < low-0.003 || h > high+0.003 {
				t.Fatalf("%s: %g becomes %g, want %g to %g", name, j, h, low, high)
			}
			if c == 0 {
				continue
			}
			k := float64(p.Target.Pix[i])
			left := (h - float64(p.Input.Pix[i])) / (j - k)
			if math.Abs(j-k) > 0.5 && (left < least-0.01 || left > 1.01) {
				t.Fatalf("%s: a difference of %g between channels is %g of it in haze", name, j-k, left)
			}
		}
	}
}

// TestDepth checks that the depth map of a part is that part of the map, that it
// keeps to [0,1] and that neighbours differ little.
func TestDepth(t *testing.T) {
	spread := 0.0
	for seed := range uint64(30) {
		v := drawVeil(60, 90, newStream(seed, 0))
		whole := v.depth(0, 0, 60, 90)
		part := v.depth(17, 23, 8, 9)
		low, high := float32(1), float32(0)
		for i, d := range whole {
			if !(d >= 0 && d <= 1) {
				t.Fatalf("depth %g", d)
			}
			if y, x := i/90-17, i%90-23; y >= 0 && y < 8 && x >= 0 && x < 9 && math.Abs(float64(part[y*9+x]-d)) > 1e-6 {
				t.Fatalf("depth %g in the whole, %g in the part", d, part[y*9+x])
			}
			if i%90 > 0 && math.Abs(float64(d-whole[i-1])) > 0.15 {
				t.Fatalf("depth jumps from %g to %g", whole[i-1], d)
			}
			low, high = min(low, d), max(high, d)
		}
		spread += float64(high-low) / 30
	}
	if spread < 0.4 {
		t.Errorf("a depth map spans %.2f on average, want more than 0.4", spread)
	}
}

// TestHazePlace checks that a patch gets the haze of its place in the scene and
// is turned with it.
func TestHazePlace(t *testing.T) {
	scene := texture(3, 40, 50, 1)
	dir := folder(t, map[string]dataset.Image{"a.png": scene})
	s := open(t, Options{Task: parse(t, "dehaze"), HazeDir: dir, Patch: 16, Augment: true, Seed: 4})
	for i := range uint64(20) {
		p := patch(t, s, i)
		y, x, sym := locate(t, scene, p.Target)
		rng := newStream(4, i)
		for range 3 { // row, column and symmetry
			rng.seed()
		}
		veil := drawVeil(40, 50, rng)
		hazy, err := veil.over(crop(t, scene, y, x, 16, 0), y, x)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(turned(hazy, sym), p.Input); diff != "" {
			t.Errorf("patch %d (-want +got):\n%s", i, diff)
		}
	}
}
