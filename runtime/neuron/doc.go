// Package neuron holds the spiking neurons: their parameters, their state and
// one step. A neuron is applied to a whole population at once: all elements of
// one slice [N, C, ...] of a time-major tensor. Spikes are kept one bit each
// ([Spikes]); in amplitude form (docs/design.md) a spike has the value of its
// threshold.
//
// # Soft reset, IF (paper, Eq. 1-3)
//
//	c(t) = x(t) + b          for t <= T;  c(T+1) = x(T+1)
//	v(t-) = v(t-1) + c(t)    v(0) = v0*theta
//	s(t) = [v(t-) >= theta]
//	v(t) = v(t-) - theta*s(t)
//
// each operation rounded to float32. Summed over time, whatever the currents,
//
//	v(S) = v(0) + sum_t c(t) - theta * sum_t s(t)
//
// so that for v0 = 0 the rate readout plus the residual is the mean current.
//
// # MPRN (paper, Eq. 13-16)
//
// As IF for t <= T. In the post step T+1 the neuron fires when v >= alpha*theta
// with alpha = 0.5*sigmoid(beta) + 0.5, emits a full spike and loses a full
// theta. For a constant a in [0,1] (in units of theta) the error of the rate
// r = (1/T) sum_{t<=T+1} s(t) is in [-alpha/T, (1-alpha)/T], where the IF's is
// in [-1/T, 0] (Theorem 1). An initial potential v0 = alpha - 1/2 shifts it to
// [-1/2T, 1/2T]: the rate is rounded to the nearest. With the paper's beta = 0
// that is v0 = 0.25.
//
// Other modules may import this package: it is stable, as package spikingir says.
package neuron
