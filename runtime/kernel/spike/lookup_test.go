package spike

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"spikingir/runtime/kernel/kerneltest"
	"spikingir/runtime/kernel/machine"
)

// forEachLookup runs f with the lookup kernels of each available implementation.
func forEachLookup(t *testing.T, f func(t *testing.T, k *lookupKernels)) {
	t.Helper()
	t.Run("generic", func(t *testing.T) { f(t, &genericLookups) })
	for _, e := range family.Entries {
		switch {
		case e.Kernels.lookup == nil:
		case !e.Available:
			t.Logf("%s: this CPU cannot run it", e.Name)
		default:
			t.Run(e.Name, func(t *testing.T) { f(t, e.Kernels.lookup) })
		}
	}
}

// extremeWeights draws weights of lookups, some lists of them at the ends of their range.
func extremeWeights(r *rand.Rand, lookups, kind int) []int32 {
	list := make([]int32, lookups*lookupWeights)
	for i := range list {
		if i%lookupWeights >= lookupInputs {
			continue
		}
		switch kind % 5 {
		case 0:
			list[i] = MostWeight
		case 1:
			list[i] = LeastWeight
		case 2:
			list[i] = []int32{LeastWeight, MostWeight}[r.IntN(2)]
		case 3:
			list[i] = 255 + int32(r.IntN(2)) // rounded down, or up, in every lookup
		default:
			list[i] = int32(r.IntN(MostWeight-LeastWeight+1) + LeastWeight)
		}
	}
	return list
}

// TestLookupTables compares all subsets' sums.
func TestLookupTables(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	forEachLookup(t, func(t *testing.T, k *lookupKernels) {
		for lookups := range 8 {
			w := extremeWeights(r, lookups, lookups)
			tables, check := kerneltest.Fence(make([]int16, lookups*lookupTable), -7)
			k.tables(tables, w)
			check(t)
			for i, got := range tables {
				sum := int32(0)
				for b, x := range w[i/lookupTable*lookupWeights:][:lookupInputs] {
					sum += x * int32(i>>b&1)
				}
				want := int16(sum)
				if i/lookupEntries%2 == 1 {
					want = int16((sum + 256) >> 9)
				}
				if got != want {
					t.Fatalf("%d lookups: entry %d is %d, want %d", lookups, i, got, want)
				}
			}
		}
	})
}

// A lookupCase is a call of sum or fire, and what it must leave.
type lookupCase struct {
	args     lookupArgs
	sums     []int32 // by definition
	segments []int
}

// newLookupCase draws a call whose indices are dense in spikes where the weights are
// extreme.
func newLookupCase(r *rand.Rand, lookups, rows, kind int) lookupCase {
	weights := extremeWeights(r, lookups, kind)
	c := lookupCase{segments: lookupSegments(weights)}
	a := &c.args
	a.rows, a.pitch = rows, (lookupCols+3)*lookupLanes
	a.index = machine.Aligned[uint16]((rows + 4) * a.pitch)
	for i := range a.index {
		a.index[i] = uint16(r.IntN(1 << 16))
		if kind%2 == 0 && r.IntN(4) > 0 {
			a.index[i] = 1<<16 - 1
		}
	}
	a.tables = machine.Aligned[int16](lookups * lookupTable)
	genericLookups.tables(a.tables, weights)
	for range lookups {
		a.offsets = append(a.offsets, int32(r.IntN(4)*a.pitch+r.IntN(4)*lookupLanes))
	}
	a.bias, a.threshold, a.firing = int32(r.IntN(9999)-5000), int32(1+r.IntN(9999)), int32(r.IntN(1<<20))
	for i := range rows * lookupCols * lookupLanes {
		at := i/lookupLanes/lookupCols*a.pitch + i/lookupLanes%lookupCols*lookupLanes + i%lookupLanes
		sum := int32(0)
		for k, o := range a.offsets {
			for b := range lookupInputs {
				sum += weights[k*lookupWeights+b] * int32(a.index[at+int(o)]>>b&1)
			}
		}
		c.sums = append(c.sums, sum)
	}
	return c
}

// TestLookupSums adds the segments of lookups of all kinds of weights up to the exact
// sums, and advances neurons with them.
func TestLookupSums(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 9))
	forEachLookup(t, func(t *testing.T, k *lookupKernels) {
		for i, lookups := range []int{0, 1, 2, 3, 85, 86, 99, 127, 128, 254, 255, 300} {
			for kind := range 5 {
				c := newLookupCase(r, lookups, 1+i%4, kind)
				v, check := kerneltest.Fence(make([]int32, len(c.sums)), -3)
				want := slices.Clone(v)
				for i := range want {
					v[i] = int32(r.IntN(1<<22) - 1<<21)
					want[i] = v[i] + c.sums[i]
				}
				a, from := c.args, 0
				a.v = v
				for _, to := range c.segments {
					a.offsets, a.tables = c.args.offsets[from:to], c.args.tables[from*lookupTable:to*lookupTable]
					k.sum(&a)
					from = to
				}
				check(t)
				if !slices.Equal(v, want) {
					t.Fatalf("%d lookups of kind %d: sums differ", lookups, kind)
				}
				checkFire(t, k, c)
			}
		}
	})
}

// checkFire advances neurons by the last segment alone.
func checkFire(t *testing.T, k *lookupKernels, c lookupCase) {
	t.Helper()
	a, from := c.args, 0
	if n := len(c.segments); n > 1 {
		from = c.segments[n-2]
	}
	a.offsets, a.tables = c.args.offsets[from:], c.args.tables[from*lookupTable:]
	start := slices.Repeat([]int32{17}, len(c.sums))
	v, check := kerneltest.Fence(start, 17)
	spikes, checkSpikes := kerneltest.Fence(make([]uint32, a.rows*lookupCols), 5)
	a.v, a.spikes = v, spikes
	want := a
	want.v, want.spikes = slices.Clone(v), slices.Clone(spikes)
	k.fire(&a)
	lookupFireGeneric(&want)
	check(t)
	checkSpikes(t)
	if !slices.Equal(a.v, want.v) || !slices.Equal(a.spikes, want.spikes) {
		t.Fatalf("%d lookups: neurons differ", len(a.offsets))
	}
	for i, y := range want.v {
		x := y
		if want.spikes[i/lookupLanes]>>(i%lookupLanes)&1 == 1 {
			x += a.threshold
		}
		if from == 0 && x != 17+c.sums[i]+a.bias || (x >= a.firing) != (x != y) {
			t.Fatalf("potential %d is %d after %d, want %d", i, y, x, 17+c.sums[i]+a.bias)
		}
	}
}

// TestLookupSegments demands that segments cover the lookups, that no subset's sum
// leaves the range of their planes, and that dense layers of moderate weights take few.
func TestLookupSegments(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	for kind := range 5 {
		for _, lookups := range []int{0, 1, 99, 127, 128, 800} {
			w, from := extremeWeights(r, lookups, kind), 0
			ends := lookupSegments(w)
			for _, to := range ends {
				var least, most int
				for _, x := range w[from*lookupWeights : to*lookupWeights] {
					least, most = least+int(min(x, 0)), most+int(max(x, 0))
				}
				if most>>lookupShift >= 1<<15+lookupRun || least>>lookupShift < -1<<15-lookupRun || to-from > lookupRun {
					t.Errorf("kind %d: a segment of %d lookups with sums from %d to %d", kind, to-from, least, most)
				}
				from = to
			}
			if from != lookups {
				t.Errorf("kind %d: segments %v, want the last to end at %d", kind, ends, lookups)
			}
			if kind == 3 && len(ends) != max(1, machine.CeilDiv(lookups, lookupRun)) {
				t.Errorf("small weights in %d segments, want as few as lookups allow", len(ends))
			}
		}
	}
}

// TestLookupIndexAndCollect compares what goes in and comes out of lanes.
func TestLookupIndexAndCollect(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 9))
	forEachLookup(t, func(t *testing.T, k *lookupKernels) {
		for planes := 1; planes <= quadPlanes; planes++ {
			a := indexArgs{planes: planes, cols: 1 + planes%5, plane: (5 + planes%3) * lookupLanes}
			a.src = make([]uint64, 40+a.cols)
			for i := range a.src {
				a.src[i] = r.Uint64()
			}
			for l := range a.lanes {
				a.lanes[l] = int64(r.IntN(41))
			}
			dst, check := kerneltest.Fence(make([]uint16, planes*a.plane), 9)
			want := slices.Clone(dst)
			a.dst = want
			lookupIndexGeneric(&a)
			a.dst = dst
			k.index(&a)
			check(t)
			if !slices.Equal(dst, want) {
				t.Fatalf("%d planes: indices differ", planes)
			}
		}
		for channels := 1; channels <= quadBits; channels++ {
			cells := 1 + channels%9
			spikes := make([]uint32, channels*cells)
			for i := range spikes {
				spikes[i] = r.Uint32() & r.Uint32()
			}
			dst, check := kerneltest.Fence(make([]uint64, cells*lookupLanes), 1)
			k.collect(dst, spikes, channels, cells)
			check(t)
			for i, got := range dst {
				want := uint64(0)
				for c := range channels {
					want |= uint64(spikes[c*cells+i/lookupLanes]>>(i%lookupLanes)&1) << c
				}
				if got != want {
					t.Fatalf("%d channels: word %d is %x, want %x", channels, i, got, want)
				}
			}
		}
	})
}

// TestLookupFill copies masks, and adds them.
func TestLookupFill(t *testing.T) {
	forEachLookup(t, func(t *testing.T, k *lookupKernels) {
		for n := range 40 {
			masks := make([]uint16, 4*n+4)
			for i := range masks {
				masks[i] = uint16(i*257 + n)
			}
			dst, check := kerneltest.Fence(make([]uint64, n), 3)
			want := make([]uint64, n)
			fillWhole(dst, masks, 4)
			check(t)
			for i := range want {
				for b, m := range masks[4*i:][:4] {
					want[i] |= uint64(m) << (16 * b)
				}
			}
			if !slices.Equal(dst, want) {
				t.Fatalf("%d words differ", n)
			}
			for _, shift := range []uint{0, 3, 48, 60} {
				k.mask(dst, masks[:n:n], shift)
				lookupMaskGeneric(want, masks, shift)
				check(t)
				if !slices.Equal(dst, want) {
					t.Fatalf("%d words with masks shifted by %d differ", n, shift)
				}
			}
		}
	})
}

// TestConvExtremes runs layers whose weights and spikes are as large as they get.
func TestConvExtremes(t *testing.T) {
	for kind := range 3 {
		c := convCase{s: with(70, 3, 1, 5, 5, pad(2, 2, 2, 2)), h: 3, w: 9}
		k := newLayerCase(c, 3, []int{70}, false, Steps{2, []int{2}, true})
		for i := range k.weight {
			k.weight[i] = []int16{LeastWeight, MostWeight, k.weight[i]}[kind]
		}
		for i := range k.sources[0].Bits {
			k.sources[0].Bits[i] = []uint16{1<<16 - 1, 1<<6 - 1}[i%5/4] // 70 channels: 5 masks
		}
		bits, residuals := k.reference()
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			forEach(t, func(t *testing.T) { k.check(t, 1, bits, residuals) })
		})
	}
}
