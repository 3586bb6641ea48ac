// Package cluster is what training and evaluation need of a cluster: which of several
// processes this one is, and the few collectives with which they share out work and put
// the results together.
//
// There are two implementations. A process that was started alone has [Alone]. The
// other is MPI, by cgo, under the build tag mpi: the engine that clusters have, started
// by mpirun or srun. There is no transport of our own.
//
// # The same bits with any number of processes
//
// A sum of floating-point numbers depends on its order. MPI_Allreduce leaves that order to the
// implementation, which chooses it by the size of the message, the number of processes
// and where they run. [Sum] therefore adds in an order that only the caller knows of:
// the work is cut into parts, of which each process has some in a row, and the parts are
// added one after the other. Each process adds up one piece of the vector for all, which
// the others send it (MPI_Alltoallv), and the sums are gathered (MPI_Allgatherv): with a part for each
// process that is 2N numbers sent by each for a vector of N, as few as an allreduce needs.
// Integers add up to the same in any order.
//
// [Map] hands out numbers to whoever is free, and returns the results in their order.
//
// # Failures
//
// Whoever meets an error ends the run of all by [Comm.Leave] or [Comm.Abort]: a collective
// that one process does not come to has no end. A process that dies is seen by mpirun,
// which ends the others, and one that hangs by the time limit of the collectives.
package cluster
