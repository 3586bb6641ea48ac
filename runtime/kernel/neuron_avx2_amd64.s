//go:build !purego

#include "textflag.h"

// All loops here run over words of 64 spikes. AX is the index of the element, CX
// their number, R8 the word.

// laneBits holds, for each lane, the bit of its spike in a byte.
DATA laneBits<>+0(SB)/8, $0x0000000200000001
DATA laneBits<>+8(SB)/8, $0x0000000800000004
DATA laneBits<>+16(SB)/8, $0x0000002000000010
DATA laneBits<>+24(SB)/8, $0x0000008000000040
GLOBL laneBits<>(SB), RODATA|NOPTR, $32

// 29 is "greater or equal, ordered, quiet". A neuron that does not fire has +0
// subtracted, which leaves every number as it is, -0 included.
#define IFSTEP(o, shift) \
	VADDPS    o(DX)(AX*4), Y0, Y3; \
	VADDPS    o(SI)(AX*4), Y3, Y3; \
	VCMPPS    $29, Y2, Y3, Y4; \
	VANDPS    Y4, Y1, Y5; \
	VSUBPS    Y5, Y3, Y3; \
	VMOVUPS   Y3, o(SI)(AX*4); \
	VMOVMSKPS Y4, R9; \
	SHLQ      $shift, R9; \
	ORQ       R9, R8

// func ifStepAVX2(spikes []uint64, v, current []float32, bias, threshold, fire float32)
TEXT ·ifStepAVX2(SB), NOSPLIT, $0-84
	MOVQ spikes_base+0(FP), DI
	MOVQ v_base+24(FP), SI
	MOVQ v_len+32(FP), CX
	MOVQ current_base+48(FP), DX
	VBROADCASTSS bias+72(FP), Y0
	VBROADCASTSS threshold+76(FP), Y1
	VBROADCASTSS fire+80(FP), Y2
	XORQ AX, AX
	JMP  test

loop:
	XORQ R8, R8
	IFSTEP(0, 0)
	IFSTEP(32, 8)
	IFSTEP(64, 16)
	IFSTEP(96, 24)
	IFSTEP(128, 32)
	IFSTEP(160, 40)
	IFSTEP(192, 48)
	IFSTEP(224, 56)
	MOVQ R8, (DI)
	ADDQ $8, DI
	ADDQ $64, AX

test:
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// SPIKES sets Y2 to the lanes that spike, from byte o of the word.
#define SPIKES(o) \
	VPBROADCASTB o(SI), Y2; \
	VPAND        Y2, Y1, Y2; \
	VPCMPEQD     Y2, Y1, Y2

#define EXPAND(o) \
	SPIKES(o); \
	VANDPS  Y2, Y0, Y3; \
	VMOVUPS Y3, 32*o(DI)(AX*4)

// func expandSpikesAVX2(dst []float32, spikes []uint64, amplitude float32)
TEXT ·expandSpikesAVX2(SB), NOSPLIT, $0-52
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), CX
	MOVQ spikes_base+24(FP), SI
	VBROADCASTSS amplitude+48(FP), Y0
	VMOVUPS laneBits<>(SB), Y1
	XORQ AX, AX
	JMP  test

loop:
	EXPAND(0)
	EXPAND(1)
	EXPAND(2)
	EXPAND(3)
	EXPAND(4)
	EXPAND(5)
	EXPAND(6)
	EXPAND(7)
	ADDQ $8, SI
	ADDQ $64, AX

test:
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

// The amplitude or +0 is taken off in its negative, which leaves a -0 without a
// spike as it is.
#define ACCUMULATE(o) \
	SPIKES(o); \
	VANDPS  Y2, Y0, Y3; \
	VMOVUPS 32*o(DI)(AX*4), Y4; \
	VSUBPS  Y3, Y4, Y4; \
	VMOVUPS Y4, 32*o(DI)(AX*4)

// func accumulateSpikesAVX2(dst []float32, spikes []uint64, amplitude float32)
TEXT ·accumulateSpikesAVX2(SB), NOSPLIT, $0-52
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), CX
	MOVQ spikes_base+24(FP), SI
	MOVL amplitude+48(FP), R8
	XORL $0x80000000, R8
	VMOVD R8, X0
	VPBROADCASTD X0, Y0
	VMOVUPS laneBits<>(SB), Y1
	XORQ AX, AX
	JMP  test

loop:
	ACCUMULATE(0)
	ACCUMULATE(1)
	ACCUMULATE(2)
	ACCUMULATE(3)
	ACCUMULATE(4)
	ACCUMULATE(5)
	ACCUMULATE(6)
	ACCUMULATE(7)
	ADDQ $8, SI
	ADDQ $64, AX

test:
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET
