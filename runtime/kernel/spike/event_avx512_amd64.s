//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "event_amd64.h"

// Registers of eventRowAVX512 beside those of SETUP and RUN:
//
//	CX   bytes from a block's potentials to the next one's
//	R15  bytes of a run's weights
//	Z0-Z3 sums and potentials, Z8-Z15 weights
//	Z16-Z19 bias, Z20-Z23 threshold, Z24-Z27 firing level of the blocks

#define WIDEN1(o, e, z, acc) \
	VPMOVSXWD o(R12)(e*1), z; \
	VPADDD z, acc, acc

#define WIDEN4(e, a, b, c, d) \
	WIDEN1(0, e, a, Z0); \
	WIDEN1(32, e, b, Z1); \
	WIDEN1(64, e, c, Z2); \
	WIDEN1(96, e, d, Z3)

#define LOADPARAMS(o, bias, threshold, fire) \
	VMOVDQU32 (o+0)(AX), bias; \
	VMOVDQU32 (o+64)(AX), threshold; \
	VMOVDQU32 (o+128)(AX), fire

// FIRE1 advances the neurons of a block.
#define FIRE1(acc, threshold, fire, k) \
	VPCMPD $5, fire, acc, k; \
	VPSUBD threshold, acc, k, acc

// func eventRowAVX512(a *eventArgs)
TEXT ·eventRowAVX512(SB), NOSPLIT, $0-8
	SETUP
	MOVQ eventArgs_rows(BX), R15
	CMPQ eventArgs_blocks(BX), $1
	JEQ one
	LOADPARAMS(0, Z16, Z20, Z24)
	LOADPARAMS(192, Z17, Z21, Z25)
	LOADPARAMS(384, Z18, Z22, Z26)
	LOADPARAMS(576, Z19, Z23, Z27)
	SHLQ $7, R15
	MOVQ eventArgs_vBlock(BX), CX
	SHLQ $2, CX
cell4:
	LEAQ (SI)(CX*2), AX
	VPADDD (SI), Z16, Z0
	VPADDD (SI)(CX*1), Z17, Z1
	VPADDD (AX), Z18, Z2
	VPADDD (AX)(CX*1), Z19, Z3
	MOVQ DI, R12
	XORQ R11, R11
run4:
	RUN(next4)
entry4:
	MOVLQSX (R13), AX
	SHLQ $7, AX
	WIDEN4(AX, Z8, Z9, Z10, Z11)
	MOVLQSX 4(R13), AX
	SHLQ $7, AX
	WIDEN4(AX, Z12, Z13, Z14, Z15)
	MOVLQSX 8(R13), AX
	SHLQ $7, AX
	WIDEN4(AX, Z8, Z9, Z10, Z11)
	MOVLQSX 12(R13), AX
	SHLQ $7, AX
	WIDEN4(AX, Z12, Z13, Z14, Z15)
	ADDQ $16, R13
	CMPQ R13, R14
	JNE entry4
next4:
	ADDQ R15, R12
	INCQ R11
	CMPQ R11, eventArgs_startOffsets+8(BX)
	JNE run4
	FIRE1(Z0, Z20, Z24, K1)
	FIRE1(Z1, Z21, Z25, K2)
	FIRE1(Z2, Z22, Z26, K3)
	FIRE1(Z3, Z23, Z27, K4)
	LEAQ (SI)(CX*2), AX
	VMOVDQU32 Z0, (SI)
	VMOVDQU32 Z1, (SI)(CX*1)
	VMOVDQU32 Z2, (AX)
	VMOVDQU32 Z3, (AX)(CX*1)
	KMOVW K1, (DX)
	KMOVW K2, 2(DX)
	KMOVW K3, 4(DX)
	KMOVW K4, 6(DX)
	ADDQ $64, SI
	MOVQ eventArgs_maskCell(BX), AX
	LEAQ (DX)(AX*2), DX
	INCQ R10
	CMPQ R10, eventArgs_cols(BX)
	JNE cell4
	VZEROUPPER
	RET
one:
	LOADPARAMS(0, Z16, Z20, Z24)
	SHLQ $5, R15
cell1:
	VPADDD (SI), Z16, Z0
	VPXORD Z1, Z1, Z1
	MOVQ DI, R12
	XORQ R11, R11
run1:
	RUN(next1)
entry1:
	MOVLQSX (R13), AX
	SHLQ $5, AX
	WIDEN1(0, AX, Z8, Z0)
	MOVLQSX 4(R13), AX
	SHLQ $5, AX
	WIDEN1(0, AX, Z9, Z1)
	MOVLQSX 8(R13), AX
	SHLQ $5, AX
	WIDEN1(0, AX, Z10, Z0)
	MOVLQSX 12(R13), AX
	SHLQ $5, AX
	WIDEN1(0, AX, Z11, Z1)
	ADDQ $16, R13
	CMPQ R13, R14
	JNE entry1
next1:
	ADDQ R15, R12
	INCQ R11
	CMPQ R11, eventArgs_startOffsets+8(BX)
	JNE run1
	VPADDD Z1, Z0, Z0
	FIRE1(Z0, Z20, Z24, K1)
	VMOVDQU32 Z0, (SI)
	KMOVW K1, (DX)
	ADDQ $64, SI
	MOVQ eventArgs_maskCell(BX), AX
	LEAQ (DX)(AX*2), DX
	INCQ R10
	CMPQ R10, eventArgs_cols(BX)
	JNE cell1
	VZEROUPPER
	RET
