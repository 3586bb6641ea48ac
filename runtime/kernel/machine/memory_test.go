package machine

import "testing"

func TestMemory(t *testing.T) {
	if n := Memory(); n < 1<<20 {
		t.Errorf("%d bytes of memory, and this runs", n)
	}
}
