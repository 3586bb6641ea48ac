// Package patches makes the training data of image restoration: small squares
// cut at random from the images of a folder, with the input that the network
// gets and the target it should give.
//
// # One number, one patch
//
// [Source.Patch] is a pure function of the options, the files and the number of
// the patch: each patch has a random stream of its own. So a run goes on at any
// position without a saved state, and any number of goroutines may ask for
// patches in any order.
//
// # Order
//
// A file counts as many patches as non-overlapping ones fit into it, and an
// epoch ([Source.Epoch]) is the sum. Within an epoch the numbers walk a pseudo-
// random permutation of these places, new for each epoch, and each place is cut
// at a random position of its file. So every file is seen in proportion to its
// area, as the published training sets, which hold all patches of a folder,
// have it, and none is starved. Where haze is synthesised for a share of the
// patches, these are spread evenly and walk a permutation of their own.
//
// # What is cut
//
// Inputs and targets are the degraded and the prepared images of
// [dataset.Task], cut at the same place: an image is shrunk and enlarged as a
// whole, so that the edge of a patch is not the edge of an image. Noise is added
// to the cut patch. Augmentation applies one of the 8 symmetries of the square
// to both. Haze follows [dataset.AddHaze] with a smooth random depth map; the
// hazy patch is rounded to 8 bit, as a file would be.
//
// Prepared images stay in memory up to [Options.Cache] bytes, one byte for each
// value where that loses nothing. What is in stays in: with random access to
// more than fits, that serves as many patches as any other rule.
//
// # Held-out images
//
// A share of the images is never cut from but kept for validation. They are
// chosen by the hash of their content alone: the same ones for every seed, two
// copies of one image never on both sides, and a larger share holds the smaller.
// For dehazing the clear image counts: all hazy levels of a scene stay together.
// Their noise and haze are fixed too, so that figures compare between runs.
package patches
