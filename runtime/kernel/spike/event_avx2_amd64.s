//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "event_amd64.h"

// Y0-Y7 are sums and potentials, 8 channels each, Y8 and Y9 weights.
#define PARAMS1
#define PARAMS4

#define ADD2(o, lo, hi) \
	VPMOVSXWD o(R12)(AX*1), Y8; \
	VPMOVSXWD (o+16)(R12)(AX*1), Y9; \
	VPADDD Y8, lo, lo; \
	VPADDD Y9, hi, hi
#define ADD1 \
	MOVLQSX (R13), AX; \
	SHLQ $5, AX; \
	ADD2(0, Y0, Y1); \
	ADDQ $4, R13
#define ADD4 \
	MOVLQSX (R13), AX; \
	SHLQ $7, AX; \
	ADD2(0, Y0, Y1); \
	ADD2(32, Y2, Y3); \
	ADD2(64, Y4, Y5); \
	ADD2(96, Y6, Y7); \
	ADDQ $4, R13

// START2 sets the sums of a block to its potentials at R13 and its bias at p from R14.
#define START2(p, lo, hi) \
	VMOVDQU (R13), lo; \
	VMOVDQU 32(R13), hi; \
	VPADDD (p+0)(R14), lo, lo; \
	VPADDD (p+32)(R14), hi, hi
#define START1 \
	MOVQ eventArgs_params(BX), R14; \
	MOVQ SI, R13; \
	START2(0, Y0, Y1)
#define START4 \
	START1; \
	ADDQ CX, R13; \
	START2(192, Y2, Y3); \
	ADDQ CX, R13; \
	START2(384, Y4, Y5); \
	ADDQ CX, R13; \
	START2(576, Y6, Y7)

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
#define FIRE1 \
	MOVQ eventArgs_params(BX), R14; \
	MOVQ SI, R13; \
	FIRE16(0, 0, Y0, Y1)
#define FIRE4 \
	FIRE1; \
	ADDQ CX, R13; \
	FIRE16(192, 2, Y2, Y3); \
	ADDQ CX, R13; \
	FIRE16(384, 4, Y4, Y5); \
	ADDQ CX, R13; \
	FIRE16(576, 6, Y6, Y7)

// func eventRowAVX2(a *eventArgs)
TEXT ·eventRowAVX2(SB), NOSPLIT, $0-8
	EVENTROW
