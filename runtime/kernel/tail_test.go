package kernel

import (
	"fmt"
	"math"
	"testing"

	"spikingir/runtime/kernel/kerneltest"
	"spikingir/runtime/kernel/machine"
)

// TestConvTail compares a run with a tail with a run that is finished afterwards,
// fences round the outputs.
func TestConvTail(t *testing.T) {
	for i, c := range convCases {
		if c.transposed {
			continue
		}
		src, weight, bias := c.data(2*uint64(i), kerneltest.Normal)
		exact, _, _ := c.reference(src, weight, bias)
		size := len(exact) / c.s.OutC
		for o := range c.s.OutC {
			channelTail(o, exact[o*size:(o+1)*size])
		}
		conv, err := PackConv(c.s.ConvShape, weight, make([]float32, c.s.OutC))
		if err != nil {
			t.Fatal(err)
		}
		forEachQuietly(t, func(name string) {
			withStrips(func(floats int) {
				for _, threads := range []int{1, 2, 8} {
					p := machine.NewPool(threads)
					dst, check := kerneltest.Fence(make([]float32, len(exact)), 12345)
					conv.RunTail(p, dst, src, c.h, c.w, Tail{Bias: bias, Finish: channelTail})
					p.Close()
					check(t)
					if d := kerneltest.FirstDifference(dst, exact); d >= 0 {
						t.Fatalf("%s, %s, %d threads, strips of %d: output %d is %v, want %v",
							c.name, name, threads, floats, d, dst[d], exact[d])
					}
				}
			})
		})
	}
}

// channelTail is an operation that shows whether it was done, once, and for which
// channel.
func channelTail(channel int, y []float32) {
	for i, v := range y {
		y[i] = float32(math.Abs(float64(v))) + float32(channel+1)
	}
}

// TestConvDirectTail demands the same bits whether a kernel does what Direct says or
// leaves it to Finish.
func TestConvDirectTail(t *testing.T) {
	for i, c := range convCases {
		if c.transposed || c.s.OutC < wideBlock {
			continue
		}
		src, weight, bias := c.data(2*uint64(i), harsh)
		offset, _, _ := c.data(100, kerneltest.Normal)
		offset = offset[:c.s.OutC]
		scale, shift := make([]float32, c.s.OutC), make([]float32, c.s.OutC)
		for o := range scale {
			scale[o], shift[o] = 0.3*float32(o-20), 1/float32(o+1)
		}
		for _, d := range []Direct{{}, {Relu: true}, {offset, scale, shift, false}, {offset, scale, shift, true}} {
			finish := func(channel int, y []float32) {
				if d.Scale != nil {
					AddScalar(y, y, d.Offset[channel])
					MulScalar(y, y, d.Scale[channel])
					AddScalar(y, y, d.Shift[channel])
				}
				if d.Relu {
					Relu(y, y)
				}
			}
			conv, err := PackConv(c.s.ConvShape, weight, nil)
			if err != nil {
				t.Fatal(err)
			}
			p := machine.NewPool(2)
			oh, ow := c.outSize()
			want, got := make([]float32, c.s.OutC*oh*ow), make([]float32, c.s.OutC*oh*ow)
			conv.RunTail(p, want, src, c.h, c.w, Tail{Bias: bias, Finish: finish})
			forEachQuietly(t, func(name string) {
				conv.RunTail(p, got, src, c.h, c.w, Tail{Bias: bias, Finish: finish, Direct: &d})
				if d := kerneltest.FirstDifference(got, want); d >= 0 {
					t.Fatalf("%s, %s: output %d is %v, want %v", c.name, name, d, got[d], want[d])
				}
			})
			p.Close()
		}
	}
}

func TestTailWantsBiases(t *testing.T) {
	p := machine.NewPool(1)
	defer p.Close()
	c, err := PackConv(same(1, 2, 1, 1), make([]float32, 2), nil)
	if err != nil {
		t.Fatal(err)
	}
	got := kerneltest.Caught(func() {
		c.RunTail(p, make([]float32, 2), make([]float32, 1), 1, 1, Tail{Bias: []float32{1}})
	})
	if want := "kernel: 1 biases, want 2"; fmt.Sprint(got) != want {
		t.Errorf("one bias for two channels: %v, want %s", got, want)
	}
}
