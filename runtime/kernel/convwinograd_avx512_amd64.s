//go:build !purego

#include "go_asm.h"
#include "textflag.h"

#define VB 64
#define V0 Z0
#define V1 Z1
#define V2 Z2
#define V3 Z3
#define V4 Z4
#define V5 Z5
#define V6 Z6
#define V7 Z7
#define C2 Z16
#define C4 Z17
#define C8 Z18
#define BIAS Z19
#define OFFSET Z20
#define SCALE Z21
#define SHIFT Z22
#define NONE Z23
#define FIRST Z24
#define SECOND Z25

#include "convwinograd_amd64.h"

// Columns 0 and 1 of the tiles in two vectors of cells, one column after the other;
// columns 2 and 3 lie two further.
DATA spreadFirst<>+0(SB)/4, $0
DATA spreadFirst<>+4(SB)/4, $4
DATA spreadFirst<>+8(SB)/4, $8
DATA spreadFirst<>+12(SB)/4, $12
DATA spreadFirst<>+16(SB)/4, $16
DATA spreadFirst<>+20(SB)/4, $20
DATA spreadFirst<>+24(SB)/4, $24
DATA spreadFirst<>+28(SB)/4, $28
DATA spreadFirst<>+32(SB)/4, $1
DATA spreadFirst<>+36(SB)/4, $5
DATA spreadFirst<>+40(SB)/4, $9
DATA spreadFirst<>+44(SB)/4, $13
DATA spreadFirst<>+48(SB)/4, $17
DATA spreadFirst<>+52(SB)/4, $21
DATA spreadFirst<>+56(SB)/4, $25
DATA spreadFirst<>+60(SB)/4, $29
GLOBL spreadFirst<>(SB), RODATA, $64

// Four tiles of two vectors with columns 0 and 1, and 2 and 3; the next four tiles lie
// four further.
DATA joinFirst<>+0(SB)/4, $0
DATA joinFirst<>+4(SB)/4, $8
DATA joinFirst<>+8(SB)/4, $16
DATA joinFirst<>+12(SB)/4, $24
DATA joinFirst<>+16(SB)/4, $1
DATA joinFirst<>+20(SB)/4, $9
DATA joinFirst<>+24(SB)/4, $17
DATA joinFirst<>+28(SB)/4, $25
DATA joinFirst<>+32(SB)/4, $2
DATA joinFirst<>+36(SB)/4, $10
DATA joinFirst<>+40(SB)/4, $18
DATA joinFirst<>+44(SB)/4, $26
DATA joinFirst<>+48(SB)/4, $3
DATA joinFirst<>+52(SB)/4, $11
DATA joinFirst<>+56(SB)/4, $19
DATA joinFirst<>+60(SB)/4, $27
GLOBL joinFirst<>(SB), RODATA, $64

#define ORDER(list, further) \
	VMOVUPS list<>(SB), FIRST; \
	MOVL $further, AX; \
	VPBROADCASTD AX, SECOND; \
	VPADDD FIRST, SECOND, SECOND

// SPREAD gives columns 0-5 of 16 tiles in Z0, Z1, Z2, Z3, Z4, Z6.
#define SPREAD(p) \
	VMOVUPS (p), Z0; VMOVUPS 64(p), Z6; VMOVUPS 128(p), Z1; VMOVUPS 192(p), Z7; \
	VMOVAPS FIRST, Z2; VPERMI2PS Z6, Z0, Z2; \
	VMOVAPS FIRST, Z3; VPERMI2PS Z7, Z1, Z3; \
	VMOVAPS SECOND, Z4; VPERMI2PS Z6, Z0, Z4; \
	VMOVAPS SECOND, Z5; VPERMI2PS Z7, Z1, Z5; \
	VSHUFF64X2 $0x44, Z3, Z2, Z0; VSHUFF64X2 $0xee, Z3, Z2, Z1; \
	VSHUFF64X2 $0x44, Z5, Z4, Z2; VSHUFF64X2 $0xee, Z5, Z4, Z3; \
	VMOVUPS 16(p), Z4; VMOVUPS 144(p), Z5; \
	VMOVAPS FIRST, Z6; VPERMI2PS 80(p), Z4, Z6; \
	VMOVAPS FIRST, Z7; VPERMI2PS 208(p), Z5, Z7; \
	VSHUFF64X2 $0x44, Z7, Z6, Z4; VSHUFF64X2 $0xee, Z7, Z6, Z6

// JOIN stores columns 0-3 of 16 tiles from Z0, Z2, Z6, Z5.
#define JOIN(p) \
	VSHUFF64X2 $0x44, Z2, Z0, Z1; VSHUFF64X2 $0xee, Z2, Z0, Z3; \
	VSHUFF64X2 $0x44, Z5, Z6, Z4; VSHUFF64X2 $0xee, Z5, Z6, Z7; \
	VMOVAPS FIRST, Z0; VPERMI2PS Z4, Z1, Z0; \
	VMOVAPS SECOND, Z2; VPERMI2PS Z4, Z1, Z2; \
	VMOVAPS FIRST, Z5; VPERMI2PS Z7, Z3, Z5; \
	VMOVAPS SECOND, Z6; VPERMI2PS Z7, Z3, Z6; \
	VMOVUPS Z0, (p); VMOVUPS Z2, 64(p); VMOVUPS Z5, 128(p); VMOVUPS Z6, 192(p)

// func filterInAVX512(a *filterArgs)
TEXT ·filterInAVX512(SB), NOSPLIT, $0-8
	NUMBER(0x40000000, X0, C2)
	NUMBER(0x40800000, X0, C4)
	ORDER(spreadFirst, 2)
	BEGIN
	WINOGRAD_IN
	VZEROUPPER
	RET

// func filterOutAVX512(a *filterArgs)
TEXT ·filterOutAVX512(SB), NOSPLIT, $0-8
	NUMBER(0x40000000, X0, C2)
	NUMBER(0x40800000, X0, C4)
	NUMBER(0x41000000, X0, C8)
	ORDER(joinFirst, 4)
	VPXORD NONE, NONE, NONE
	BEGIN
	TAIL
	WINOGRAD_OUT
	VZEROUPPER
	RET
