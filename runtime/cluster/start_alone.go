//go:build !mpi

package cluster

import "fmt"

// Start is the processes that this one was started with. This build knows of none: where MPI
// has started several, each would do the whole work, and all would write the same files.
func Start() (Comm, error) {
	if n := launched(); n > 1 {
		return nil, fmt.Errorf("MPI has started %d processes, and this program is built without MPI: want the one of make build-mpi, or one process", n)
	}
	return Alone, nil
}
