//go:build !amd64 || purego

package kernel

// acceleratedFloat32 lists no implementation: this build has no assembly.
func acceleratedFloat32() []entry[float32Kernels] { return nil }

// acceleratedSpikes lists no implementation: this build has no assembly.
func acceleratedSpikes() []entry[spikeKernels] { return nil }

// acceleratedTrain lists no implementation: this build has no assembly.
func acceleratedTrain() []entry[trainKernels] { return nil }
