//go:build !purego

#include "textflag.h"

// All loops here run over words of 64 spikes. AX is the index of the element, CX
// their number, R8 the word.

// 29 is "greater or equal, ordered, quiet".
#define IFSTEP(o, shift) \
	VADDPS  o(DX)(AX*4), Z0, Z3; \
	VADDPS  o(SI)(AX*4), Z3, Z3; \
	VCMPPS  $29, Z2, Z3, K1; \
	VSUBPS  Z1, Z3, K1, Z3; \
	VMOVUPS Z3, o(SI)(AX*4); \
	KMOVW   K1, R9; \
	SHLQ    $shift, R9; \
	ORQ     R9, R8

// func ifStepAVX512(spikes []uint64, v, current []float32, bias, threshold, fire float32)
TEXT ·ifStepAVX512(SB), NOSPLIT, $0-84
	MOVQ spikes_base+0(FP), DI
	MOVQ v_base+24(FP), SI
	MOVQ v_len+32(FP), CX
	MOVQ current_base+48(FP), DX
	VBROADCASTSS bias+72(FP), Z0
	VBROADCASTSS threshold+76(FP), Z1
	VBROADCASTSS fire+80(FP), Z2
	XORQ AX, AX
	JMP  test

loop:
	XORQ R8, R8
	IFSTEP(0, 0)
	IFSTEP(64, 16)
	IFSTEP(128, 32)
	IFSTEP(192, 48)
	MOVQ R8, (DI)
	ADDQ $8, DI
	ADDQ $64, AX

test:
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

#define EXPAND(o) \
	KMOVW     R8, K1; \
	VMOVUPS.Z Z0, K1, Z1; \
	VMOVUPS   Z1, o(DI)(AX*4); \
	SHRQ      $16, R8

// func expandSpikesAVX512(dst []float32, spikes []uint64, amplitude float32)
TEXT ·expandSpikesAVX512(SB), NOSPLIT, $0-52
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), CX
	MOVQ spikes_base+24(FP), SI
	VBROADCASTSS amplitude+48(FP), Z0
	XORQ AX, AX
	JMP  test

loop:
	MOVQ (SI), R8
	EXPAND(0)
	EXPAND(64)
	EXPAND(128)
	EXPAND(192)
	ADDQ $8, SI
	ADDQ $64, AX

test:
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET

#define ACCUMULATE(o) \
	KMOVW   R8, K1; \
	VMOVUPS o(DI)(AX*4), Z1; \
	VADDPS  Z0, Z1, K1, Z1; \
	VMOVUPS Z1, o(DI)(AX*4); \
	SHRQ    $16, R8

// func accumulateSpikesAVX512(dst []float32, spikes []uint64, amplitude float32)
TEXT ·accumulateSpikesAVX512(SB), NOSPLIT, $0-52
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), CX
	MOVQ spikes_base+24(FP), SI
	VBROADCASTSS amplitude+48(FP), Z0
	XORQ AX, AX
	JMP  test

loop:
	MOVQ (SI), R8
	ACCUMULATE(0)
	ACCUMULATE(64)
	ACCUMULATE(128)
	ACCUMULATE(192)
	ADDQ $8, SI
	ADDQ $64, AX

test:
	CMPQ AX, CX
	JLT  loop
	VZEROUPPER
	RET
