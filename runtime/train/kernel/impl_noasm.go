//go:build !amd64 || purego

package kernel

import "spikingir/runtime/kernel/machine"

// acceleratedNeurons lists no implementation: this build has no assembly.
func acceleratedNeurons() []machine.Entry[neuronKernels] { return nil }

// acceleratedConvs lists no implementation: this build has no assembly.
func acceleratedConvs() []machine.Entry[convKernels] { return nil }
