package spike

import (
	"math"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/runtime/kernel/kerneltest"
)

// potential makes room for n potentials and their sums.
func (k *layerCase) potential(n int) Potential {
	p := Potential{Data: make([]float32, n)}
	var half, full []int32
	for o := range k.s.OutC {
		p.Scale = append(p.Scale, 1/float64(3+o))
		half, full = append(half, int32(100*(o%7)-300)), append(full, int32(9000+100*(o%5)))
	}
	h, w := k.outSize()
	part := Part{Bottom: h, Right: w}
	if k.images == 1 {
		part = Part{h / 4, w / 5, h - h/6, w - w/7}
	}
	p.Sums = NewPotentialSums(part, half, full)
	return p
}

// checkPotential compares what a run handed over with the potentials.
func (k *layerCase) checkPotential(t *testing.T, got Potential, potentials []int32) {
	t.Helper()
	part := got.Sums.Part
	want := NewPotentialSums(part, got.Sums.Half, got.Sums.Full)
	floats := make([]float32, len(potentials))
	h, w := k.outSize()
	for i, v := range potentials {
		o, y, x := i/(h*w)%k.s.OutC, i/w%h, i%w
		floats[i] = float32(float64(v) * got.Scale[o])
		if y < part.Top || y >= part.Bottom || x < part.Left || x >= part.Right {
			continue
		}
		want.Abs[o] += int64(math.Abs(float64(v)))
		if v >= want.Half[o] {
			want.AtHalf[o]++
		}
		if v >= want.Full[o] {
			want.AtFull[o]++
		}
	}
	if i := kerneltest.FirstDifference(got.Data, floats); i >= 0 {
		t.Fatalf("potential %d is %v, want %v", i, got.Data[i], floats[i])
	}
	if !reflect.DeepEqual(want, got.Sums) { // cmp takes long
		t.Fatalf("sums (-want +got):\n%s", cmp.Diff(want, got.Sums))
	}
}

// TestPotentialSums takes the numbers at the ends of the range.
func TestPotentialSums(t *testing.T) {
	var s laneSums
	for _, v := range []int32{math.MinInt32, -1, 0, 1, math.MaxInt32} {
		s.add(v, 0, math.MaxInt32)
		s.add(v, math.MinInt32, 1)
	}
	if want := (laneSums{abs: 2 * (1<<31 + 1 + 0 + 1 + 1<<31 - 1), half: 3 + 5, full: 1 + 2}); s != want {
		t.Errorf("%+v, want %+v", s, want)
	}
}
