package spike

import (
	"context"
	"slices"
	"testing"

	"spikingir/runtime/kernel/machine"
)

// gradedReference simulates a layer of graded neurons one by one: values by slice in the
// layout of a tensor, and potentials by result.
func (k *layerCase) gradedReference() (values []int8, residuals [][]int32) {
	oh, ow := k.outSize()
	size := k.images * k.s.OutC * oh * ow
	values = make([]int8, k.sources[0].Steps*size)
	for range k.steps.Timesteps {
		residuals = append(residuals, make([]int32, size))
	}
	for i := range size {
		n, o, y, x := i/(k.s.OutC*oh*ow), i/(oh*ow)%k.s.OutC, i/ow%oh, i%ow
		v, sent, result := k.neurons.V0[o], int32(0), 0
		fire := func(v, sent int32, step int) (left, all int32) {
			value := int32(0)
			if k.neurons.Fire[o] == neverFires {
				return v, sent
			}
			for value < k.neurons.Grade.Most && v >= k.neurons.Threshold[o] {
				v -= k.neurons.Threshold[o]
				value++
			}
			if value == 0 && k.neurons.Grade.Least < 0 && sent > 0 && v <= -k.neurons.Threshold[o] {
				v += k.neurons.Threshold[o]
				value = -1
			}
			values[((step*k.images+n)*oh*ow+y*ow+x)*k.s.OutC+o] = int8(value)
			return v, sent + value
		}
		for step := range k.steps.Main {
			v, sent = fire(v+k.current(step, n, o, y, x)+k.neurons.Bias[o], sent, step)
			if result < len(k.steps.Timesteps) && step+1 == k.steps.Timesteps[result] {
				residuals[result][i] = v
				if s := k.steps.Main + result; k.steps.Post {
					residuals[result][i], _ = fire(v+k.current(s, n, o, y, x)+k.neurons.PostBias[o], sent, s)
				}
				result++
			}
		}
	}
	return values, residuals
}

// TestConvGraded holds graded neurons, behind spikes of one value and of several, to what
// they are by definition, in strips of all sizes.
func TestConvGraded(t *testing.T) {
	signed := 0
	for i, c := range layerCases {
		if testing.Short() && i%3 > 0 {
			continue
		}
		steps := []Steps{{4, []int{4}, true}, {3, []int{1, 3}, true}, {3, []int{1, 2}, false}}[i%3]
		k := newLayerCase(c, uint64(i), []int{c.s.InC}, i%2 == 0, steps)
		k.neurons.Grade = []Grade{{0, 5}, {-1, 1}, {0, 15}, {-1, 1}}[i%4]
		k.neurons.Fire[0] = neverFires
		values, residuals := k.gradedReference()
		if slices.Contains(values, -1) {
			signed++
		}
		t.Run(c.name, func(t *testing.T) {
			forEach(t, func(t *testing.T) {
				conv, err := k.packed()
				if err != nil {
					t.Fatal(err)
				}
				withStrips(func() { k.checkGraded(t, conv, values, residuals) })
			})
		})
	}
	if signed == 0 {
		t.Error("no neuron took a spike back: the test is too weak")
	}
}

func (k *layerCase) checkGraded(t *testing.T, conv *Conv, values []int8, residuals [][]int32) {
	t.Helper()
	pool := machine.NewPool(3)
	defer pool.Close()
	oh, ow := k.outSize()
	out := &Tensor{Steps: k.sources[0].Steps, N: k.images, C: k.s.OutC, H: oh, W: ow, Values: slices.Repeat([]int8{99}, len(values))}
	var read []Potential
	for range residuals {
		read = append(read, k.potential(len(residuals[0])))
	}
	if err := conv.Run(context.Background(), pool, out, k.sources, k.neurons, k.steps, read); err != nil {
		t.Fatal(err)
	}
	for i, want := range values {
		never := k.neurons.Fire[i%k.s.OutC] == neverFires
		if never && out.Values[i] != 0 || !never && out.Values[i] != want {
			t.Fatalf("strips of %d cells: value %d of %d is %d, want %d", stripCells, i, len(values), out.Values[i], want)
		}
	}
	for m := range residuals {
		k.checkPotential(t, read[m], residuals[m])
	}
}
