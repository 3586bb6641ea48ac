//go:build !purego

#include "textflag.h"
#include "avx2_amd64.h"
#include "twophase_amd64.h"

#define V5 Y5

// HALF leaves the spikes of 8 neurons in Y9. The maximum of a NaN and 0, in this order, is
// 0. 29 is "greater or equal, ordered, quiet". A neuron that does not fire has +0
// subtracted, which leaves every number as it is, -0 included.
#define HALF(at) \
	VMULPS     at(SI)(AX*4), Y0, Y7; \
	VADDPS     Y1, Y7, Y7; \
	VADDPS     Y2, Y7, Y7; \
	VDIVPS     Y3, Y7, Y8; \
	VMAXPS     Y6, Y8, Y8; \
	VMINPS     Y5, Y8, Y8; \
	VCVTTPS2DQ Y8, Y9; \
	VCVTDQ2PS  Y9, Y8; \
	VMULPS     Y3, Y8, Y8; \
	VSUBPS     Y8, Y7, Y7; \
	VCMPPS     $29, Y4, Y7, Y10; \
	VANDPS     Y10, Y3, Y8; \
	VSUBPS     Y8, Y7, Y7; \
	VPSUBD     Y10, Y9, Y9; \
	VMOVUPS    Y7, at(DX)(AX*4)

#define COUNT \
	HALF(0); \
	VMOVDQA      Y9, Y11; \
	HALF(32); \
	VPACKSSDW    Y9, Y11, Y9; \
	VPERMQ       $0xd8, Y9, Y9; \
	VEXTRACTI128 $1, Y9, X10; \
	VPACKUSWB    X10, X9, X9; \
	VMOVDQU      X9, (DI)(AX*1)

// func spikeCountsAVX2(counts []uint8, residual, current []float32, p *TwoPhase)
TEXT ·spikeCountsAVX2(SB), NOSPLIT, $0-80
	SPIKECOUNTS
