//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "event_amd64.h"

// Z0-Z3 are sums and potentials, Z8-Z15 weights, Z16-Z19 bias, Z20-Z23 threshold, Z24-Z27
// firing level of the blocks.

#define PARAMS(o, bias, threshold, fire) \
	VMOVDQU32 (o+0)(AX), bias; \
	VMOVDQU32 (o+64)(AX), threshold; \
	VMOVDQU32 (o+128)(AX), fire
#define PARAMS1 PARAMS(0, Z16, Z20, Z24)
#define PARAMS4 \
	PARAMS1; \
	PARAMS(192, Z17, Z21, Z25); \
	PARAMS(384, Z18, Z22, Z26); \
	PARAMS(576, Z19, Z23, Z27)

#define WIDEN(o, z, acc) \
	VPMOVSXWD o(R12)(AX*1), z; \
	VPADDD z, acc, acc

// ENTRY1 and ENTRY4 add the entry at i. An entry's block goes to one of two sums.
#define ENTRY1(i, z, acc) \
	MOVLQSX i(R13), AX; \
	SHLQ $5, AX; \
	WIDEN(0, z, acc)
#define ADD1 \
	ENTRY1(0, Z8, Z0); \
	ENTRY1(4, Z9, Z1); \
	ENTRY1(8, Z10, Z0); \
	ENTRY1(12, Z11, Z1); \
	ADDQ $16, R13
#define ENTRY4(i, a, b, c, d) \
	MOVLQSX i(R13), AX; \
	SHLQ $7, AX; \
	WIDEN(0, a, Z0); \
	WIDEN(32, b, Z1); \
	WIDEN(64, c, Z2); \
	WIDEN(96, d, Z3)
#define ADD4 \
	ENTRY4(0, Z8, Z9, Z10, Z11); \
	ENTRY4(4, Z12, Z13, Z14, Z15); \
	ENTRY4(8, Z8, Z9, Z10, Z11); \
	ENTRY4(12, Z12, Z13, Z14, Z15); \
	ADDQ $16, R13

#define START1 \
	VPADDD (SI), Z16, Z0; \
	VPXORD Z1, Z1, Z1
#define START4 \
	LEAQ (SI)(CX*2), AX; \
	VPADDD (SI), Z16, Z0; \
	VPADDD (SI)(CX*1), Z17, Z1; \
	VPADDD (AX), Z18, Z2; \
	VPADDD (AX)(CX*1), Z19, Z3

// ADVANCE advances the neurons of a block, whose mask is at o.
#define ADVANCE(acc, threshold, fire, k, o) \
	VPCMPD $5, fire, acc, k; \
	VPSUBD threshold, acc, k, acc; \
	KMOVW k, o(DX)
#define FIRE1 \
	VPADDD Z1, Z0, Z0; \
	ADVANCE(Z0, Z20, Z24, K1, 0); \
	VMOVDQU32 Z0, (SI)
#define FIRE4 \
	ADVANCE(Z0, Z20, Z24, K1, 0); \
	ADVANCE(Z1, Z21, Z25, K2, 2); \
	ADVANCE(Z2, Z22, Z26, K3, 4); \
	ADVANCE(Z3, Z23, Z27, K4, 6); \
	LEAQ (SI)(CX*2), AX; \
	VMOVDQU32 Z0, (SI); \
	VMOVDQU32 Z1, (SI)(CX*1); \
	VMOVDQU32 Z2, (AX); \
	VMOVDQU32 Z3, (AX)(CX*1)

// func eventRowAVX512(a *eventArgs)
TEXT ·eventRowAVX512(SB), NOSPLIT, $0-8
	EVENTROW
