// Package checkpoint stores the state of a training run in one file, from which
// it continues bit for bit.
//
// # Format
//
// All numbers are little endian.
//
//	8 bytes   "SPIKCKPT"
//	uint32    format version, 1
//	uint32    length of the header
//	uint64    length of the whole file
//	header    JSON: what [Header] holds, and the name, type and length of each array
//	arrays    their elements, one after another, in the order of the header
//	32 bytes  SHA-256 of all before
//
// The same checkpoint gives the same bytes. A file that was cut short, altered or
// made by another version is refused, and reading one takes no more memory than
// a small multiple of its size, whatever lengths it claims.
//
// # Safety
//
// [Write] replaces a checkpoint only when the new one is complete and on disk: a
// process that is killed, or a loss of power, leaves the old or the new one.
package checkpoint
