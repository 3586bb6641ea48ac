// The kernels of the rate stage and of Adam. EACH calls a macro with the offsets of COUNT
// vectors.

// RATE loads VL currents from o(SI) and makes V0 them in thresholds and V1 their
// rates. A minimum or maximum keeps a NaN in its last operand, which is written first.
// Rounding mode 9 is "down, no exception".
#define RATE(o) \
	VMOVUPS     o(SI)(AX*4), V0; \
	VADDPS      o(R8)(R13*4), V0, V0; \
	VMULPS      o(R9)(R13*4), V0, V0; \
	VMULPS      V10, V0, V1; \
	VADDPS      o(R10)(R13*4), V1, V1; \
	ROUND       $9, V1, V1; \
	VMAXPS      V1, V14, V1; \
	VMINPS      V1, V11, V1; \
	VMULPS      V12, V1, V1

#define RATESTART \
	MOVQ a+0(FP), BX; \
	FLUSH; \
	VBROADCASTSS rateArgs_steps(BX), V10; \
	VBROADCASTSS rateArgs_most(BX), V11; \
	VBROADCASTSS rateArgs_part(BX), V12; \
	VBROADCASTSS rateArgs_top(BX), V13; \
	CLEAR        V14, V14, V14; \
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
	VMULPS  o(R12)(R13*4), V1, V1; \
	VMOVUPS V1, o(DI)(AX*4)

#define RATEFORWARDS \
	RATESTART; \
	CMPQ AX, n+8(FP); \
	JGE  done; \
loop: \
	EACH(RATEFORWARD); \
	NEXT((COUNT*VL), rateArgs_gain+8(BX), loop); \
done: \
	UNFLUSH; \
	VZEROUPPER; \
	RET

// SUM adds to VL sums at o of the period.
#define SUM(o, base, x, t) \
	VMOVUPS o(base)(R13*4), t; \
	VADDPS  x, t, t; \
	VMOVUPS t, o(base)(R13*4)

#define RATEBACKS \
	RATESTART; \
	VBROADCASTSS ONE, V15; \
	MOVQ rateArgs_grad+0(BX), DX; \
	MOVQ rateArgs_sumBias+0(BX), R12; \
	MOVQ rateArgs_sumTheta+0(BX), R15; \
	CMPQ AX, n+8(FP); \
	JGE  done; \
loop: \
	EACH(RATEBACK); \
	NEXT((COUNT*VL), rateArgs_gain+8(BX), loop); \
done: \
	UNFLUSH; \
	VZEROUPPER; \
	RET

#define ADAM \
	MOVQ a+96(FP), BX; \
	FLUSH; \
	MOVQ p_base+0(FP), DI; \
	MOVQ p_len+8(FP), CX; \
	MOVQ g_base+24(FP), SI; \
	MOVQ m_base+48(FP), R8; \
	MOVQ v_base+72(FP), R9; \
	VBROADCASTSS adamArgs_scale(BX), V4; \
	VBROADCASTSS adamArgs_keep1(BX), V5; \
	VBROADCASTSS adamArgs_new1(BX), V6; \
	VBROADCASTSS adamArgs_keep2(BX), V7; \
	VBROADCASTSS adamArgs_new2(BX), V8; \
	VBROADCASTSS adamArgs_root(BX), V9; \
	VBROADCASTSS adamArgs_epsilon(BX), V10; \
	VBROADCASTSS adamArgs_rate(BX), V11; \
	VBROADCASTSS adamArgs_shrink(BX), V12; \
	XORQ AX, AX; \
	JMP  test; \
loop: \
	VMULPS  (SI)(AX*4), V4, V0; \
	VMULPS  (R8)(AX*4), V5, V1; \
	VMULPS  V0, V6, V2; \
	VADDPS  V2, V1, V1; \
	VMOVUPS V1, (R8)(AX*4); \
	VMULPS  (R9)(AX*4), V7, V3; \
	VMULPS  V0, V8, V2; \
	VMULPS  V0, V2, V2; \
	VADDPS  V2, V3, V3; \
	VMOVUPS V3, (R9)(AX*4); \
	VSQRTPS V3, V3; \
	VMULPS  V9, V3, V3; \
	VADDPS  V10, V3, V3; \
	VDIVPS  V3, V1, V1; \
	VMULPS  V11, V1, V1; \
	VMULPS  (DI)(AX*4), V12, V2; \
	VSUBPS  V1, V2, V2; \
	VMOVUPS V2, (DI)(AX*4); \
	ADDQ    $VL, AX; \
test: \
	CMPQ AX, CX; \
	JLT  loop; \
	UNFLUSH; \
	VZEROUPPER; \
	RET
