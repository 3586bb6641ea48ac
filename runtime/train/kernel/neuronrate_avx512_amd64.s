//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neuron_amd64.h"

// RATE loads 16 currents from o(SI) and makes Z0 them in thresholds and Z1 their
// rates. A minimum or maximum keeps a NaN in its last operand, which is written first.
// Rounding mode 9 is "down, no exception".
#define RATE(o) \
	VMOVUPS     o(SI)(AX*4), Z0; \
	VADDPS      o(R8)(R13*4), Z0, Z0; \
	VMULPS      o(R9)(R13*4), Z0, Z0; \
	VMULPS      Z24, Z0, Z1; \
	VADDPS      o(R10)(R13*4), Z1, Z1; \
	VRNDSCALEPS $9, Z1, Z1; \
	VMAXPS      Z1, Z28, Z1; \
	VMINPS      Z1, Z25, Z1; \
	VMULPS      Z26, Z1, Z1

#define RATESTART \
	MOVQ a+0(FP), BX; \
	FLUSH; \
	VBROADCASTSS rateArgs_steps(BX), Z24; \
	VBROADCASTSS rateArgs_most(BX), Z25; \
	VBROADCASTSS rateArgs_part(BX), Z26; \
	VBROADCASTSS rateArgs_top(BX), Z27; \
	VPXORD       Z28, Z28, Z28; \
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
	VMULPS  o(R12)(R13*4), Z1, Z1; \
	VMOVUPS Z1, o(DI)(AX*4)

// func rateForwardAVX512(a *rateArgs, n int)
TEXT ·rateForwardAVX512(SB), NOSPLIT, $8-16
	RATESTART
	CMPQ AX, n+8(FP)
	JGE  done

loop:
	RATEFORWARD(0)
	RATEFORWARD(64)
	RATEFORWARD(128)
	RATEFORWARD(192)
	NEXT(64, rateArgs_gain+8(BX), loop)

done:
	UNFLUSH
	VZEROUPPER
	RET

// SUM adds to 16 sums at o of the period.
#define SUM(o, base, x, t) \
	VMOVUPS o(base)(R13*4), t; \
	VADDPS  x, t, t; \
	VMOVUPS t, o(base)(R13*4)

// K1 is where the current is above 0 (22 is "not less or equal"), K2 where it is
// inside (17 is "less"), K3 where it is at the top or above (21 is "not less").
#define RATEBACK(o) \
	RATE(o); \
	VCMPPS    $22, Z28, Z0, K1; \
	VCMPPS    $17, Z27, Z0, K1, K2; \
	VCMPPS    $21, Z27, Z0, K1, K3; \
	VMOVUPS   o(DX)(AX*4), Z2; \
	VMULPS    Z29, Z2, Z2; \
	VSUBPS    Z0, Z1, Z1; \
	VMOVAPS   Z27, K3, Z1; \
	VMULPS.Z  Z1, Z2, K1, Z1; \
	VMOVAPS.Z Z2, K2, Z2; \
	VMOVUPS   Z2, o(DI)(AX*4); \
	SUM(o, R12, Z2, Z3); \
	SUM(o, R15, Z1, Z4)

// func rateBackwardAVX512(a *rateArgs, n int)
TEXT ·rateBackwardAVX512(SB), NOSPLIT, $8-16
	RATESTART
	VBROADCASTSS ONE, Z29
	MOVQ rateArgs_grad+0(BX), DX
	MOVQ rateArgs_sumBias+0(BX), R12
	MOVQ rateArgs_sumTheta+0(BX), R15
	CMPQ AX, n+8(FP)
	JGE  done

loop:
	RATEBACK(0)
	RATEBACK(64)
	RATEBACK(128)
	RATEBACK(192)
	NEXT(64, rateArgs_gain+8(BX), loop)

done:
	UNFLUSH
	VZEROUPPER
	RET

// func adamAVX512(p, g, m, v []float32, a *adamArgs)
TEXT ·adamAVX512(SB), NOSPLIT, $8-104
	MOVQ a+96(FP), BX
	FLUSH
	MOVQ p_base+0(FP), DI
	MOVQ p_len+8(FP), CX
	MOVQ g_base+24(FP), SI
	MOVQ m_base+48(FP), R8
	MOVQ v_base+72(FP), R9
	VBROADCASTSS adamArgs_scale(BX), Z16
	VBROADCASTSS adamArgs_keep1(BX), Z17
	VBROADCASTSS adamArgs_new1(BX), Z18
	VBROADCASTSS adamArgs_keep2(BX), Z19
	VBROADCASTSS adamArgs_new2(BX), Z20
	VBROADCASTSS adamArgs_root(BX), Z21
	VBROADCASTSS adamArgs_epsilon(BX), Z22
	VBROADCASTSS adamArgs_rate(BX), Z23
	VBROADCASTSS adamArgs_shrink(BX), Z24
	XORQ AX, AX
	JMP  test

loop:
	VMULPS  (SI)(AX*4), Z16, Z0
	VMULPS  (R8)(AX*4), Z17, Z1
	VMULPS  Z0, Z18, Z2
	VADDPS  Z2, Z1, Z1
	VMOVUPS Z1, (R8)(AX*4)
	VMULPS  (R9)(AX*4), Z19, Z3
	VMULPS  Z0, Z20, Z2
	VMULPS  Z0, Z2, Z2
	VADDPS  Z2, Z3, Z3
	VMOVUPS Z3, (R9)(AX*4)
	VSQRTPS Z3, Z3
	VMULPS  Z21, Z3, Z3
	VADDPS  Z22, Z3, Z3
	VDIVPS  Z3, Z1, Z1
	VMULPS  Z23, Z1, Z1
	VMULPS  (DI)(AX*4), Z24, Z2
	VSUBPS  Z1, Z2, Z2
	VMOVUPS Z2, (DI)(AX*4)
	ADDQ    $16, AX

test:
	CMPQ AX, CX
	JLT  loop
	UNFLUSH
	VZEROUPPER
	RET
