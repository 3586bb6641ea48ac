package patches

import (
	"math"

	"spikingir/runtime/dataset"
)

// Patch makes patch number i. The input has the shape [C,P,P] of the target or,
// for low-resolution input, [C,P/scale,P/scale]. Its Shave is 0: what the loss
// leaves out is for the caller to decide. Numbers beyond 2^53 are not told apart
// where haze is synthesised for a share.
func (s *Source) Patch(i uint64) (dataset.Sample, error) {
	it, hazed := s.pick(i)
	return s.cut(it, hazed, newStream(s.o.Seed, i))
}

// pick returns the item that patch i is cut from, and whether haze is to be
// synthesised. The k-th of the synthetic patches is the first i for which
// floor((i+1) share) exceeds k: their numbers and those of the others count
// without gaps.
func (s *Source) pick(i uint64) (*item, bool) {
	share := s.o.HazeShare
	if s.real.total == 0 {
		share = 1
	}
	before := uint64(math.Floor(float64(share * float64(i))))
	after := uint64(math.Floor(float64(share * (float64(i) + 1))))
	if after > before {
		return s.haze.shuffled(before, mix(s.o.Seed, hazeOrder)), true
	}
	return s.real.shuffled(i-before, mix(s.o.Seed, orderSeed)), false
}

// shuffled returns the item whose turn it is at position k of an endless walk,
// each epoch of which is a permutation of all places.
func (l *list) shuffled(k, seed uint64) *item {
	epoch, x := k/l.total, k%l.total
	return l.at(permute(x, l.total, mix(seed, epoch)))
}

// cut draws the position, the symmetry and the degradation, in this order.
func (s *Source) cut(it *item, hazed bool, rng stream) (dataset.Sample, error) {
	target, err := s.cache.get(it.target)
	if err != nil {
		return dataset.Sample{}, err
	}
	scale, side := s.o.scale(), s.o.Patch
	y := scale * rng.below((target.h-side)/scale+1)
	x := scale * rng.below((target.w-side)/scale+1)
	var sym symmetry
	if s.o.Augment {
		sym = symmetry(rng.below(symmetries))
	}
	out := dataset.Sample{Name: it.name, Target: target.cut(y, x, side, sym)}
	switch {
	case hazed:
		// The depth belongs to the scene: it is turned with the patch.
		hazy, err := veiled(target.cut(y, x, side, 0), target, y, x, rng)
		if err != nil {
			return dataset.Sample{}, err
		}
		out.Input = (&packed{c: hazy.C, h: side, w: side, floats: hazy.Pix}).cut(0, 0, side, sym)
	case it.input != nil:
		input, err := s.cache.get(it.input)
		if err != nil {
			return dataset.Sample{}, err
		}
		out.Input = input.cut(y/scale, x/scale, side/scale, sym)
	default:
		sigma := rng.within(s.o.SigmaMin, s.o.SigmaMax)
		out.Input = dataset.AddNoise(out.Target, sigma, rng.seed())
	}
	return out, nil
}

// veiled hazes a part of a clear image that begins at (y, x).
func veiled(part dataset.Image, whole *packed, y, x int, rng stream) (dataset.Image, error) {
	return drawVeil(whole.h, whole.w, rng).over(part, y, x)
}

// ValidationLen is the number of held-out samples.
func (s *Source) ValidationLen() int { return len(s.valid) }

// Validation makes held-out sample i, 0 <= i < [Source.ValidationLen]: the whole
// image or its central square, see [Options.ValidationCrop], whose sides are
// multiples of the scale for sr and no longer than the image. Noise and haze
// depend on i only. Its Shave is that of scoring.
func (s *Source) Validation(i int) (dataset.Sample, error) {
	it := &s.valid[i]
	whole, err := s.cache.get(it.target)
	if err != nil {
		return dataset.Sample{}, err
	}
	y, h := s.central(whole.h)
	x, w := s.central(whole.w)
	out := dataset.Sample{Name: it.name, Shave: s.o.Task.Shave()}
	if out.Target, err = whole.unpack().Crop(y, x, h, w); err != nil {
		return dataset.Sample{}, err
	}
	rng := newStream(validSeed, uint64(i))
	switch {
	case s.validHaze:
		out.Input, err = veiled(out.Target, whole, y, x, rng)
	case it.input != nil:
		var input *packed
		if input, err = s.cache.get(it.input); err == nil {
			k := s.o.scale()
			out.Input, err = input.unpack().Crop(y/k, x/k, h/k, w/k)
		}
	default:
		out.Input = dataset.AddNoise(out.Target, s.o.Task.Sigma, rng.seed())
	}
	return out, err
}

// central returns where the crop of one side begins and its length, both
// multiples of the scale of sr.
func (s *Source) central(side int) (begin, length int) {
	step := max(s.o.Task.Scale, 1)
	length = side
	if crop := s.o.ValidationCrop; crop > 0 && crop < side {
		length = crop - crop%step
	}
	begin = (side - length) / 2
	return begin - begin%step, length
}
