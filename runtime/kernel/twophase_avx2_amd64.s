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

// UNPACK3 interleaves the rows X0 to X7: X8 to X15 then hold two elements each.
#define UNPACK3 \
	VPUNPCKLBW X1, X0, X8; VPUNPCKHBW X1, X0, X9; \
	VPUNPCKLBW X3, X2, X10; VPUNPCKHBW X3, X2, X11; \
	VPUNPCKLBW X5, X4, X12; VPUNPCKHBW X5, X4, X13; \
	VPUNPCKLBW X7, X6, X14; VPUNPCKHBW X7, X6, X15; \
	VPUNPCKLWD X10, X8, X0; VPUNPCKHWD X10, X8, X1; \
	VPUNPCKLWD X11, X9, X2; VPUNPCKHWD X11, X9, X3; \
	VPUNPCKLWD X14, X12, X4; VPUNPCKHWD X14, X12, X5; \
	VPUNPCKLWD X15, X13, X6; VPUNPCKHWD X15, X13, X7; \
	VPUNPCKLDQ X4, X0, X8; VPUNPCKHDQ X4, X0, X9; \
	VPUNPCKLDQ X5, X1, X10; VPUNPCKHDQ X5, X1, X11; \
	VPUNPCKLDQ X6, X2, X12; VPUNPCKHDQ X6, X2, X13; \
	VPUNPCKLDQ X7, X3, X14; VPUNPCKHDQ X7, X3, X15

#define PUT2(x) \
	VMOVQ   x, (DI); \
	VMOVHPS x, (DI)(DX*1); \
	LEAQ    (DI)(DX*2), DI

// func interleave8AVX2(dst, planes []uint8, c, n, count int)
TEXT ·interleave8AVX2(SB), NOSPLIT, $0-72
	MOVQ dst_base+0(FP), DI
	MOVQ planes_base+24(FP), SI
	MOVQ c+48(FP), DX
	MOVQ n+56(FP), BX
	MOVQ count+64(FP), CX
	LEAQ (BX)(BX*2), R9
	LEAQ (SI)(BX*4), R8
	JMP  test
loop:
	VMOVDQU (SI), X0
	VMOVDQU (SI)(BX*1), X1
	VMOVDQU (SI)(BX*2), X2
	VMOVDQU (SI)(R9*1), X3
	VMOVDQU (R8), X4
	VMOVDQU (R8)(BX*1), X5
	VMOVDQU (R8)(BX*2), X6
	VMOVDQU (R8)(R9*1), X7
	UNPACK3
	PUT2(X8)
	PUT2(X9)
	PUT2(X10)
	PUT2(X11)
	PUT2(X12)
	PUT2(X13)
	PUT2(X14)
	PUT2(X15)
	ADDQ $16, SI
	ADDQ $16, R8
	SUBQ $16, CX
test:
	TESTQ CX, CX
	JNZ   loop
	VZEROUPPER
	RET
