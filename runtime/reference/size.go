package reference

import "fmt"

// The limits of what is a small network, in elements of float64. A forward pass
// drops what it has used, so that the tensors that it holds all along and the
// largest of the others decide on its memory, all of them on its time; the
// gradients need all of them at once, and about as much again.
const (
	maxHeld     = 1 << 27 // constants, parameters and the input: 1 GiB
	maxTensor   = 1 << 27 // one tensor
	maxForward  = 1 << 30 // all tensors
	maxBackward = 1 << 28 // all tensors, where gradients are wanted: 2 GiB
)

// size is the elements of a network's tensors.
type size struct{ held, all int }

// elements is the product of dims, or something above all limits.
func (s *size) elements(dims []int) int {
	n := 1
	for _, d := range dims {
		n = min(n*min(d, maxForward+1), maxForward+1)
	}
	return n
}

func (s *size) add(dims []int) error {
	n := s.elements(dims)
	if s.all += n; n > maxTensor || s.all > maxForward {
		return tooLarge("to compute")
	}
	return nil
}

func (s *size) hold(dims []int) error {
	if s.held += s.elements(dims); s.held > maxHeld {
		return tooLarge("to hold")
	}
	return s.add(dims)
}

func (s *size) differentiable() error {
	if s.all > maxBackward {
		return tooLarge("to differentiate")
	}
	return nil
}

func tooLarge(what string) error {
	return fmt.Errorf("the network is too large %s in float64, want a smaller one or smaller images", what)
}
