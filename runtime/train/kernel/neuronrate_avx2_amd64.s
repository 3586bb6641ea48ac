//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neuron_amd64.h"

// RATE loads 8 currents from o(SI) and makes Y0 them in thresholds and Y1 their
// rates. A minimum or maximum keeps a NaN in its last operand, which is written first.
// Rounding mode 9 is "down, no exception".
#define RATE(o) \
	VMOVUPS     o(SI)(AX*4), Y0; \
	VADDPS      o(R8)(R13*4), Y0, Y0; \
	VMULPS      o(R9)(R13*4), Y0, Y0; \
	VMULPS      Y10, Y0, Y1; \
	VADDPS      o(R10)(R13*4), Y1, Y1; \
	VROUNDPS    $9, Y1, Y1; \
	VMAXPS      Y1, Y14, Y1; \
	VMINPS      Y1, Y11, Y1; \
	VMULPS      Y12, Y1, Y1

#define RATESTART \
	MOVQ a+0(FP), BX; \
	FLUSH; \
	VBROADCASTSS rateArgs_steps(BX), Y10; \
	VBROADCASTSS rateArgs_most(BX), Y11; \
	VBROADCASTSS rateArgs_part(BX), Y12; \
	VBROADCASTSS rateArgs_top(BX), Y13; \
	VXORPS       Y14, Y14, Y14; \
	MOVQ rateArgs_x+0(BX), SI; \
	MOVQ rateArgs_out+0(BX), DI; \
	MOVQ rateArgs_bias+0(BX), R8; \
	MOVQ rateArgs_inverse+0(BX), R9; \
	MOVQ rateArgs_shift+0(BX), R10; \
	MOVQ rateArgs_gain+0(BX), R12; \
	XORQ AX, AX; \
	XORQ R13, R13

#define RATEFORWARD(o) \
	RATE(o); \
	VMULPS  o(R12)(R13*4), Y1, Y1; \
	VMOVUPS Y1, o(DI)(AX*4)

// func rateForwardAVX2(a *rateArgs, n int)
TEXT ·rateForwardAVX2(SB), NOSPLIT, $8-16
	RATESTART
	CMPQ AX, n+8(FP)
	JGE  done

loop:
	RATEFORWARD(0)
	RATEFORWARD(32)
	NEXT(16, rateArgs_gain+8(BX), loop)

done:
	UNFLUSH
	VZEROUPPER
	RET

// SUM adds to 8 sums at o of the period.
#define SUM(o, base, x, t) \
	VMOVUPS o(base)(R13*4), t; \
	VADDPS  x, t, t; \
	VMOVUPS t, o(base)(R13*4)

// Y4 is where the current is above 0 (22 is "not less or equal"), Y5 where it is below
// the top (17 is "less").
#define RATEBACK(o) \
	RATE(o); \
	VMOVUPS   o(DX)(AX*4), Y2; \
	VMULPS    Y15, Y2, Y2; \
	VCMPPS    $22, Y14, Y0, Y4; \
	VCMPPS    $17, Y13, Y0, Y5; \
	VSUBPS    Y0, Y1, Y1; \
	VBLENDVPS Y5, Y1, Y13, Y1; \
	VMULPS    Y1, Y2, Y1; \
	VANDPS    Y4, Y1, Y1; \
	VANDPS    Y5, Y4, Y4; \
	VANDPS    Y4, Y2, Y2; \
	VMOVUPS   Y2, o(DI)(AX*4); \
	SUM(o, R12, Y2, Y3); \
	SUM(o, R15, Y1, Y3)

// func rateBackwardAVX2(a *rateArgs, n int)
TEXT ·rateBackwardAVX2(SB), NOSPLIT, $8-16
	RATESTART
	VMOVUPS ONE, Y15
	MOVQ rateArgs_grad+0(BX), DX
	MOVQ rateArgs_sumBias+0(BX), R12
	MOVQ rateArgs_sumTheta+0(BX), R15
	CMPQ AX, n+8(FP)
	JGE  done

loop:
	RATEBACK(0)
	RATEBACK(32)
	NEXT(16, rateArgs_gain+8(BX), loop)

done:
	UNFLUSH
	VZEROUPPER
	RET

// func adamAVX2(p, g, m, v []float32, a *adamArgs)
TEXT ·adamAVX2(SB), NOSPLIT, $8-104
	MOVQ a+96(FP), BX
	FLUSH
	MOVQ p_base+0(FP), DI
	MOVQ p_len+8(FP), CX
	MOVQ g_base+24(FP), SI
	MOVQ m_base+48(FP), R8
	MOVQ v_base+72(FP), R9
	VBROADCASTSS adamArgs_scale(BX), Y4
	VBROADCASTSS adamArgs_keep1(BX), Y5
	VBROADCASTSS adamArgs_new1(BX), Y6
	VBROADCASTSS adamArgs_keep2(BX), Y7
	VBROADCASTSS adamArgs_new2(BX), Y8
	VBROADCASTSS adamArgs_root(BX), Y9
	VBROADCASTSS adamArgs_epsilon(BX), Y10
	VBROADCASTSS adamArgs_rate(BX), Y11
	VBROADCASTSS adamArgs_shrink(BX), Y12
	XORQ AX, AX
	JMP  test

loop:
	VMULPS  (SI)(AX*4), Y4, Y0
	VMULPS  (R8)(AX*4), Y5, Y1
	VMULPS  Y0, Y6, Y2
	VADDPS  Y2, Y1, Y1
	VMOVUPS Y1, (R8)(AX*4)
	VMULPS  (R9)(AX*4), Y7, Y3
	VMULPS  Y0, Y8, Y2
	VMULPS  Y0, Y2, Y2
	VADDPS  Y2, Y3, Y3
	VMOVUPS Y3, (R9)(AX*4)
	VSQRTPS Y3, Y3
	VMULPS  Y9, Y3, Y3
	VADDPS  Y10, Y3, Y3
	VDIVPS  Y3, Y1, Y1
	VMULPS  Y11, Y1, Y1
	VMULPS  (DI)(AX*4), Y12, Y2
	VSUBPS  Y1, Y2, Y2
	VMOVUPS Y2, (DI)(AX*4)
	ADDQ    $8, AX

test:
	CMPQ AX, CX
	JLT  loop
	UNFLUSH
	VZEROUPPER
	RET
