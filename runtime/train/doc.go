// Package train fine-tunes a spiking network by backpropagation through time.
package train
