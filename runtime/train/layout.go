package train

import (
	"slices"

	"spikingir/runtime/kernel"
)

// toLast copies slices [C][H][W] to [H][W][C]; values of another rank stay as they
// are.
func toLast(dst, src []float32, v *value) { transpose(dst, src, v, true) }

// toFirst copies slices [H][W][C] to [C][H][W].
func toFirst(dst, src []float32, v *value) { transpose(dst, src, v, false) }

func transpose(dst, src []float32, v *value, last bool) {
	if len(v.dims) != 4 || v.channels() == 1 {
		copy(dst, src)
		return
	}
	c, plane := v.channels(), v.height()*v.width()
	for at := 0; at < len(src); at += v.elems {
		d, s := dst[at:at+v.elems], src[at:at+v.elems]
		if c == 3 {
			transpose3(d, s, plane, last)
			continue
		}
		transposePixels(d, s, c, plane, last)
	}
}

// transposePixels is transpose of a slice of c channels: some pixels at a time, all of
// whose channels stay in the cache.
func transposePixels(dst, src []float32, c, plane int, last bool) {
	const block = 32
	for from := 0; from < plane; from += block {
		n := min(block, plane-from)
		for i := range c {
			if last {
				d := dst[from*c+i:]
				for k, x := range src[i*plane+from:][:n] {
					d[k*c] = x
				}
				continue
			}
			d, s := dst[i*plane+from:][:n], src[from*c+i:]
			for k := range d {
				d[k] = s[k*c]
			}
		}
	}
}

// transpose3 is transpose of a slice of a colour image.
func transpose3(dst, src []float32, plane int, last bool) {
	planes, pixels := dst, src
	if last {
		planes, pixels = src, dst
	}
	red, green, blue := planes[:plane], planes[plane:2*plane], planes[2*plane:3*plane]
	for k := range red {
		p := (*[3]float32)(pixels[3*k:])
		if last {
			p[0], p[1], p[2] = red[k], green[k], blue[k]
		} else {
			red[k], green[k], blue[k] = p[0], p[1], p[2]
		}
	}
}

// sumRows is the pixels that sumChannels adds up in float32.
const sumRows = 16

// sumChannels adds to sums the elements of each channel of slices [..][C], channel
// by channel: sumRows pixels in float32, their sums in float64.
func sumChannels(sums []float32, g []float32, c int) {
	total, part := make([]float64, c), make([]float32, c)
	for at := 0; at < len(g); {
		copy(part, g[at:at+c])
		last := min(at+sumRows*c, len(g))
		for at += c; at < last; at += c {
			kernel.Add(part, part, g[at:at+c])
		}
		for i, x := range part {
			total[i] += float64(x)
		}
	}
	if len(sums) == 1 {
		t := 0.0
		for _, x := range total {
			t += x
		}
		sums[0] += float32(t)
		return
	}
	for i, x := range total {
		sums[i] += float32(x)
	}
}

// addChannels sets dst to x with b, one number or one a channel, added to every pixel.
func addChannels(dst, x, b []float32, c int) {
	if len(b) == 1 {
		kernel.AddScalar(dst, x, b[0])
		return
	}
	// A call costs as much as the sums of some channels: one is for several pixels.
	wide := slices.Repeat(b, min(addedRows, len(x)/c))
	for at := 0; at < len(x); at += len(wide) {
		n := min(len(wide), len(x)-at)
		kernel.Add(dst[at:at+n], x[at:at+n], wide[:n])
	}
}

// addedRows is the pixels that addChannels adds to at once.
const addedRows = 16
