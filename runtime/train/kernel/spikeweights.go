package kernel

import (
	base "spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

const (
	// gradientTaps is the number of taps that a gradient kernel takes at once.
	gradientTaps = 9
	// gradientBytes is the size of the block of gradients that such a kernel reads,
	// which should stay in the innermost cache.
	gradientBytes = 20 << 10
)

// A spikeGradientArgs is what a kernel needs for the gradient of weights whose input
// is spikes. For each channel c, tap t < gradientTaps and lane o < vectorLanes it adds
//
//	sums[(c*gradientTaps+t)*vectorLanes+o] +=
//		sum over i < counts[c]: gradients[(pixels[c*room+i]+taps[t])*vectorLanes+o]
type spikeGradientArgs struct {
	sums, gradients []float32
	counts, pixels  []int32
	taps            [gradientTaps]int32
	room            int
}

// gradientBlock is the number of rows of the input whose gradients are summed at
// once.
func (c *Conv) gradientBlock() int {
	p := &c.backward
	most := max(1, gradientBytes/(4*vectorLanes*p.padW)-(p.padH-p.dstH))
	return machine.CeilDiv(p.dstH, machine.CeilDiv(p.dstH, most))
}

// fewGradients tells whether the kernels of spikeGradientArgs suit the convolution and
// have so few spikes to do that they are faster than products. Work is counted in
// vectors.
func (c *Conv) fewGradients(spikes []uint64, slices int) bool {
	s := c.shape
	if s.StrideH > 1 || s.StrideW > 1 || s.Group > 1 {
		return false
	}
	chunks := machine.CeilDiv(s.taps(), gradientTaps)
	pixels := slices * s.OutH * s.OutW
	// To list and copy costs as much as 6 vectors a spike and 50 a pixel.
	sparse := base.CountSpikes(spikes)*(chunks*gradientTaps*machine.CeilDiv(s.OutC, vectorLanes)+6) + 50*pixels
	return sparse*100 < c.kernels.gradientsBelow*pixels*c.work
}

// clearSpikeSums makes sums that are 0, [OutC/16][taps/9][InC][9][16].
func (c *Conv) clearSpikeSums(sc *Scratch) {
	s := c.shape
	groups := machine.CeilDiv(s.OutC, vectorLanes) * machine.CeilDiv(s.taps(), gradientTaps)
	sc.sums = machine.GrowAligned(sc.sums, groups*s.InC*gradientTaps*vectorLanes)
	clear(sc.sums)
}

// addSpikes adds the terms of a slice of spikes to the sums.
func (c *Conv) addSpikes(sc *Scratch, spikes []uint64, gy []float32) {
	f, p, a := &c.forward, &c.backward, &sc.gradient
	sc.list.fill(c.kernels, f, spikes)
	rows := c.gradientBlock()
	a.room = rows * p.dstW
	a.counts = machine.GrowAligned(a.counts, f.inC)
	a.pixels = machine.GrowAligned(a.pixels, f.inC*a.room)
	sc.padded = machine.GrowAligned(sc.padded, (rows+p.padH-p.dstH)*p.padW*vectorLanes)
	a.gradients = sc.padded
	for y := 0; y < p.dstH; y += rows {
		end := min(y+rows, p.dstH)
		if sc.list.turn(a, f, p, y, end) == 0 {
			continue
		}
		sums := sc.sums
		for first := 0; first < f.outC; first += vectorLanes {
			c.copyLanes(sc.padded, gy, first, y, end+p.padH-p.dstH)
			for t := 0; t < len(p.taps); t += gradientTaps {
				a.taps = [gradientTaps]int32{}
				copy(a.taps[:], p.taps[t:])
				a.sums, sums = sums, sums[f.inC*gradientTaps*vectorLanes:]
				c.kernels.sumGradients(a)
			}
		}
	}
}

// turn lists, for each channel, the pixels of rows y to end of the input that spike,
// as pixels of the copy of the gradients from row y on, and returns their number.
func (l *spikeList) turn(a *spikeGradientArgs, f, p *plan, y, end int) int {
	clear(a.counts)
	total := 0
	first, last := f.columns()
	for row := y; row < end; row++ {
		at := (f.top+row)*f.padW + f.left
		if f.top+row < 0 || f.top+row >= f.padH {
			continue
		}
		for x := first; x < last; x++ {
			pixel := int32((row-y)*p.padW + x)
			numbers := l.numbers[(at+x)*l.room:][:l.counts[at+x]]
			total += len(numbers)
			for _, n := range numbers {
				count := a.counts[n]
				a.counts[n] = count + 1
				a.pixels[int(n)*a.room+int(count)] = pixel
			}
		}
	}
	return total
}

// copyLanes copies 16 channels of the output's gradient, from first on, to dst, rows
// y to end of the padded copy.
func (c *Conv) copyLanes(dst, gy []float32, first, y, end int) {
	p := &c.backward
	width := min(vectorLanes, p.inC-first)
	from, to := p.columns()
	for ; y < end; y++ {
		row := dst[:p.padW*vectorLanes]
		dst = dst[len(row):]
		at := y - p.top
		if at < 0 || at >= p.srcH || from == to {
			clear(row)
			continue
		}
		left := (p.left + from) * vectorLanes
		clear(row[:left])
		clear(row[left+(to-from)*vectorLanes:])
		c.kernels.copyLanes(row[left:left+(to-from)*vectorLanes], gy[(at*p.srcW+from)*p.inC+first:], p.inC, width)
	}
}

// finishSpikes adds the sums to gw, in ONNX order.
func (c *Conv) finishSpikes(sc *Scratch, gw []float32) {
	inC, taps := c.forward.inC, c.shape.taps()
	chunks := machine.CeilDiv(taps, gradientTaps)
	for o := range c.shape.OutC {
		group := o / vectorLanes * chunks * inC * gradientTaps * vectorLanes
		for i := range inC {
			for t := range taps {
				at := (t/gradientTaps*inC+i)*gradientTaps + t%gradientTaps
				gw[(o*inC+i)*taps+t] += sc.sums[group+at*vectorLanes+o%vectorLanes]
			}
		}
	}
}

// copyLanesGeneric copies width channels of pixels that are stride floats apart and
// clears the other lanes.
func copyLanesGeneric(dst, src []float32, stride, width int) {
	for i := 0; i*vectorLanes < len(dst); i++ {
		pixel := dst[i*vectorLanes:][:vectorLanes]
		clear(pixel[copy(pixel, src[i*stride:][:width]):])
	}
}

// sumGradientsGeneric is the kernel of spikeGradientArgs in Go.
func sumGradientsGeneric(a *spikeGradientArgs) {
	for c, count := range a.counts {
		for t, tap := range a.taps {
			var acc [vectorLanes]float32
			for _, pixel := range a.pixels[c*a.room:][:count] {
				for o, g := range a.gradients[int(pixel+tap)*vectorLanes:][:vectorLanes] {
					acc[o] += g
				}
			}
			sums := a.sums[(c*gradientTaps+t)*vectorLanes:]
			for o, v := range acc {
				sums[o] += v
			}
		}
	}
}
