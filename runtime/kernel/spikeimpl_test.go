package kernel

import "testing"

// forEachSpikes runs f with each available implementation of the spike kernels,
// and with those in Go that take bytes as AMX does and that look up sums.
func forEachSpikes(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	forEachOf(t, "spikes", f)
	defer func(k spikeKernels) { spikes.Kernels = k }(spikes.Kernels)
	spikes.Kernels = spikeKernels{bytes: true, step: spikeStepBytes, expandBytes: expandBytesGeneric}
	t.Run("bytes", f)
	spikes.Kernels = genericSpikes
	spikes.Kernels.lookup = &genericLookups
	t.Run("lookup", f)
	spikes.Kernels = genericSpikes
	events := genericEvents
	events.below = 1 // whatever fires
	spikes.Kernels.events = &events
	t.Run("events", f)
	for _, e := range spikes.Entries {
		if e.Available && e.Kernels.events != nil {
			events := *e.Kernels.events
			events.below = 1
			spikes.Kernels = e.Kernels
			spikes.Kernels.events = &events
			t.Run(e.Name+" events", f)
		}
	}
}

// spikeStepBytes is spikeStepGeneric for bytes.
func spikeStepBytes(a *spikeArgs) {
	const plane = windowBytes * maskBits
	for i := range a.blocks * a.rows * a.cols {
		b, y, x := i/(a.rows*a.cols), i/a.cols%a.rows, i%a.cols
		var acc [maskBits]int32
		for w, offset := range a.offsets {
			planes := a.planes[(b*len(a.offsets)+w)*2*plane:]
			for k, s := range a.bytes[y*a.srcRow+x*a.srcCell+offset:][:windowBytes] {
				for o := range acc {
					at := k/4*64 + o*4 + k%4
					acc[o] += int32(s) * (256*int32(planes[at]) + int32(planes[plane+at]))
				}
			}
		}
		v := (*[maskBits]int32)(a.v[b*a.vBlock+(y*a.cols+x)*maskBits:])
		a.masks[y*a.maskRow+x*a.maskCell+b] = fireGeneric(v, &acc, a.params[b*3*maskBits:])
	}
}
