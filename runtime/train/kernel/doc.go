// Package kernel holds the inner loops of training: convolutions and their gradients,
// neurons there and back, and Adam.
//
// A [Conv] is a convolution and its gradients on channel-last slices, for
// backpropagation through time. Here the order of sums is left open, so that each
// layer can take the fastest way, and implementations differ in the last bits; one
// implementation repeats its own. There are five ways:
//
//	products   of a padded copy of a slice and the weights, 6 pixels by 64 output
//	           channels in registers, or for the gradient of the weights 6 weights
//	           by 64 channels; strides, dilations and groups differ in offsets only
//	Winograd   by his F(4x4, 3x3), a quarter of the products, where both sides
//	           have 32 channels or more
//	planes     turned from channels to runs of pixels, which are the lanes then, where
//	           there are few output channels
//	sums       of the weights of the neurons that spike, listed pixel by pixel
//	sums       of the gradients of the pixels that spike, listed channel by channel
//
// Spikes take the last two ways while they are few. Groups come one after the other; with
// strides, the gradient of the input spends products on zeros between the pixels.
package kernel
