//go:build !purego

package kernel

// acceleratedTrain lists the implementations in assembly, best first.
func acceleratedTrain() []entry[trainKernels] { return nil }
