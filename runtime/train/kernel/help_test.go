package kernel

import (
	"testing"

	base "spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
)

// forEachOf runs f as a subtest with each available implementation of a family
// selected, and restores the selection.
func forEachOf(t *testing.T, family string, f func(t *testing.T)) {
	t.Helper()
	defer choose(t, family, machine.Selected(family))
	for _, i := range machine.Implementations() {
		switch {
		case i.Family != family:
		case !i.Available:
			t.Logf("%s: this CPU cannot run it", i.Name)
		default:
			choose(t, family, i.Name)
			t.Run(i.Name, f)
		}
	}
}

func choose(t *testing.T, family, name string) {
	t.Helper()
	if err := machine.SelectFamily(family, name); err != nil {
		t.Fatal(err)
	}
}

// same is a square convolution of stride 1 that keeps the image's size.
func same(in, out, groups, k int) base.ConvShape {
	return base.ConvShape{
		InC: in, OutC: out, Groups: groups, KH: k, KW: k,
		StrideH: 1, StrideW: 1, DilationH: 1, DilationW: 1,
		PadTop: k / 2, PadLeft: k / 2, PadBottom: k / 2, PadRight: k / 2,
	}
}
