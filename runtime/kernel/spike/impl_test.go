package spike

import (
	"math"
	"testing"
	"time"

	"spikingir/runtime/kernel/machine"
)

// forEach runs f with each available implementation of the spike kernels,
// and with those in Go that take bytes as AMX does and that look up sums.
func forEach(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	selected := machine.Selected("spikes")
	for _, e := range family.Entries {
		if !e.Available {
			t.Logf("%s: this CPU cannot run it", e.Name)
			continue
		}
		choose(t, e.Name)
		t.Run(e.Name, f)
	}
	choose(t, selected)
	defer func(k kernels) { family.Kernels = k }(family.Kernels)
	family.Kernels = kernels{bytes: true, step: stepBytes, expandBytes: expandBytesGeneric}
	t.Run("bytes", f)
	family.Kernels = generic
	family.Kernels.lookup = &genericLookups
	t.Run("lookup", f)
	family.Kernels = generic
	events := genericEvents
	events.below = 1 // whatever fires
	family.Kernels.events = &events
	t.Run("events", f)
	for _, e := range family.Entries {
		if e.Available && e.Kernels.events != nil {
			events := *e.Kernels.events
			events.below = 1
			family.Kernels = e.Kernels
			family.Kernels.events = &events
			t.Run(e.Name+" events", f)
		}
	}
}

func choose(t *testing.T, name string) {
	t.Helper()
	if err := machine.SelectFamily("spikes", name); err != nil {
		t.Fatal(err)
	}
}

func TestSustained(t *testing.T) {
	if got := Sustained(time.Millisecond); got <= 0 || math.IsInf(got, 0) {
		t.Errorf("spikes sustain %v 10^9 operations/s, want a positive number", got)
	}
}

// stepBytes is stepGeneric for bytes.
func stepBytes(a *stepArgs) {
	const plane = windowBytes * maskBits
	for i := range a.blocks * a.rows * a.cols {
		b, y, x := i/(a.rows*a.cols), i/a.cols%a.rows, i%a.cols
		var acc [maskBits]int32
		for w, offset := range a.offsets {
			planes := a.planes[(b*len(a.offsets)+w)*2*plane:]
			for k, s := range a.bytes[y*a.srcRow+x*a.srcCell+offset:][:windowBytes] {
				if s == 0 {
					continue
				}
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
