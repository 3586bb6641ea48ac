package patches

import (
	"fmt"
	"math"
	"testing"

	"spikingir/runtime/dataset"
)

// TestPermute checks that each key gives a permutation, that keys differ, and
// that a place is equally likely to come at any position.
func TestPermute(t *testing.T) {
	for n := uint64(1); n < 140; n++ {
		seen := make([]bool, n)
		for x := range n {
			p := permute(x, n, 7)
			if p >= n || seen[p] {
				t.Fatalf("of %d: %d goes to %d, which is outside or taken", n, x, p)
			}
			seen[p] = true
		}
	}
	const n, keys = 10, 4000
	var count [n][n]int
	for key := range uint64(keys) {
		for x := range uint64(n) {
			count[x][permute(x, n, mix(3, key))]++
		}
	}
	for x, row := range count {
		for p, k := range row {
			if math.Abs(float64(k)-keys/n) > 6*math.Sqrt(keys/n) {
				t.Errorf("place %d comes %d times at position %d of %d epochs", p, k, x, keys)
			}
		}
	}
}

// TestEpoch checks that each epoch cuts every file as often as patches fit into
// it, in an order of its own.
func TestEpoch(t *testing.T) {
	dir := folder(t, map[string]dataset.Image{
		"small.png": texture(1, 16, 17, 1), "wide.png": texture(1, 17, 48, 2), "large.png": texture(1, 40, 50, 3),
	})
	s := open(t, Options{Task: parse(t, "denoise{sigma=25}"), Dirs: dataset.Dirs{Data: dir}, Patch: 8, Seed: 5})
	want := map[string]int{"small.png": 4, "wide.png": 12, "large.png": 30}
	if s.Epoch() != 46 {
		t.Fatalf("epoch of %d patches, want 46", s.Epoch())
	}
	var orders []string
	for epoch := range uint64(3) {
		got, order := map[string]int{}, ""
		for i := range s.Epoch() {
			name := patch(t, s, epoch*s.Epoch()+i).Name
			got[name]++
			order += name
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("epoch %d: %v, want %v", epoch, got, want)
		}
		orders = append(orders, order)
	}
	if orders[0] == orders[1] || orders[1] == orders[2] {
		t.Error("two epochs have the same order")
	}
}

// TestHazeShare checks that synthetic patches are spread evenly and that each
// kind walks its own list without gaps.
func TestHazeShare(t *testing.T) {
	for _, share := range []float64{0, 0.25, 0.3, 0.5, 1} {
		s := &Source{o: Options{HazeShare: share, Seed: 3}}
		for k := range 7 {
			s.real.add(item{name: fmt.Sprint("real", k)}, 1)
		}
		for k := range 5 {
			s.haze.add(item{name: fmt.Sprint("haze", k)}, 1)
		}
		const n = 700
		count, synthetic := map[string]int{}, 0
		for i := range uint64(n) {
			it, hazed := s.pick(i)
			if hazed != (it.name[:4] == "haze") {
				t.Fatalf("share %g: patch %d is %s, synthetic %v", share, i, it.name, hazed)
			}
			if hazed {
				synthetic++
			}
			if d := float64(synthetic) - share*float64(i+1); d > 1e-9 || d < -1 {
				t.Fatalf("share %g: %d of %d patches are synthetic", share, synthetic, i+1)
			}
			count[it.name]++
		}
		for name, k := range count {
			want := share * n / 5
			if name[:4] == "real" {
				want = (1 - share) * n / 7
			}
			if math.Abs(float64(k)-want) > 1 {
				t.Errorf("share %g: %s comes %d times, want %g", share, name, k, want)
			}
		}
	}
}

func TestStreamRange(t *testing.T) {
	rng := newStream(1, 2)
	var count [3]int
	for range 3000 {
		count[rng.below(3)]++
		if v := rng.within(2, 3); v < 2 || v >= 3 {
			t.Fatalf("%g is not within 2 and 3", v)
		}
	}
	for k, n := range count {
		if n < 850 || n > 1150 {
			t.Errorf("%d comes %d times of 3000", k, n)
		}
	}
	if newStream(1, 2).seed() == newStream(1, 3).seed() || newStream(1, 2).seed() == newStream(2, 2).seed() {
		t.Error("streams of two patches or seeds are equal")
	}
}
