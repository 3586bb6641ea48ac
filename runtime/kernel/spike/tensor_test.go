package spike

import (
	"math/rand/v2"
	"testing"

	"spikingir/runtime/kernel/machine"
)

// TestPackPlanesAndSum turns planar spikes round and adds them up again.
func TestPackPlanesAndSum(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []int{1, 3, 16, 17, 40} {
		for _, size := range [][2]int{{1, 1}, {3, 5}, {1, 63}, {8, 8}, {5, 13}, {9, 29}} {
			h, w := size[0], size[1]
			tensor := &Tensor{Steps: 3, N: 2, C: c, H: h, W: w}
			tensor.Bits = make([]uint16, tensor.Masks())
			for i := range tensor.Bits {
				tensor.Bits[i] = 0xffff // every mask must be written
			}
			spikes := make([]bool, 3*2*c*h*w)
			for i := range spikes {
				spikes[i] = r.IntN(3) == 0
			}
			at := func(step, n, c, i int) bool { return spikes[((step*2+n)*tensor.C+c)*h*w+i] }
			packPlanes(tensor, at)
			checkSum(t, tensor, at)
		}
	}
}

// packPlanes packs in runs of 64 pixels, 16 channels at a time.
func packPlanes(tensor *Tensor, at func(step, n, c, i int) bool) {
	plane := tensor.H * tensor.W
	for i := range tensor.Steps * tensor.N {
		step, n := i/tensor.N, i%tensor.N
		for first := 0; first < tensor.C; first += 16 {
			for from := 0; from < plane; from += 64 {
				count := min(64, plane-from)
				var planes [][]uint64
				for c := first; c < min(first+16, tensor.C); c++ {
					word := ^uint64(0) << (count - 1) << 1 // bits past the last pixel do not matter
					for k := range count {
						if at(step, n, c, from+k) {
							word |= 1 << k
						}
					}
					planes = append(planes, []uint64{word})
				}
				tensor.PackPlanes(step, n, first, from, count, planes)
			}
		}
	}
}

func checkSum(t *testing.T, tensor *Tensor, at func(step, n, c, i int) bool) {
	t.Helper()
	amplitude := make([]float32, tensor.C)
	for i := range amplitude {
		amplitude[i] = 0.1 * float32(i+1)
	}
	pool := machine.NewPool(2)
	defer pool.Close()
	plane := tensor.H * tensor.W
	dst := make([]float32, tensor.C*plane)
	for n := range tensor.N {
		tensor.Sum(pool, dst, n, []int{0, 2}, amplitude)
		for i, got := range dst {
			want := float32(0)
			for _, step := range []int{0, 2} {
				if at(step, n, i/plane, i%plane) {
					want++
				}
			}
			if want *= amplitude[i/plane]; got != want {
				t.Fatalf("%d channels, %d x %d: sum %d is %v, want %v", tensor.C, tensor.H, tensor.W, i, got, want)
			}
		}
	}
}

// TestSumMany counts more slices than a byte holds.
func TestSumMany(t *testing.T) {
	tensor := &Tensor{Steps: 600, N: 1, C: 2, H: 1, W: 3}
	tensor.Bits = make([]uint16, tensor.Masks())
	slices := make([]int, 600)
	for i := range slices {
		slices[i] = i
		for p := range 3 {
			tensor.Slice(i, 0)[p] = uint16(1 + 2*(i%2))
		}
	}
	values := &Tensor{Steps: 600, N: 1, C: 2, H: 1, W: 3, Values: make([]int8, 600*6)}
	for i := range values.Values {
		values.Values[i] = -128 + int8(i%2)
	}
	pool := machine.NewPool(1)
	defer pool.Close()
	dst := make([]float32, 6)
	tensor.Sum(pool, dst, 0, slices, []float32{0.5})
	if dst[0] != 300 || dst[5] != 150 {
		t.Errorf("sums %v, want 300 and 150", dst)
	}
	values.Sum(pool, dst, 0, slices, []float32{1})
	if dst[0] != -128*600 || dst[5] != -127*600 {
		t.Errorf("sums %v, want -76800 and -76200", dst)
	}
}
