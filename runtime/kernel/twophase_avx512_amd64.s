//go:build !purego

#include "textflag.h"
#include "avx512_amd64.h"
#include "twophase_amd64.h"

#define V5 Z5

// The maximum of a NaN and 0, in this order, is 0. 29 is "greater or equal, ordered,
// quiet".
#define COUNT \
	VMULPS     (SI)(AX*4), Z0, Z7; \
	VADDPS     Z1, Z7, Z7; \
	VADDPS     Z2, Z7, Z7; \
	VDIVPS     Z3, Z7, Z8; \
	VMAXPS     Z6, Z8, Z8; \
	VMINPS     Z5, Z8, Z8; \
	VCVTTPS2DQ Z8, Z9; \
	VCVTDQ2PS  Z9, Z8; \
	VMULPS     Z3, Z8, Z8; \
	VSUBPS     Z8, Z7, Z7; \
	VCMPPS     $29, Z4, Z7, K1; \
	VSUBPS     Z3, Z7, K1, Z7; \
	VPSUBD     Z10, Z9, K1, Z9; \
	VMOVUPS    Z7, (DX)(AX*4); \
	VPMOVDB    Z9, (DI)(AX*1)

// func spikeCountsAVX512(counts []uint8, residual, current []float32, p *TwoPhase)
TEXT ·spikeCountsAVX512(SB), NOSPLIT, $0-80
	VPTERNLOGD $0xff, Z10, Z10, Z10 // -1
	SPIKECOUNTS
