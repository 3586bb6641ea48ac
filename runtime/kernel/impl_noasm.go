//go:build !amd64 || purego

package kernel

import "spikingir/runtime/kernel/machine"

// acceleratedFloat32 lists no implementation: this build has no assembly.
func acceleratedFloat32() []machine.Entry[float32Kernels] { return nil }
