// Package patches makes the training data of image restoration: small squares cut at
// random from the images of a folder, with the input that the network gets and the
// target it should give.
//
// [Source.Patch] is a pure function of the options, the files and the number of the
// patch, so that a run goes on at any position and any number of goroutines may ask.
//
// A file counts as many patches as non-overlapping ones fit into it, and an epoch is
// the sum. An epoch walks a pseudo-random permutation of these places; each is cut at a
// random position of its file. So every file is seen in proportion to its area.
// Synthetic haze for a share of the patches is spread evenly.
//
// Inputs and targets are the degraded and the prepared images of [dataset.Task], cut at
// the same place: an image is shrunk and enlarged as a whole. Noise is added to the cut
// patch. Augmentation applies one of the 8 symmetries of the square to both. Haze has a
// smooth random depth map; the hazy patch is rounded to 8 bit, as a file would be.
//
// Held-out images are chosen by the hash of their content alone: the same ones for
// every seed, copies of one image never on both sides, and a larger share holds the
// smaller. For dehazing the clear image counts. Their noise and haze are fixed, so that
// figures compare between runs.
package patches
