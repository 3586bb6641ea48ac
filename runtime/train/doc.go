// Package train fine-tunes networks: spiking ones by backpropagation through time with
// surrogate gradients, by cheaper passes through their mean rates, or without gradients
// by regression, and ANNs for comparison.
//
// # Passes
//
// [Compile] makes a [Net] of a model for patches of one size: a tape of layers in
// evaluation order. A [Worker] runs one patch at a time through it, forwards and
// backwards, and sums the gradients of the parameters; [Net.Gradients] adds up what
// workers have in a fixed order. Images lie channel-last, [slices][H][W][C], as the
// kernels want them; standard operators without a layer of their own run in package ops
// and go back in package grad, both channels first.
//
// A worker keeps the potentials of each neuron layer (4 bytes a neuron and slice) and
// spikes (a bit), so that memory grows with the workers, not with the batch: DnCNN-17
// on 40x40 pixels at T = 10 takes 72 MB a worker.
//
// # Gradients
//
// A neuron's step function has the derivative of a [Surrogate] at x = v/theta - 1, or
// v/theta - alpha at the post step (Eq. 1-3, 13-16); the spike that resets the potential
// is detached unless [Options].ResetGradient is set, its threshold is not. beta is
// trained through alpha = sigmoid(beta)/2 + 1/2 (Eq. 15), a threshold as the softplus of
// a parameter. The tests hold every gradient to finite differences of the smoothed
// network, to Gorgonia, to PyTorch and to plain code in float64.
//
// # Runs
//
// A [Trainer] takes stages of steps: patches from package patches, the loss of Eq. 17-19
// with distillation from the ANN, Adam from package optim, validation in fixed point by
// package eval, and checkpoints from which it goes on bit for bit.
package train
