//go:build !amd64 || purego

package kernel

import "spikingir/runtime/kernel/machine"

// acceleratedFloat32 lists no implementation: this build has no assembly.
func acceleratedFloat32() []machine.Entry[float32Kernels] { return nil }

// acceleratedSpikes lists no implementation: this build has no assembly.
func acceleratedSpikes() []machine.Entry[spikeKernels] { return nil }

// acceleratedTrain lists no implementation: this build has no assembly.
func acceleratedTrain() []machine.Entry[trainKernels] { return nil }
