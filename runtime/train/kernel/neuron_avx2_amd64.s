//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neuron_amd64.h"

// INTEGRATE advances 8 neurons, v in a register, the rest in memory: the bias at
// o(CX), the threshold at o(R14), the level at o(R15), R9's next byte their spikes. 29
// is "greater or equal, ordered, quiet". A neuron that does not fire has +0 subtracted.
#define INTEGRATE(o, v, count, k) \
	VMOVUPS   o(SI), Y8; \
	VADDPS    o(CX), Y8, Y8; \
	VADDPS    Y8, v, v; \
	VMOVUPS   v, o(DI); \
	VCMPPS    $29, o(R15), v, Y9; \
	VANDPS    o(R14), Y9, Y10; \
	VSUBPS    Y10, v, v; \
	VANDPS    Y15, Y9, Y8; \
	VADDPS    Y8, count, count; \
	VMOVMSKPS Y9, R11; \
	MOVB      R11, k(R9); \
	TESTQ     R12, R12

#define LOAD4(base, i, a, b, c, d) \
	VMOVUPS (base)(i*4), a; \
	VMOVUPS 32(base)(i*4), b; \
	VMOVUPS 64(base)(i*4), c; \
	VMOVUPS 96(base)(i*4), d

#define STORE4(base, i, a, b, c, d) \
	VMOVUPS a, (base)(i*4); \
	VMOVUPS b, 32(base)(i*4); \
	VMOVUPS c, 64(base)(i*4); \
	VMOVUPS d, 96(base)(i*4)

// A block of 32 neurons goes through all steps, potentials and counts in registers.
//
// func neuronForwardAVX2(a *neuronForward, n int)
TEXT ·neuronForwardAVX2(SB), NOSPLIT, $8-16
	MOVQ a+0(FP), BX
	VMOVUPS ONE, Y15
	MOVQ neuronForward_size(BX), R8
	SHLQ $2, R8
	XORQ AX, AX
	XORQ R13, R13
	CMPQ AX, n+8(FP)
	JGE  done

block:
	MOVQ neuronForward_rest+0(BX), CX
	LOAD4(CX, R13, Y0, Y1, Y2, Y3)
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	VXORPS Y6, Y6, Y6
	VXORPS Y7, Y7, Y7
	MOVQ neuronForward_bias+0(BX), CX
	LEAQ (CX)(R13*4), CX
	MOVQ neuronForward_theta+0(BX), R14
	LEAQ (R14)(R13*4), R14
	MOVQ R14, R15
	MOVQ neuronForward_current+0(BX), SI
	LEAQ (SI)(AX*4), SI
	MOVQ neuronForward_u+0(BX), DI
	LEAQ (DI)(AX*4), DI
	MOVQ AX, DX
	SHRQ $3, DX
	MOVQ neuronForward_spikes+0(BX), R9
	ADDQ DX, R9
	MOVQ neuronForward_amplitude+0(BX), R12
	TESTQ R12, R12
	JEQ  start
	LEAQ (R12)(AX*4), R12

start:
	MOVQ neuronForward_currentStep(BX), DX
	SHLQ $2, DX
	MOVQ neuronForward_words(BX), R10
	SHLQ $3, R10
	MOVQ neuronForward_main(BX), R11
	MOVQ R11, left-8(SP)

step:
	INTEGRATE(0, Y0, Y4, 0)
	JEQ  silent0
	VMOVUPS Y10, 0(R12)

silent0:
	INTEGRATE(32, Y1, Y5, 1)
	JEQ  silent1
	VMOVUPS Y10, 32(R12)

silent1:
	INTEGRATE(64, Y2, Y6, 2)
	JEQ  silent2
	VMOVUPS Y10, 64(R12)

silent2:
	INTEGRATE(96, Y3, Y7, 3)
	JEQ  silent3
	VMOVUPS Y10, 96(R12)
	ADDQ R8, R12

silent3:
	// The next block's: eleven slices are more than the CPU foresees.
	PREFETCHT0 128(SI)
	PREFETCHT0 192(SI)
	PREFETCHT0 128(DI)
	PREFETCHT0 192(DI)
	ADDQ DX, SI
	ADDQ R8, DI
	ADDQ R10, R9
	DECQ left-8(SP)
	JNE  step

	// The post step, if not done: no bias, another level.
	MOVQ neuronForward_slices(BX), DX
	SUBQ neuronForward_main(BX), DX
	JEQ  last
	MOVQ neuronForward_none+0(BX), CX
	LEAQ (CX)(R13*4), CX
	MOVQ neuronForward_fire+0(BX), R11
	LEAQ (R11)(R13*4), R11
	CMPQ R11, R15
	JEQ  last
	MOVQ R11, R15
	MOVQ DX, left-8(SP)
	MOVQ neuronForward_postMove(BX), DX
	IMULQ AX, DX
	MOVQ neuronForward_post+0(BX), SI
	LEAQ (SI)(DX*4), SI
	JMP  step

last:
	MOVQ neuronForward_counts+0(BX), CX
	TESTQ CX, CX
	JEQ  residual
	STORE4(CX, AX, Y4, Y5, Y6, Y7)

residual:
	MOVQ neuronForward_residual+0(BX), CX
	TESTQ CX, CX
	JEQ  next
	STORE4(CX, AX, Y0, Y1, Y2, Y3)

next:
	NEXT(32, neuronForward_theta+8(BX), block)

done:
	VZEROUPPER
	RET

// The surrogates turn x in Y7 into theirs: Y10 is the scale, Y11 the height, Y12
// 3*2^22. A minimum or maximum keeps a NaN in its last operand, which is written
// first.
#define ABS \
	VPCMPEQD Y8, Y8, Y8; \
	VPSRLD   $1, Y8, Y8; \
	VANDPS   Y8, Y7, Y7

#define SIGMOID \
	ABS; \
	VMULPS  Y10, Y7, Y7; \
	VMOVUPS FARTHEST, Y8; \
	VMINPS  Y7, Y8, Y7; \
	VSUBPS  Y7, Y12, Y8; \
	VSUBPS  Y12, Y8, Y9; \
	VADDPS  Y7, Y9, Y9; \
	VMULPS  Y9, Y9, Y14; \
	VMULPS  C5, Y9, Y13; \
	VADDPS  C4, Y13, Y13; \
	VMULPS  C6, Y14, Y7; \
	VADDPS  Y13, Y7, Y7; \
	VMULPS  C3, Y9, Y13; \
	VADDPS  C2, Y13, Y13; \
	VMULPS  Y14, Y7, Y7; \
	VADDPS  Y13, Y7, Y7; \
	VMULPS  C1, Y9, Y13; \
	VADDPS  ONE, Y13, Y13; \
	VMULPS  Y14, Y7, Y7; \
	VADDPS  Y13, Y7, Y7; \
	VPSLLD  $23, Y8, Y8; \
	VPADDD  Y8, Y7, Y7; \
	VADDPS  ONE, Y7, Y8; \
	VMULPS  Y8, Y8, Y8; \
	VDIVPS  Y8, Y7, Y7; \
	VMULPS  Y11, Y7, Y7

#define TRIANGLE \
	ABS; \
	VMULPS Y10, Y7, Y7; \
	VMOVUPS ONE, Y8; \
	VSUBPS Y7, Y8, Y7; \
	VXORPS Y8, Y8, Y8; \
	VMAXPS Y7, Y8, Y7; \
	VMULPS Y11, Y7, Y7

#define ARCTAN \
	VMULPS Y10, Y7, Y7; \
	VMULPS Y7, Y7, Y7; \
	VADDPS ONE, Y7, Y7; \
	VDIVPS Y7, Y11, Y7

// BACK goes back one step for 8 neurons: u is at o(SI), the amplitude's gradient at
// o(DX); of the period, the gain is at o(R10), the inverse at o(R12), the centre at
// o(R14), the level at o(R15); common is what all steps share. Y15 is all bits when the
// reset is attached. 21 is "not less, unordered, quiet". The last five are labels.
#define BACK(o, gv, theta, bias, common, triangle, arctan, done, main, next) \
	VMOVUPS o(SI), Y6; \
	VMULPS  o(R12), Y6, Y6; \
	VSUBPS  o(R14), Y6, Y7; \
	CMPQ    neuronBackward_surrogate(BX), $1; \
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
	VMOVUPS o(DX), Y8; \
	VSUBPS  gv, Y8, Y9; \
	VANDPS  Y15, gv, Y14; \
	VSUBPS  Y14, Y8, Y8; \
	VADDPS  common, Y8, Y8; \
	VMULPS  Y7, Y8, Y8; \
	VCMPPS  $21, LEAST, Y7, Y7; \
	VANDPS  Y7, Y8, Y8; \
	CMPQ    R11, neuronBackward_main(BX); \
	JLT     main; \
	VMULPS  o(R10), Y8, Y14; \
	MOVQ    neuronBackward_sumAlpha+0(BX), CX; \
	VMOVUPS o(CX)(R13*4), Y7; \
	VSUBPS  Y14, Y7, Y7; \
	VMOVUPS Y7, o(CX)(R13*4); \
main: \
	VMULPS  Y8, Y6, Y6; \
	VSUBPS  Y6, theta, theta; \
	VMOVUPS o(SI), Y7; \
	VCMPPS  $21, o(R15), Y7, Y7; \
	VANDPS  Y7, Y9, Y9; \
	VADDPS  Y9, theta, theta; \
	VADDPS  Y8, gv, gv; \
	CMPQ    R11, neuronBackward_main(BX); \
	JGE     next; \
	VADDPS  gv, bias, bias; \
next:

#define LOAD2(base, i, a, b) \
	VMOVUPS (base)(i*4), a; \
	VMOVUPS 32(base)(i*4), b

// ADD2 adds two vectors to an array.
#define ADD2(base, i, a, b) \
	VMOVUPS (base)(i*4), Y6; \
	VADDPS  a, Y6, Y6; \
	VMOVUPS Y6, (base)(i*4); \
	VMOVUPS 32(base)(i*4), Y7; \
	VADDPS  b, Y7, Y7; \
	VMOVUPS Y7, 32(base)(i*4)

// A block of 16 neurons goes back through all steps: in two registers each, Y0 gv, Y2
// and Y4 the gradients of threshold and bias. R11 is the step.
//
// func neuronBackwardAVX2(a *neuronBackward, n int)
TEXT ·neuronBackwardAVX2(SB), NOSPLIT, $72-16
	MOVQ a+0(FP), BX
	FLUSH
	VBROADCASTSS neuronBackward_scale(BX), Y10
	VBROADCASTSS neuronBackward_height(BX), Y11
	VMOVUPS ROUNDING, Y12
	VPCMPEQD Y15, Y15, Y15
	CMPQ neuronBackward_detach(BX), $0
	JEQ  attached
	VXORPS Y15, Y15, Y15

attached:
	MOVQ neuronBackward_size(BX), R8
	SHLQ $2, R8
	MOVQ neuronBackward_amplitudeStep(BX), R9
	SHLQ $2, R9
	XORQ AX, AX
	XORQ R13, R13
	CMPQ AX, n+8(FP)
	JGE  done

block:
	MOVQ neuronBackward_spike+0(BX), CX
	LOAD2(CX, R13, Y6, Y7)
	MOVQ neuronBackward_counts+0(BX), CX
	MOVQ neuronBackward_countsMove(BX), DX
	IMULQ AX, DX
	VADDPS (CX)(DX*4), Y6, Y6
	VADDPS 32(CX)(DX*4), Y7, Y7
	MOVQ neuronBackward_inverse+0(BX), R12
	LEAQ (R12)(R13*4), R12
	VMULPS (R12), Y6, Y6
	VMULPS 32(R12), Y7, Y7
	VMOVUPS Y6, common0-72(SP)
	VMOVUPS Y7, common1-40(SP)
	MOVQ neuronBackward_residual+0(BX), CX
	MOVQ neuronBackward_residualMove(BX), DX
	IMULQ AX, DX
	VMOVUPS ONE, Y1
	VMULPS (CX)(DX*4), Y1, Y0
	VMULPS 32(CX)(DX*4), Y1, Y1
	VXORPS Y2, Y2, Y2
	VXORPS Y3, Y3, Y3
	VXORPS Y4, Y4, Y4
	VXORPS Y5, Y5, Y5
	MOVQ neuronBackward_gain+0(BX), R10
	LEAQ (R10)(R13*4), R10

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
	CMPQ R11, neuronBackward_main(BX)
	JLT  mains
	MOVQ neuronBackward_postCenter+0(BX), R14
	LEAQ (R14)(R13*4), R14
	MOVQ neuronBackward_postLevel+0(BX), R15
	LEAQ (R15)(R13*4), R15
	JMP  step

mains:
	MOVQ neuronBackward_center+0(BX), R14
	LEAQ (R14)(R13*4), R14
	MOVQ neuronBackward_level+0(BX), R15
	LEAQ (R15)(R13*4), R15

step:
	BACK(0, Y0, Y2, Y4, common0-72(SP), triangle0, arctan0, done0, main0, next0)
	BACK(32, Y1, Y3, Y5, common1-40(SP), triangle1, arctan1, done1, main1, next1)
	CMPQ neuronBackward_steady(BX), $0
	JNE  stored
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	PREFETCHT0 64(DI)

stored:
	PREFETCHT0 64(SI)
	PREFETCHT0 64(DX)
	SUBQ R8, SI
	SUBQ R8, DI
	SUBQ R9, DX
	DECQ R11
	JLT  first
	LEAQ 1(R11), CX
	CMPQ CX, neuronBackward_main(BX)
	JEQ  mains
	JMP  step

first:
	CMPQ neuronBackward_steady(BX), $0
	JEQ  sums
	MOVQ neuronBackward_current+0(BX), DI
	VMOVUPS Y4, (DI)(AX*4)
	VMOVUPS Y5, 32(DI)(AX*4)

sums:
	MOVQ neuronBackward_sumBias+0(BX), CX
	ADD2(CX, R13, Y4, Y5)
	MOVQ neuronBackward_sumTheta+0(BX), CX
	ADD2(CX, R13, Y2, Y3)
	MOVQ neuronBackward_sumRest+0(BX), CX
	ADD2(CX, R13, Y0, Y1)
	NEXT(16, neuronBackward_gain+8(BX), block)

done:
	UNFLUSH
	VZEROUPPER
	RET
