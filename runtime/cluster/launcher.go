package cluster

import (
	"os"
	"strconv"
)

// counts are the variables in which launchers tell how many processes there are: mpirun of
// Open MPI, and mpirun of MPICH and srun.
var counts = []string{"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}

// launched is how many processes a launcher of MPI has started of which this is one; 0
// where none has, or does not tell.
func launched() int {
	for _, name := range counts {
		if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
			return n
		}
	}
	return 0
}
