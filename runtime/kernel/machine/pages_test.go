package machine

import "testing"

// TestNewArray holds that arrays of all sizes are zeros and can be written to their ends.
func TestNewArray(t *testing.T) {
	for _, n := range []int{0, 1, largePage/4 - 1, largePage / 4, largePage + 12345} {
		b := NewArray[float32](n)
		if len(b) != n {
			t.Fatalf("%d elements, want %d", len(b), n)
		}
		for i := range b {
			if b[i] != 0 {
				t.Fatalf("element %d of %d is %v", i, n, b[i])
			}
			b[i] = 1
		}
	}
}
