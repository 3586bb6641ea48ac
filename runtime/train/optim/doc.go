// Package optim holds the arithmetic of training that knows nothing of
// networks: parameters and their update by Adam or Muon, learning-rate schedules,
// gradient clipping, averages of weights, and losses with their gradients.
//
// Everything is deterministic: sums are taken in float64 in the order of the
// parameters, and nothing depends on time or on the number of threads. State is
// given out and taken back as named arrays ([Array]), so that a run that is
// resumed from them continues bit for bit.
package optim
