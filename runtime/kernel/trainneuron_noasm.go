//go:build !amd64 || purego

package kernel

// acceleratedTrainNeurons lists no implementation: this build has no assembly.
func acceleratedTrainNeurons() []entry[trainNeuronKernels] { return nil }
