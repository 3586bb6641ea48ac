package machine

import (
	"math"
	"testing"
)

func TestMemory(t *testing.T) {
	if n := Memory(); n < 1<<20 {
		t.Errorf("%d bytes of memory, and this runs", n)
	}
}

// TestBudget holds the share of the memory, and what stands for it.
func TestBudget(t *testing.T) {
	for _, c := range []struct{ memory, want int64 }{
		{64 << 30, 16 << 30}, {2 << 30, 5 << 28}, {math.MaxInt64, 4 << 30},
	} {
		if got := budget(c.memory); got != c.want {
			t.Errorf("of %d bytes %d, want %d", c.memory, got, c.want)
		}
	}
	if n := Budget(); n < leastBudget {
		t.Errorf("the budget is %d bytes", n)
	}
}
