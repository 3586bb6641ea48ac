package optim

// A Param is one tensor to train. Value and Grad have the same length; the
// optimiser changes Value in place and reads Grad, which the caller fills.
type Param struct {
	Name        string
	Value, Grad []float32
	Decays      bool // a weight, which decays under AdamW
	// Rows are those of the matrix that Value is, row by row, such as the output channels of a
	// convolution; 0 where it is none.
	Rows int
}

// An Optimizer updates parameters from their gradients.
type Optimizer interface {
	// Step updates all parameters.
	Step(rate float64)
	// Counts are the steps that each parameter took, and State the rest of what a run goes on
	// from, both in the optimiser's own memory.
	Counts() []uint64
	State() []Array
}

// An Array is a piece of an optimiser's state under its name.
type Array struct {
	Name string
	Data []float32
}
