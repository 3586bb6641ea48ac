// The steps of neurons forwards and backwards. A file that includes this defines what
// differs by the number of registers: where numbers of the period are, and masks.

// AT makes p the address of element i of an array.
#define AT(array, i, p) \
	MOVQ array(BX), p; \
	LEAQ (p)(i*4), p

// MOVED makes p the address of element AX of an array that may not move.
#define MOVED(array, move, p, t) \
	MOVQ  move(BX), t; \
	IMULQ AX, t; \
	AT(array, t, p)

#define LOAD2(p, a, b) \
	VMOVUPS (p), a; \
	VMOVUPS VB(p), b

#define STORE2(p, a, b) \
	VMOVUPS a, (p); \
	VMOVUPS b, VB(p)

#define LOAD4(p, a, b, c, d) \
	LOAD2(p, a, b); \
	VMOVUPS (2*VB)(p), c; \
	VMOVUPS (3*VB)(p), d

#define STORE4(p, a, b, c, d) \
	STORE2(p, a, b); \
	VMOVUPS c, (2*VB)(p); \
	VMOVUPS d, (3*VB)(p)

// A block of four vectors of neurons goes through all steps, potentials in V0 to V3 and
// counts in N0 to N3. INTEGRATES advances them by a step, with currents at SI, potentials
// to DI, spikes to R9 and amplitudes to R12, where that is not 0, which it moves on.
// MAINS readies bias, threshold and level of main steps, POSTS those of the post step.
// DX and R8 are the bytes from step to step of currents and of the rest.
#define FORWARD \
	MOVQ a+0(FP), BX; \
	ONES; \
	MOVQ neuronForward_size(BX), R8; \
	SHLQ $2, R8; \
	MOVQ neuronForward_words(BX), R10; \
	SHLQ $3, R10; \
	XORQ AX, AX; \
	XORQ R13, R13; \
	CMPQ AX, n+8(FP); \
	JGE  done; \
block: \
	AT(neuronForward_v0+0, R13, CX); \
	LOAD4(CX, V0, V1, V2, V3); \
	MAINS; \
	CLEAR N0, N0, N0; \
	CLEAR N1, N1, N1; \
	CLEAR N2, N2, N2; \
	CLEAR N3, N3, N3; \
	AT(neuronForward_current+0, AX, SI); \
	AT(neuronForward_u+0, AX, DI); \
	MOVQ AX, R9; \
	SHRQ $3, R9; \
	ADDQ neuronForward_spikes+0(BX), R9; \
	MOVQ neuronForward_amplitude+0(BX), R12; \
	TESTQ R12, R12; \
	JEQ  start; \
	LEAQ (R12)(AX*4), R12; \
start: \
	MOVQ neuronForward_currentStep(BX), DX; \
	SHLQ $2, DX; \
	MOVQ neuronForward_slices(BX), R11; \
	SUBQ neuronForward_main(BX), R11; \
	MOVQ R11, posts-16(SP); \
	MOVQ neuronForward_main(BX), R11; \
	MOVQ R11, left-8(SP); \
step: \
	INTEGRATES; \
	/* The next block's: eleven slices are more than the CPU foresees. */ \
	PREFETCH4(SI); \
	PREFETCH4(DI); \
	ADDQ DX, SI; \
	ADDQ R8, DI; \
	ADDQ R10, R9; \
	DECQ left-8(SP); \
	JNE  step; \
	MOVQ posts-16(SP), R11; \
	TESTQ R11, R11; \
	JEQ  last; \
	MOVQ R11, left-8(SP); \
	MOVQ $0, posts-16(SP); \
	POSTS; \
	MOVED(neuronForward_post+0, neuronForward_postMove, SI, DX); \
	JMP  step; \
last: \
	MOVQ neuronForward_counts+0(BX), CX; \
	TESTQ CX, CX; \
	JEQ  residual; \
	LEAQ (CX)(AX*4), CX; \
	STORE4(CX, N0, N1, N2, N3); \
residual: \
	MOVQ neuronForward_residual+0(BX), CX; \
	TESTQ CX, CX; \
	JEQ  next; \
	LEAQ (CX)(AX*4), CX; \
	STORE4(CX, V0, V1, V2, V3); \
next: \
	NEXT((4*VL), neuronForward_theta+8(BX), block); \
done: \
	VZEROUPPER; \
	RET

// The surrogates turn X into theirs, by SCALE, HEIGHT and ROUNDS, 3*2^22. UNIT is 1. A
// minimum or maximum keeps a NaN in its last operand, which is written first.
#define SIGMOID \
	ABS; \
	VMULPS  SCALE, X, X; \
	VMOVUPS FARTHEST, T0; \
	VMINPS  X, T0, X; \
	VSUBPS  X, ROUNDS, T0; \
	VSUBPS  ROUNDS, T0, T1; \
	VADDPS  X, T1, T1; \
	VMULPS  T1, T1, T3; \
	VMULPS  C5, T1, T2; \
	VADDPS  C4, T2, T2; \
	VMULPS  C6, T3, X; \
	VADDPS  T2, X, X; \
	VMULPS  C3, T1, T2; \
	VADDPS  C2, T2, T2; \
	VMULPS  T3, X, X; \
	VADDPS  T2, X, X; \
	VMULPS  C1, T1, T2; \
	VADDPS  UNIT, T2, T2; \
	VMULPS  T3, X, X; \
	VADDPS  T2, X, X; \
	VPSLLD  $23, T0, T0; \
	VPADDD  T0, X, X; \
	VADDPS  UNIT, X, T0; \
	VMULPS  T0, T0, T0; \
	VDIVPS  T0, X, X; \
	VMULPS  HEIGHT, X, X

#define TRIANGLE \
	ABS; \
	VMULPS  SCALE, X, X; \
	VMOVUPS UNIT, T0; \
	VSUBPS  X, T0, X; \
	CLEAR   T0, T0, T0; \
	VMAXPS  X, T0, X; \
	VMULPS  HEIGHT, X, X

#define ARCTAN \
	VMULPS SCALE, X, X; \
	VMULPS X, X, X; \
	VADDPS UNIT, X, X; \
	VDIVPS X, HEIGHT, X

// BACK goes back one step for a vector of neurons: u is at o(SI), the amplitude's
// gradient at o(DX). U becomes u in thresholds. DETACHED is the sum of T0, the gradient
// by the amplitude, and, with an attached reset, that by the reset; T1 is the attached one
// in any case. The last five are labels.
#define BACK(o, gv, theta, bias, gain, inverse, center, common, level, triangle, arctan, done, main, next) \
	VMOVUPS o(SI), U; \
	FIRED(level); \
	VMULPS  inverse, U, U; \
	VSUBPS  center, U, X; \
	CMPQ    SURROGATE, $1; \
	JEQ     triangle; \
	JGT     arctan; \
	SIGMOID; \
	JMP     done; \
triangle: \
	TRIANGLE; \
	JMP     done; \
arctan: \
	ARCTAN; \
done: \
	VMOVUPS o(DX), T0; \
	VSUBPS  gv, T0, T1; \
	DETACHED(gv); \
	VADDPS  common, T0, T0; \
	NOTLEAST; \
	CMPQ    R11, MAIN; \
	JLT     main; \
	VMULPS  gain, T0, T3; \
	MOVQ    neuronBackward_sumAlpha+0(BX), CX; \
	VMOVUPS o(CX)(R13*4), X; \
	VSUBPS  T3, X, X; \
	VMOVUPS X, o(CX)(R13*4); \
main: \
	VMULPS  T0, U, U; \
	VSUBPS  U, theta, theta; \
	ADDFIRED(o, level, theta); \
	VADDPS  T0, gv, gv; \
	CMPQ    R11, MAIN; \
	JGE     next; \
	VADDPS  gv, bias, bias; \
next:

// ADD2 adds two vectors to an array of the period.
#define ADD2(array, a, b) \
	AT(array, R13, CX); \
	VADDPS (CX), a, T0; \
	VADDPS VB(CX), b, T1; \
	STORE2(CX, T0, T1)

// A block of two vectors goes back through all steps: in V0 and V1 gv, from V2 and V4 on
// the gradients of threshold and bias. R11 is the step. READY readies constants, PARAMS
// the gain, the inverse and what is common to the steps, LEVELS centre and level. BACKS is
// BACK of both vectors.
#define BACKWARD \
	MOVQ a+0(FP), BX; \
	FLUSH; \
	VBROADCASTSS neuronBackward_scale(BX), SCALE; \
	VBROADCASTSS neuronBackward_height(BX), HEIGHT; \
	VBROADCASTSS ROUNDING, ROUNDS; \
	READY; \
	MOVQ neuronBackward_size(BX), R8; \
	SHLQ $2, R8; \
	MOVQ neuronBackward_amplitudeStep(BX), R9; \
	SHLQ $2, R9; \
	XORQ AX, AX; \
	XORQ R13, R13; \
	CMPQ AX, n+8(FP); \
	JGE  done; \
block: \
	MOVED(neuronBackward_counts+0, neuronBackward_countsMove, DX, CX); \
	AT(neuronBackward_spike+0, R13, CX); \
	PARAMS; \
	MOVED(neuronBackward_residual+0, neuronBackward_residualMove, CX, DX); \
	VMOVUPS UNIT, V1; \
	VMULPS (CX), V1, V0; \
	VMULPS VB(CX), V1, V1; \
	CLEAR V2, V2, V2; \
	CLEAR V3, V3, V3; \
	CLEAR V4, V4, V4; \
	CLEAR V5, V5, V5; \
	/* To the last slice. */ \
	MOVQ neuronBackward_slices(BX), R11; \
	DECQ R11; \
	MOVQ R8, CX; \
	IMULQ R11, CX; \
	LEAQ (CX)(AX*4), CX; \
	MOVQ neuronBackward_u+0(BX), SI; \
	ADDQ CX, SI; \
	MOVQ neuronBackward_current+0(BX), DI; \
	ADDQ CX, DI; \
	MOVED(neuronBackward_amplitude+0, neuronBackward_amplitudeMove, DX, CX); \
	MOVQ R9, CX; \
	IMULQ R11, CX; \
	ADDQ CX, DX; \
	CMPQ R11, MAIN; \
	JLT  mains; \
	LEVELS(neuronBackward_postCenter+0, neuronBackward_postLevel+0); \
	JMP  step; \
mains: \
	LEVELS(neuronBackward_center+0, neuronBackward_level+0); \
step: \
	BACKS; \
	CMPQ neuronBackward_steady(BX), $0; \
	JNE  stored; \
	STORE2(DI, V0, V1); \
	PREFETCH2(DI); \
stored: \
	PREFETCH2(SI); \
	PREFETCH2(DX); \
	SUBQ R8, SI; \
	SUBQ R8, DI; \
	SUBQ R9, DX; \
	DECQ R11; \
	JLT  first; \
	LEAQ 1(R11), CX; \
	CMPQ CX, MAIN; \
	JEQ  mains; \
	JMP  step; \
first: \
	CMPQ neuronBackward_steady(BX), $0; \
	JEQ  sums; \
	AT(neuronBackward_current+0, AX, DI); \
	STORE2(DI, V4, V5); \
sums: \
	ADD2(neuronBackward_sumBias+0, V4, V5); \
	ADD2(neuronBackward_sumTheta+0, V2, V3); \
	ADD2(neuronBackward_sumV0+0, V0, V1); \
	NEXT((2*VL), neuronBackward_gain+8(BX), block); \
done: \
	UNFLUSH; \
	VZEROUPPER; \
	RET

// ADDSPIKES adds ones by EACH(ADDWORD), which takes vector i of the word of spikes at SI,
// also in R8.
#define ADDSPIKES \
	MOVQ dst_base+0(FP), DI; \
	MOVQ dst_len+8(FP), CX; \
	MOVQ spikes_base+24(FP), SI; \
	ONES; \
	XORQ AX, AX; \
	JMP  test; \
loop: \
	MOVQ (SI), R8; \
	EACH(ADDWORD); \
	ADDQ $8, SI; \
	ADDQ $64, AX; \
test: \
	CMPQ AX, CX; \
	JLT  loop; \
	VZEROUPPER; \
	RET
