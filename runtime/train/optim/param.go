package optim

// A Param is one tensor to train. Value and Grad have the same length; the
// optimiser changes Value in place and reads Grad, which the caller fills.
type Param struct {
	Name        string
	Value, Grad []float32
	Decays      bool // a weight, which decays under AdamW
}

// An Array is a piece of an optimiser's state under its name.
type Array struct {
	Name string
	Data []float32
}
