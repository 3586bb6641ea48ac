//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neuron_amd64.h"

// 29 is "greater or equal, ordered, quiet". All sums are rounded as in IFSTEP.
#define INTEGRATE(o, v, theta, bias, level, count, k) \
	VADDPS  o(SI), bias, Z21; \
	VADDPS  Z21, v, v; \
	VMOVUPS v, o(DI); \
	VCMPPS  $29, level, v, k; \
	VSUBPS  theta, v, k, v; \
	VADDPS  Z20, count, k, count

#define EMIT(o, theta, k) \
	VMOVUPS.Z theta, k, Z21; \
	VMOVUPS   Z21, o(R12)

// LOAD4 loads four vectors from position i of an array.
#define LOAD4(base, i, a, b, c, d) \
	VMOVUPS (base)(i*4), a; \
	VMOVUPS 64(base)(i*4), b; \
	VMOVUPS 128(base)(i*4), c; \
	VMOVUPS 192(base)(i*4), d

#define STORE4(base, i, a, b, c, d) \
	VMOVUPS a, (base)(i*4); \
	VMOVUPS b, 64(base)(i*4); \
	VMOVUPS c, 128(base)(i*4); \
	VMOVUPS d, 192(base)(i*4)

// A block of 64 neurons goes through all steps in registers: v, threshold, bias,
// firing level and count of spikes in four each.
//
// func neuronForwardAVX512(a *neuronForward, n int)
TEXT ·neuronForwardAVX512(SB), NOSPLIT, $0-16
	MOVQ a+0(FP), BX
	VBROADCASTSS ·neuronConstants+0(SB), Z20
	MOVQ neuronForward_currentStep(BX), DX
	SHLQ $2, DX
	MOVQ neuronForward_size(BX), R8
	SHLQ $2, R8
	MOVQ neuronForward_words(BX), R10
	SHLQ $3, R10
	XORQ AX, AX
	XORQ R13, R13
	CMPQ AX, n+8(FP)
	JGE  done

block:
	MOVQ neuronForward_rest+0(BX), CX
	LOAD4(CX, R13, Z0, Z1, Z2, Z3)
	MOVQ neuronForward_theta+0(BX), CX
	LOAD4(CX, R13, Z4, Z5, Z6, Z7)
	MOVQ neuronForward_bias+0(BX), CX
	LOAD4(CX, R13, Z8, Z9, Z10, Z11)
	VMOVAPS Z4, Z12
	VMOVAPS Z5, Z13
	VMOVAPS Z6, Z14
	VMOVAPS Z7, Z15
	VPXORD Z16, Z16, Z16
	VPXORD Z17, Z17, Z17
	VPXORD Z18, Z18, Z18
	VPXORD Z19, Z19, Z19
	MOVQ neuronForward_current+0(BX), SI
	LEAQ (SI)(AX*4), SI
	MOVQ neuronForward_u+0(BX), DI
	LEAQ (DI)(AX*4), DI
	MOVQ AX, CX
	SHRQ $3, CX
	MOVQ neuronForward_spikes+0(BX), R9
	ADDQ CX, R9
	MOVQ neuronForward_amplitude+0(BX), R12
	TESTQ R12, R12
	JEQ  start
	LEAQ (R12)(AX*4), R12

start:
	MOVQ neuronForward_main(BX), R11
	MOVQ neuronForward_slices(BX), R15
	SUBQ R11, R15

step:
	INTEGRATE(0, Z0, Z4, Z8, Z12, Z16, K1)
	INTEGRATE(64, Z1, Z5, Z9, Z13, Z17, K2)
	INTEGRATE(128, Z2, Z6, Z10, Z14, Z18, K3)
	INTEGRATE(192, Z3, Z7, Z11, Z15, Z19, K4)
	KMOVW K1, 0(R9)
	KMOVW K2, 2(R9)
	KMOVW K3, 4(R9)
	KMOVW K4, 6(R9)

	// The next block's: eleven slices are more than the CPU foresees.
	PREFETCHT0 256(SI)
	PREFETCHT0 320(SI)
	PREFETCHT0 384(SI)
	PREFETCHT0 448(SI)
	PREFETCHT0 256(DI)
	PREFETCHT0 320(DI)
	PREFETCHT0 384(DI)
	PREFETCHT0 448(DI)
	ADDQ DX, SI
	ADDQ R8, DI
	ADDQ R10, R9
	TESTQ R12, R12
	JEQ  stepped
	EMIT(0, Z4, K1)
	EMIT(64, Z5, K2)
	EMIT(128, Z6, K3)
	EMIT(192, Z7, K4)
	ADDQ R8, R12

stepped:
	DECQ R11
	JNE  step
	TESTQ R15, R15
	JEQ  last

	// The post step: no bias, another level.
	MOVQ R15, R11
	XORQ R15, R15
	MOVQ neuronForward_fire+0(BX), CX
	LOAD4(CX, R13, Z12, Z13, Z14, Z15)
	VPXORD Z8, Z8, Z8
	VPXORD Z9, Z9, Z9
	VPXORD Z10, Z10, Z10
	VPXORD Z11, Z11, Z11
	MOVQ neuronForward_postMove(BX), CX
	IMULQ AX, CX
	MOVQ neuronForward_post+0(BX), SI
	LEAQ (SI)(CX*4), SI
	JMP  step

last:
	MOVQ neuronForward_counts+0(BX), CX
	TESTQ CX, CX
	JEQ  residual
	STORE4(CX, AX, Z16, Z17, Z18, Z19)

residual:
	MOVQ neuronForward_residual+0(BX), CX
	TESTQ CX, CX
	JEQ  next
	STORE4(CX, AX, Z0, Z1, Z2, Z3)

next:
	NEXT(64, neuronForward_theta+8(BX), block)

done:
	VZEROUPPER
	RET

// The surrogates turn x in Z18 into theirs: Z24 is the scale, Z25 the height, Z26
// 3*2^22, Z27 1, Z28 the farthest h, Z29 c6, Z30 0, Z31 the sign-free bits. A minimum
// or maximum keeps a NaN in its last operand, which is written first.
#define SIGMOID \
	VANDPS      Z31, Z18, Z18; \
	VMULPS      Z24, Z18, Z18; \
	VMINPS      Z18, Z28, Z18; \
	VSUBPS      Z18, Z26, Z19; \
	VSUBPS      Z26, Z19, Z20; \
	VADDPS      Z18, Z20, Z20; \
	VMULPS      Z20, Z20, Z21; \
	VMULPS.BCST C5, Z20, Z22; \
	VADDPS.BCST C4, Z22, Z22; \
	VMULPS      Z29, Z21, Z18; \
	VADDPS      Z22, Z18, Z18; \
	VMULPS.BCST C3, Z20, Z22; \
	VADDPS.BCST C2, Z22, Z22; \
	VMULPS      Z21, Z18, Z18; \
	VADDPS      Z22, Z18, Z18; \
	VMULPS.BCST C1, Z20, Z22; \
	VADDPS      Z27, Z22, Z22; \
	VMULPS      Z21, Z18, Z18; \
	VADDPS      Z22, Z18, Z18; \
	VPSLLD      $23, Z19, Z19; \
	VPADDD      Z19, Z18, Z18; \
	VADDPS      Z27, Z18, Z19; \
	VMULPS      Z19, Z19, Z19; \
	VDIVPS      Z19, Z18, Z18; \
	VMULPS      Z25, Z18, Z18

#define TRIANGLE \
	VANDPS Z31, Z18, Z18; \
	VMULPS Z24, Z18, Z18; \
	VSUBPS Z18, Z27, Z18; \
	VMAXPS Z18, Z30, Z18; \
	VMULPS Z25, Z18, Z18

#define ARCTAN \
	VMULPS Z24, Z18, Z18; \
	VMULPS Z18, Z18, Z18; \
	VADDPS Z27, Z18, Z18; \
	VDIVPS Z18, Z25, Z18

// BACK goes back one step for 16 neurons: u is at o(SI), the amplitude's gradient at
// o(DX). Z16 becomes u in thresholds, K1 the spikes (21 is "not less, unordered,
// quiet"), K3 is all lanes when the reset is attached. triangle, arctan, done, main
// are labels.
#define BACK(o, gv, theta, bias, gain, inverse, center, common, level, triangle, arctan, done, main, next) \
	VMOVUPS     o(SI), Z16; \
	VCMPPS      $21, level, Z16, K1; \
	VMULPS      inverse, Z16, Z16; \
	VSUBPS      center, Z16, Z18; \
	CMPQ        R12, $1; \
	JEQ         triangle; \
	JGT         arctan; \
	SIGMOID; \
	JMP         done; \
triangle: \
	TRIANGLE; \
	JMP         done; \
arctan: \
	ARCTAN; \
done: \
	VCMPPS.BCST $21, LEAST, Z18, K2; \
	VMOVUPS     o(DX), Z20; \
	VSUBPS      gv, Z20, Z22; \
	VMOVAPS     Z22, K3, Z20; \
	VADDPS      common, Z20, Z20; \
	VMULPS.Z    Z18, Z20, K2, Z20; \
	CMPQ        R11, R10; \
	JLT         main; \
	VMULPS      gain, Z20, Z23; \
	VMOVUPS     o(R15)(R13*4), Z21; \
	VSUBPS      Z23, Z21, Z21; \
	VMOVUPS     Z21, o(R15)(R13*4); \
main: \
	VMULPS      Z20, Z16, Z16; \
	VSUBPS      Z16, theta, theta; \
	VADDPS      Z22, theta, K1, theta; \
	VADDPS      Z20, gv, gv; \
	CMPQ        R11, R10; \
	JGE         next; \
	VADDPS      gv, bias, bias; \
next:

#define LOAD2(base, i, a, b) \
	VMOVUPS (base)(i*4), a; \
	VMOVUPS 64(base)(i*4), b

// ADD2 adds two vectors to an array.
#define ADD2(base, i, a, b) \
	VMOVUPS (base)(i*4), Z16; \
	VADDPS  a, Z16, Z16; \
	VMOVUPS Z16, (base)(i*4); \
	VMOVUPS 64(base)(i*4), Z17; \
	VADDPS  b, Z17, Z17; \
	VMOVUPS Z17, 64(base)(i*4)

// A block of 32 neurons goes back through all steps in registers: in two each, Z0 gv,
// Z2 and Z4 the gradients of threshold and bias, Z6 gain, Z8 inverse, Z10 centre, Z12
// what is common to the steps, Z14 level. R11 is the step.
//
// func neuronBackwardAVX512(a *neuronBackward, n int)
TEXT ·neuronBackwardAVX512(SB), NOSPLIT, $8-16
	MOVQ a+0(FP), BX
	FLUSH
	VBROADCASTSS neuronBackward_scale(BX), Z24
	VBROADCASTSS neuronBackward_height(BX), Z25
	VBROADCASTSS ROUNDING, Z26
	VBROADCASTSS ONE, Z27
	VBROADCASTSS FARTHEST, Z28
	VBROADCASTSS C6, Z29
	VPXORD Z30, Z30, Z30
	VPTERNLOGD $255, Z31, Z31, Z31
	VPSRLD $1, Z31, Z31
	KXNORW K3, K3, K3
	CMPQ neuronBackward_detach(BX), $0
	JEQ  attached
	KXORW K3, K3, K3

attached:
	MOVQ neuronBackward_size(BX), R8
	SHLQ $2, R8
	MOVQ neuronBackward_amplitudeStep(BX), R9
	SHLQ $2, R9
	MOVQ neuronBackward_main(BX), R10
	MOVQ neuronBackward_surrogate(BX), R12
	MOVQ neuronBackward_sumAlpha+0(BX), R15
	XORQ AX, AX
	XORQ R13, R13
	CMPQ AX, n+8(FP)
	JGE  done

block:
	MOVQ neuronBackward_residual+0(BX), CX
	MOVQ neuronBackward_residualMove(BX), DX
	IMULQ AX, DX
	LOAD2(CX, DX, Z0, Z1)
	VMULPS Z27, Z0, Z0
	VMULPS Z27, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	VPXORD Z4, Z4, Z4
	VPXORD Z5, Z5, Z5
	MOVQ neuronBackward_gain+0(BX), CX
	LOAD2(CX, R13, Z6, Z7)
	MOVQ neuronBackward_inverse+0(BX), CX
	LOAD2(CX, R13, Z8, Z9)
	MOVQ neuronBackward_spike+0(BX), CX
	LOAD2(CX, R13, Z12, Z13)
	MOVQ neuronBackward_counts+0(BX), CX
	MOVQ neuronBackward_countsMove(BX), DX
	IMULQ AX, DX
	VADDPS (CX)(DX*4), Z12, Z12
	VADDPS 64(CX)(DX*4), Z13, Z13
	VMULPS Z8, Z12, Z12
	VMULPS Z9, Z13, Z13

	// To the last slice.
	MOVQ neuronBackward_slices(BX), R11
	DECQ R11
	MOVQ R8, CX
	IMULQ R11, CX
	LEAQ (CX)(AX*4), CX
	MOVQ neuronBackward_u+0(BX), SI
	ADDQ CX, SI
	MOVQ neuronBackward_current+0(BX), DI
	ADDQ CX, DI
	MOVQ neuronBackward_amplitudeMove(BX), DX
	IMULQ AX, DX
	MOVQ R9, CX
	IMULQ R11, CX
	LEAQ (CX)(DX*4), DX
	ADDQ neuronBackward_amplitude+0(BX), DX
	CMPQ R11, R10
	JLT  mains
	MOVQ neuronBackward_postCenter+0(BX), CX
	LOAD2(CX, R13, Z10, Z11)
	MOVQ neuronBackward_postLevel+0(BX), CX
	LOAD2(CX, R13, Z14, Z15)
	JMP  step

mains:
	MOVQ neuronBackward_center+0(BX), CX
	LOAD2(CX, R13, Z10, Z11)
	MOVQ neuronBackward_level+0(BX), CX
	LOAD2(CX, R13, Z14, Z15)

step:
	BACK(0, Z0, Z2, Z4, Z6, Z8, Z10, Z12, Z14, triangle0, arctan0, done0, main0, next0)
	BACK(64, Z1, Z3, Z5, Z7, Z9, Z11, Z13, Z15, triangle1, arctan1, done1, main1, next1)
	CMPQ neuronBackward_steady(BX), $0
	JNE  stored
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	PREFETCHT0 128(DI)
	PREFETCHT0 192(DI)

stored:
	// The next block's, as forward.
	PREFETCHT0 128(SI)
	PREFETCHT0 192(SI)
	PREFETCHT0 128(DX)
	PREFETCHT0 192(DX)
	SUBQ R8, SI
	SUBQ R8, DI
	SUBQ R9, DX
	DECQ R11
	JLT  first
	LEAQ 1(R11), CX
	CMPQ CX, R10
	JEQ  mains
	JMP  step

first:
	CMPQ neuronBackward_steady(BX), $0
	JEQ  sums
	MOVQ neuronBackward_current+0(BX), DI
	VMOVUPS Z4, (DI)(AX*4)
	VMOVUPS Z5, 64(DI)(AX*4)

sums:
	MOVQ neuronBackward_sumBias+0(BX), CX
	ADD2(CX, R13, Z4, Z5)
	MOVQ neuronBackward_sumTheta+0(BX), CX
	ADD2(CX, R13, Z2, Z3)
	MOVQ neuronBackward_sumRest+0(BX), CX
	ADD2(CX, R13, Z0, Z1)
	NEXT(32, neuronBackward_gain+8(BX), block)

done:
	UNFLUSH
	VZEROUPPER
	RET
