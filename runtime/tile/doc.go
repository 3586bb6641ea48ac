// Package tile cuts images into tiles: it knows which pixels of the input each result
// of a network depends on, so that tiles overlap by as much as the network looks around
// itself, and together give the bits of the whole image.
//
// [New] reads a graph and refuses a network whose operators look at more than a
// neighbourhood of each pixel. [Fields.Areas] carries the size of an image, or of a tile
// of it, through the network. [Fields.Cut] chooses tiles that take no more memory than
// allowed.
package tile
