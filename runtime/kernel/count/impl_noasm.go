//go:build !amd64 || purego

package count

import "spikingir/runtime/kernel/machine"

// accelerated lists no implementation: this build has no assembly.
func accelerated() []machine.Entry[kernels] { return nil }
