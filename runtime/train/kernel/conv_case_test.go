package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	base "spikingir/runtime/kernel"
	"spikingir/runtime/kernel/kerneltest"
)

// A convCase is a convolution and its operands, all random: x is 0 or 1 where it
// stands for spikes.
type convCase struct {
	s            Shape
	slices       int
	density      float64 // of spikes; 0 for numbers
	w, scale     []float32
	x, gy        []float32
	spikes       []uint64
	name         string
	conv         *Conv
	wy, wgx, wgw []float64 // what the definition says
	my, mgx, mgw []float64 // the sums of the magnitudes of their terms
}

// shapeFor is a convolution with the output's size that ONNX gives it.
func shapeFor(t testing.TB, s base.ConvShape, h, w int) Shape {
	t.Helper()
	shape, err := NewShape(s, h, w)
	if err != nil {
		t.Fatal(err)
	}
	return shape
}

func newConvCase(t testing.TB, s base.ConvShape, h, w, slices int, density float64) *convCase {
	t.Helper()
	r := rand.New(rand.NewPCG(uint64(h*1000+w), uint64(s.InC*100+s.OutC)))
	c := &convCase{s: shapeFor(t, s, h, w), slices: slices, density: density}
	c.name = fmt.Sprintf("%dto%d_%dx%d_g%d_s%d%d_d%d%d_p%d%d_%dx%d_%g", s.InC, s.OutC, s.KH, s.KW, s.Groups,
		s.StrideH, s.StrideW, s.DilationH, s.DilationW, s.PadTop, s.PadLeft, h, w, density)
	c.w, c.scale = kerneltest.Normal(r, c.s.Weights()), kerneltest.Normal(r, s.InC)
	c.gy = kerneltest.Normal(r, slices*c.s.OutSize())
	size := c.s.InSize()
	c.x = kerneltest.Normal(r, slices*size)
	if density > 0 {
		words := base.SpikeWords(size)
		c.spikes = make([]uint64, slices*words)
		for i := range c.x {
			c.x[i] = 0
			if r.Float64() < density {
				c.x[i] = 1
				j := i % size
				c.spikes[i/size*words+j/64] |= 1 << (j % 64)
			}
		}
		// Bits past the last element mean nothing.
		if size%64 != 0 {
			for i := words - 1; i < len(c.spikes); i += words {
				c.spikes[i] |= ^uint64(0) << (size % 64)
			}
		}
	}
	conv, err := NewConv(c.s)
	if err != nil {
		t.Fatal(err)
	}
	conv.SetWeights(c.w, c.scale)
	c.conv = conv
	return c
}

// define fills what the definition of the operator says, in float64.
func (c *convCase) define() {
	s := c.s
	c.wy, c.my = make([]float64, len(c.gy)), make([]float64, len(c.gy))
	c.wgx, c.mgx = make([]float64, len(c.x)), make([]float64, len(c.x))
	c.wgw, c.mgw = make([]float64, len(c.w)), make([]float64, len(c.w))
	inC, outC := s.InC/s.Group, s.OutC/s.Group
	for slice := range c.slices {
		for at := range s.OutSize() {
			y, x, o := at/(s.OutW*s.OutC), at/s.OutC%s.OutW, at%s.OutC
			at += slice * s.OutSize()
			for t := range s.taps() {
				iy := y*s.StrideH + t/s.KernelW*s.DilationH - s.PadT
				ix := x*s.StrideW + t%s.KernelW*s.DilationW - s.PadL
				if iy < 0 || iy >= s.InH || ix < 0 || ix >= s.InW {
					continue
				}
				for i := range inC {
					from := slice*s.InSize() + (iy*s.InW+ix)*s.InC + o/outC*inC + i
					weight := (o*inC+i)*s.taps() + t
					w := float64(c.w[weight] * c.scale[o/outC*inC+i])
					gather(c.wy, c.my, at, w*float64(c.x[from]))
					gather(c.wgx, c.mgx, from, w*float64(c.gy[at]))
					gather(c.wgw, c.mgw, weight, float64(c.x[from])*float64(c.gy[at]))
				}
			}
		}
	}
}

// gather adds a term to a sum and to the sum of the magnitudes.
func gather(sum, size []float64, at int, term float64) {
	sum[at] += term
	size[at] += math.Abs(term)
}

// tolerance is how far a sum may be off, relative to the sum of its terms'
// magnitudes.
const tolerance = 1e-5

// near compares sums with their definition.
func near(t *testing.T, what string, got []float32, want, size []float64) {
	t.Helper()
	for i, v := range got {
		// Written so that a NaN fails.
		if !(math.Abs(float64(v)-want[i]) <= tolerance*size[i]) {
			t.Errorf("%s: element %d of %d is %v, want %v within %v", what, i, len(got), v, want[i], tolerance*size[i])
			return
		}
	}
}

// convResults are the outputs of all entry points, with what they held before where
// they add.
type convResults struct{ y, gx, gw []float32 }

const gwBefore = 3

// run computes all products, of bits where the case has spikes, in fenced memory.
func (c *convCase) run(t *testing.T, sc *Scratch) convResults {
	t.Helper()
	x, checkX := kerneltest.Fence(c.x, 77)
	gy, checkGY := kerneltest.Fence(c.gy, 77)
	y, checkY := kerneltest.Fence(make([]float32, len(c.gy)), 77)
	gx, checkGX := kerneltest.Fence(make([]float32, len(c.x)), 77)
	gw, checkGW := kerneltest.Fence(make([]float32, len(c.w)), 77)
	for i := range gw {
		gw[i] = gwBefore
	}
	fill(y, gx)
	if c.density > 0 {
		spikes, check := kerneltest.Fence(c.spikes, ^uint64(0))
		c.conv.ForwardSpikes(sc, y, spikes, c.slices)
		c.conv.Backward(sc, &Gradients{GW: gw, Spikes: spikes, GY: gy, Slices: c.slices})
		check(t)
	} else {
		c.conv.Forward(sc, y, x, c.slices)
		c.conv.BackwardWeights(sc, gw, x, gy, c.slices)
	}
	c.conv.BackwardInput(sc, gx, gy, c.slices)
	for _, check := range []func(*testing.T){checkX, checkGY, checkY, checkGX, checkGW} {
		check(t)
	}
	return convResults{y, gx, gw}
}

// fill puts numbers in what will be overwritten.
func fill(lists ...[]float32) {
	for _, list := range lists {
		for i := range list {
			list[i] = float32(math.NaN())
		}
	}
}

func (c *convCase) check(t *testing.T, r convResults) {
	t.Helper()
	near(t, c.name+" y", r.y, c.wy, c.my)
	near(t, c.name+" gx", r.gx, c.wgx, c.mgx)
	want, size := make([]float64, len(c.wgw)), make([]float64, len(c.wgw))
	for i := range want {
		want[i], size[i] = gwBefore+c.wgw[i], gwBefore+c.mgw[i]
	}
	near(t, c.name+" gw", r.gw, want, size)
}
