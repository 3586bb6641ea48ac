// Package bench measures how fast kernels and programs run: medians of several
// runs after a warm-up, beside the peak that the arithmetic unit was probed to
// reach. What is counted is the multiply-adds of dense convolutions, whatever the
// kernels skip or do otherwise.
package bench
