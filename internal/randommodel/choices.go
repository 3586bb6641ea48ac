package randommodel

// choices decides by bytes, one for each decision. When there are none left the first
// alternative is taken always.
type choices struct{ rest []byte }

// Done reports that no bytes are left.
func (c *choices) Done() bool { return len(c.rest) == 0 }

// N chooses a number from 0 to n-1, of at most 256.
func (c *choices) N(n int) int {
	if c.Done() {
		return 0
	}
	x := int(c.rest[0]) % n
	c.rest = c.rest[1:]
	return x
}

// Chance is true one time in n, and never without bytes.
func (c *choices) Chance(n int) bool { return c.N(n) == n-1 }

// pick chooses one of a list.
func pick[T any](c *choices, list ...T) T { return list[c.N(len(list))] }

// picks chooses k of a list, in order, each any number of times.
func picks[T any](c *choices, k int, list ...T) []T {
	out := make([]T, k)
	for i := range out {
		out[i] = pick(c, list...)
	}
	return out
}
