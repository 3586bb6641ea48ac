//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "event_amd64.h"

// Registers of eventRowAVX2 beside those of SETUP and RUN:
//
//	CX   bytes from a block's potentials to the next one's
//	R15  bytes of a run's weights
//	Y0-Y7 sums and potentials, 8 channels each, Y8-Y11 weights

#define ADD2(o, lo, hi) \
	VPMOVSXWD o(R12)(AX*1), Y8; \
	VPMOVSXWD (o+16)(R12)(AX*1), Y9; \
	VPADDD Y8, lo, lo; \
	VPADDD Y9, hi, hi

// START2 sets the sums of a block to its potentials at o from R13 and its bias at p from
// R14.
#define START2(p, lo, hi) \
	VMOVDQU (R13), lo; \
	VMOVDQU 32(R13), hi; \
	VPADDD (p+0)(R14), lo, lo; \
	VPADDD (p+32)(R14), hi, hi

// FIRE8 advances 8 neurons; their spikes, inverted, go to mask.
#define FIRE8(p, sum, mask) \
	VMOVDQU (p+128)(R14), Y8; \
	VPCMPGTD sum, Y8, Y8; \
	VMOVMSKPS Y8, mask; \
	VPANDN (p+64)(R14), Y8, Y8; \
	VPSUBD Y8, sum, sum

// FIRE16 advances a block, with its potentials at R13 and its mask at o.
#define FIRE16(p, o, lo, hi) \
	FIRE8(p, lo, AX); \
	FIRE8((p+32), hi, R12); \
	SHLL $8, R12; \
	ORL R12, AX; \
	NOTL AX; \
	MOVW AX, o(DX); \
	VMOVDQU lo, (R13); \
	VMOVDQU hi, 32(R13)

// func eventRowAVX2(a *eventArgs)
TEXT ·eventRowAVX2(SB), NOSPLIT, $0-8
	SETUP
	MOVQ eventArgs_rows(BX), R15
	CMPQ eventArgs_blocks(BX), $1
	JEQ one
	SHLQ $7, R15
	MOVQ eventArgs_vBlock(BX), CX
	SHLQ $2, CX
cell4:
	MOVQ eventArgs_params(BX), R14
	MOVQ SI, R13
	START2(0, Y0, Y1)
	ADDQ CX, R13
	START2(192, Y2, Y3)
	ADDQ CX, R13
	START2(384, Y4, Y5)
	ADDQ CX, R13
	START2(576, Y6, Y7)
	MOVQ DI, R12
	XORQ R11, R11
run4:
	RUN(next4)
entry4:
	MOVLQSX (R13), AX
	SHLQ $7, AX
	ADD2(0, Y0, Y1)
	ADD2(32, Y2, Y3)
	ADD2(64, Y4, Y5)
	ADD2(96, Y6, Y7)
	ADDQ $4, R13
	CMPQ R13, R14
	JNE entry4
next4:
	ADDQ R15, R12
	INCQ R11
	CMPQ R11, eventArgs_startOffsets+8(BX)
	JNE run4
	MOVQ eventArgs_params(BX), R14
	MOVQ SI, R13
	FIRE16(0, 0, Y0, Y1)
	ADDQ CX, R13
	FIRE16(192, 2, Y2, Y3)
	ADDQ CX, R13
	FIRE16(384, 4, Y4, Y5)
	ADDQ CX, R13
	FIRE16(576, 6, Y6, Y7)
	ADDQ $64, SI
	MOVQ eventArgs_maskCell(BX), AX
	LEAQ (DX)(AX*2), DX
	INCQ R10
	CMPQ R10, eventArgs_cols(BX)
	JNE cell4
	VZEROUPPER
	RET
one:
	SHLQ $5, R15
cell1:
	MOVQ eventArgs_params(BX), R14
	MOVQ SI, R13
	START2(0, Y0, Y1)
	MOVQ DI, R12
	XORQ R11, R11
run1:
	RUN(next1)
entry1:
	MOVLQSX (R13), AX
	SHLQ $5, AX
	ADD2(0, Y0, Y1)
	ADDQ $4, R13
	CMPQ R13, R14
	JNE entry1
next1:
	ADDQ R15, R12
	INCQ R11
	CMPQ R11, eventArgs_startOffsets+8(BX)
	JNE run1
	MOVQ eventArgs_params(BX), R14
	MOVQ SI, R13
	FIRE16(0, 0, Y0, Y1)
	ADDQ $64, SI
	MOVQ eventArgs_maskCell(BX), AX
	LEAQ (DX)(AX*2), DX
	INCQ R10
	CMPQ R10, eventArgs_cols(BX)
	JNE cell1
	VZEROUPPER
	RET
