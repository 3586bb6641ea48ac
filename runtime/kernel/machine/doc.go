// Package machine is what kernels run on: the registry of their implementations, of which
// the best one that the CPU offers is selected, worker goroutines with memory of their
// own, aligned memory and large pages, the permission for AMX, the emulated fused
// multiply-add, and probes of what the arithmetic units reach.
package machine
