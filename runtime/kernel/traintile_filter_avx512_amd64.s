//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "trainconv_amd64.h"

#define VB 64
#define V0 Z0
#define V1 Z1
#define V2 Z2
#define V3 Z3
#define V4 Z4
#define V5 Z5
#define V6 Z6
#define V7 Z7
#define V8 Z8
#define V9 Z9
#define C2 Z10
#define C4 Z11
#define C5 Z12
#define QUARTER Z10
#define SIXTH Z12
#define TWELFTH Z16
#define TWENTYFOURTH Z17

#include "trainwinograd_amd64.h"

// The transforms of minimal filtering to terms. Registers are those of
// trainwinograd_amd64.h, but
//
//	BX   bytes between the terms of a number, once the arguments are read
//	R11  bytes from position to position of the terms, R12 three of them, R13 five
//
// Z13, Z14 and Z15 are of the terms; where tiles come in pairs, X18 is the place of a
// tile's terms in those of the pair, in bits from the top, and K1 what is written.
//
// Frame: 8 and 16 MXCSR, 24 tiles left, 32 bytes from 16 channels to the next, 40 how
// many terms.

// The assembler does not know AVX512-BF16: VCVTNEPS2BF16 from Zv, p being 0x72 for the
// first 8 and 0x52 for the next, to Y13.
#define TERM(p, v) BYTE $0x62; BYTE $p; BYTE $0x7e; BYTE $0x48; BYTE $0x72; BYTE $(0xe8+v)

// FIRST writes the first term of z, Zv of its kind, and leaves the rest. SECOND writes
// another term.
#define FIRST(p, v, z, to) \
	TERM(p, v); \
	VMOVDQU Y13, to; \
	VPMOVZXWD Y13, Z14; \
	VPSLLD $16, Z14, Z14; \
	VSUBPS Z14, z, z
#define SECOND(p, v, to) TERM(p, v); VMOVDQU Y13, to

// FIRSTOFPAIR and SECONDOFPAIR do so for a tile of a pair. The first tile writes zeros
// where the second will write.
#define FIRSTOFPAIR(p, v, z, to) \
	TERM(p, v); \
	VPMOVZXWD Y13, Z14; \
	VPSLLD $16, Z14, Z14; \
	VPSRLD X18, Z14, Z15; \
	VMOVDQU16 Z15, K1, to; \
	VSUBPS Z14, z, z
#define SECONDOFPAIR(p, v, to) \
	TERM(p, v); \
	VPMOVZXWD Y13, Z14; \
	VPSLLD $16, Z14, Z14; \
	VPSRLD X18, Z14, Z15; \
	VMOVDQU16 Z15, K1, to

// INPUTS sets up the input transform, GRADIENTS that of the gradient.
#define INPUTS \
	NUMBER(0x40000000, X10, C2); \
	NUMBER(0x40800000, X11, C4); \
	NUMBER(0x40a00000, X12, C5)
#define GRADIENTS \
	NUMBER(0x3e800000, X10, QUARTER); \
	NUMBER(0x40800000, X11, C4); \
	NUMBER(0xbe2aaaab, X12, SIXTH); \
	NUMBER(0x3daaaaab, X16, TWELFTH); \
	NUMBER(0x3d2aaaab, X17, TWENTYFOURTH)

// SOURCE sets up the source and the places of the positions.
#define SOURCE \
	MOVQ winogradArgs_row(BX), R8; \
	SHLQ $2, R8; \
	LEAQ (R8)(R8*2), R9; \
	LEAQ (R8)(R8*4), R10; \
	MOVQ winogradArgs_pitch(BX), R11; \
	ADDQ R11, R11; \
	LEAQ (R11)(R11*2), R12; \
	LEAQ (R11)(R11*4), R13; \
	MOVQ winogradArgs_image(BX), SI

// func winogradTermsAVX512(a *winogradArgs)
TEXT ·winogradTermsAVX512(SB), NOSPLIT, $24-8
	BEGIN
	INPUTS
	SOURCE
	MOVQ winogradArgs_first(BX), AX
	IMULQ R14, AX
	SHRQ $1, AX
	MOVQ winogradArgs_terms(BX), DI
	ADDQ AX, DI
	MOVQ winogradArgs_plane(BX), BX
	ADDQ BX, BX
tile:
	XORQ AX, AX
channels:
	INCOLUMNS(column)
	MOVQ AX, R15
	SHRQ $1, R15
	ADDQ DI, R15
	MOVQ $6, CX
row:
	LOADROW(DX)
	TRANSFORM_IN
	FIRST(0x72, 0, Z0, (R15))
	FIRST(0x72, 1, Z1, (R15)(R11*1))
	FIRST(0x72, 2, Z2, (R15)(R11*2))
	FIRST(0x72, 3, Z3, (R15)(R12*1))
	FIRST(0x52, 0, Z8, (R15)(R11*4))
	FIRST(0x72, 5, Z5, (R15)(R13*1))
	ADDQ BX, R15
	SECOND(0x72, 0, (R15))
	SECOND(0x72, 1, (R15)(R11*1))
	SECOND(0x72, 2, (R15)(R11*2))
	SECOND(0x72, 3, (R15)(R12*1))
	SECOND(0x52, 0, (R15)(R11*4))
	SECOND(0x72, 5, (R15)(R13*1))
	SUBQ BX, R15
	LEAQ (R15)(R12*2), R15
	ADDQ $(6*VB), DX
	DECQ CX
	JNE row
	SUBQ $(36*VB), DX
	ADDQ $VB, AX
	CMPQ AX, R14
	JNE channels
	LEAQ (SI)(R14*4), SI
	SHRQ $1, AX
	ADDQ AX, DI
	DECQ tiles-24(SP)
	JNE tile
	END

// PAIRS sets up the terms of pairs of tiles.
#define PAIRS(odd, begin) \
	MOVQ winogradArgs_chunk(BX), AX; \
	ADDQ AX, AX; \
	MOVQ AX, chunk-32(SP); \
	MOVBLZX winogradArgs_two(BX), AX; \
	MOVQ AX, two-40(SP); \
	MOVQ winogradArgs_terms(BX), DI; \
	MOVQ winogradArgs_first(BX), AX; \
	MOVQ winogradArgs_plane(BX), BX; \
	ADDQ BX, BX; \
	MOVQ AX, CX; \
	SHRQ $1, CX; \
	SHLQ $6, CX; \
	ADDQ CX, DI; \
	TESTQ $1, AX; \
	JNE odd; \
	EVEN; \
	JMP begin; \
odd: \
	ODD; \
begin:

#define EVEN MOVL $16, CX; VMOVD CX, X18; MOVL $-1, CX; KMOVD CX, K1
#define ODD VPXORD X18, X18, X18; MOVL $0xaaaaaaaa, CX; KMOVD CX, K1

// PAIRPLACE is where the terms of the channels at AX are.
#define PAIRPLACE \
	MOVQ AX, R15; \
	SHRQ $6, R15; \
	IMULQ chunk-32(SP), R15; \
	ADDQ DI, R15; \
	MOVQ $6, CX

// NEXTTILE goes on to the next tile of a pair, or the next pair.
#define NEXTTILE(tile, even) \
	LEAQ (SI)(R14*4), SI; \
	KMOVD K1, CX; \
	CMPL CX, $-1; \
	JNE even; \
	ODD; \
	DECQ tiles-24(SP); \
	JNE tile; \
	END; \
even: \
	EVEN; \
	ADDQ $64, DI; \
	DECQ tiles-24(SP); \
	JNE tile; \
	END

// func winogradPairsAVX512(a *winogradArgs)
TEXT ·winogradPairsAVX512(SB), NOSPLIT, $40-8
	BEGIN
	INPUTS
	SOURCE
	PAIRS(odd, begin)
tile:
	XORQ AX, AX
channels:
	INCOLUMNS(column)
	PAIRPLACE
row:
	LOADROW(DX)
	TRANSFORM_IN
	FIRSTOFPAIR(0x72, 0, Z0, (R15))
	FIRSTOFPAIR(0x72, 1, Z1, (R15)(R11*1))
	FIRSTOFPAIR(0x72, 2, Z2, (R15)(R11*2))
	FIRSTOFPAIR(0x72, 3, Z3, (R15)(R12*1))
	FIRSTOFPAIR(0x52, 0, Z8, (R15)(R11*4))
	FIRSTOFPAIR(0x72, 5, Z5, (R15)(R13*1))
	CMPQ two-40(SP), $0
	JEQ one
	ADDQ BX, R15
	SECONDOFPAIR(0x72, 0, (R15))
	SECONDOFPAIR(0x72, 1, (R15)(R11*1))
	SECONDOFPAIR(0x72, 2, (R15)(R11*2))
	SECONDOFPAIR(0x72, 3, (R15)(R12*1))
	SECONDOFPAIR(0x52, 0, (R15)(R11*4))
	SECONDOFPAIR(0x72, 5, (R15)(R13*1))
	SUBQ BX, R15
one:
	LEAQ (R15)(R12*2), R15
	ADDQ $(6*VB), DX
	DECQ CX
	JNE row
	SUBQ $(36*VB), DX
	ADDQ $VB, AX
	CMPQ AX, R14
	JNE channels
	NEXTTILE(tile, even)

// func gradientPairsAVX512(a *winogradArgs)
TEXT ·gradientPairsAVX512(SB), NOSPLIT, $40-8
	BEGIN
	GRADIENTS
	SOURCE
	PAIRS(odd, begin)
tile:
	XORQ AX, AX
channels:
	GRADIENTCOLUMNS(column)
	PAIRPLACE
row:
	VMOVUPS (DX), V0
	VMOVUPS (1*VB)(DX), V1
	VMOVUPS (2*VB)(DX), V2
	VMOVUPS (3*VB)(DX), V3
	TRANSFORM_GRADIENT
	FIRSTOFPAIR(0x72, 0, Z0, (R15))
	FIRSTOFPAIR(0x72, 4, Z4, (R15)(R11*1))
	FIRSTOFPAIR(0x72, 5, Z5, (R15)(R11*2))
	FIRSTOFPAIR(0x72, 6, Z6, (R15)(R12*1))
	FIRSTOFPAIR(0x72, 7, Z7, (R15)(R11*4))
	FIRSTOFPAIR(0x72, 3, Z3, (R15)(R13*1))
	ADDQ BX, R15
	SECONDOFPAIR(0x72, 0, (R15))
	SECONDOFPAIR(0x72, 4, (R15)(R11*1))
	SECONDOFPAIR(0x72, 5, (R15)(R11*2))
	SECONDOFPAIR(0x72, 6, (R15)(R12*1))
	SECONDOFPAIR(0x72, 7, (R15)(R11*4))
	SECONDOFPAIR(0x72, 3, (R15)(R13*1))
	SUBQ BX, R15
	LEAQ (R15)(R12*2), R15
	ADDQ $(4*VB), DX
	DECQ CX
	JNE row
	SUBQ $(24*VB), DX
	ADDQ $VB, AX
	CMPQ AX, R14
	JNE channels
	NEXTTILE(tile, even)

// TRANSFORM_TAPS takes V0-V2 to V0, V4, V5, V6, V7, V2.
#define TRANSFORM_TAPS \
	VADDPS V2, V0, V3; VMULPS SIXTH, V3, V3; \
	VMULPS SIXTH, V1, V8; \
	VADDPS V8, V3, V4; VSUBPS V8, V3, V5; \
	VMOVAPS V0, V3; VFMADD231PS V2, C4, V3; VMULPS TWENTYFOURTH, V3, V3; \
	VMULPS TWELFTH, V1, V8; \
	VADDPS V8, V3, V6; VSUBPS V8, V3, V7; \
	VMULPS QUARTER, V0, V0

// func winogradTapsAVX512(a *winogradArgs)
TEXT ·winogradTapsAVX512(SB), NOSPLIT, $24-8
	BEGIN
	GRADIENTS
	MOVQ winogradArgs_row(BX), R8
	SHLQ $2, R8
	LEAQ (R8)(R8*2), R9
	MOVQ winogradArgs_pitch(BX), R11
	SHLQ $2, R11
	LEAQ (R11)(R11*2), R12
	LEAQ (R11)(R11*4), R13
	MOVQ winogradArgs_image(BX), SI
	MOVQ winogradArgs_positions(BX), DI
	XORQ AX, AX
channels:
	LEAQ (SI)(AX*1), R15
	MOVQ $3, CX
column:
	VMOVUPS (R15), V0
	VMOVUPS (R15)(R9*1), V1
	VMOVUPS (R15)(R9*2), V2
	TRANSFORM_TAPS
	VMOVUPS V0, (DX)
	VMOVUPS V4, (3*VB)(DX)
	VMOVUPS V5, (6*VB)(DX)
	VMOVUPS V6, (9*VB)(DX)
	VMOVUPS V7, (12*VB)(DX)
	VMOVUPS V2, (15*VB)(DX)
	ADDQ R8, R15
	ADDQ $VB, DX
	DECQ CX
	JNE column
	SUBQ $(3*VB), DX
	LEAQ (DI)(AX*1), R15
	MOVQ $6, CX
row:
	VMOVUPS (DX), V0
	VMOVUPS (1*VB)(DX), V1
	VMOVUPS (2*VB)(DX), V2
	TRANSFORM_TAPS
	VMOVUPS V0, (R15)
	VMOVUPS V4, (R15)(R11*1)
	VMOVUPS V5, (R15)(R11*2)
	VMOVUPS V6, (R15)(R12*1)
	VMOVUPS V7, (R15)(R11*4)
	VMOVUPS V2, (R15)(R13*1)
	LEAQ (R15)(R12*2), R15
	ADDQ $(3*VB), DX
	DECQ CX
	JNE row
	SUBQ $(18*VB), DX
	ADDQ $VB, AX
	CMPQ AX, R14
	JNE channels
	END
