//go:build !amd64 || purego

package kernel

import "spikingir/runtime/kernel/machine"

// acceleratedTrainNeurons lists no implementation: this build has no assembly.
func acceleratedTrainNeurons() []machine.Entry[trainNeuronKernels] { return nil }
