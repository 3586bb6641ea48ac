//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// The assembler knows no AMX instruction: these are their bytes. T0 to T3 are sums
// of 16 output cells (rows) by 16 channels (columns of int32), T4 and T5 expanded
// spikes, 16 output cells by 64 source cells, T6 and T7 weights, 16 rows of 4 source
// cells for 16 channels.

// Rows of all tiles are 64 bytes, 16 rows.
DATA tiles<>+0(SB)/8, $1 // palette 1
DATA tiles<>+8(SB)/8, $0
DATA tiles<>+16(SB)/8, $0x0040004000400040 // bytes of a row
DATA tiles<>+24(SB)/8, $0x0040004000400040
DATA tiles<>+32(SB)/8, $0
DATA tiles<>+40(SB)/8, $0
DATA tiles<>+48(SB)/8, $0x1010101010101010 // rows
DATA tiles<>+56(SB)/8, $0
GLOBL tiles<>(SB), RODATA|NOPTR, $64

#define LDTILECFG_R11 BYTE $0xc4; BYTE $0xc2; BYTE $0x78; BYTE $0x49; BYTE $0x03
#define TILERELEASE BYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0xc0
#define TILEZERO_T0 BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $0xc0
#define TILEZERO_T1 BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $0xc8
#define TILEZERO_T2 BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $0xd0
#define TILEZERO_T3 BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $0xd8
#define TILEZERO_T4 BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $0xe0
#define TILEZERO_T5 BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $0xe8
#define TILEZERO_T6 BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $0xf0
#define TILEZERO_T7 BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $0xf8

// TILELOADD T4, [SI+R8]; T5, [DI+R8]; T6, [BX+R9]; T7, [BX+R9+0x400]
#define LOAD_T4 BYTE $0xc4; BYTE $0xa2; BYTE $0x7b; BYTE $0x4b; BYTE $0x24; BYTE $0x06
#define LOAD_T5 BYTE $0xc4; BYTE $0xa2; BYTE $0x7b; BYTE $0x4b; BYTE $0x2c; BYTE $0x07
#define LOAD_T6 BYTE $0xc4; BYTE $0xa2; BYTE $0x7b; BYTE $0x4b; BYTE $0x34; BYTE $0x0b
#define LOAD_T7 BYTE $0xc4; BYTE $0xa2; BYTE $0x7b; BYTE $0x4b; BYTE $0xbc; BYTE $0x0b; LONG $0x00000400

// TDPBSSD: T0 += T4 x T6, T1 += T4 x T7, T2 += T5 x T6, T3 += T5 x T7
#define DOT_T0 BYTE $0xc4; BYTE $0xe2; BYTE $0x4b; BYTE $0x5e; BYTE $0xc4
#define DOT_T1 BYTE $0xc4; BYTE $0xe2; BYTE $0x43; BYTE $0x5e; BYTE $0xcc
#define DOT_T2 BYTE $0xc4; BYTE $0xe2; BYTE $0x4b; BYTE $0x5e; BYTE $0xd5
#define DOT_T3 BYTE $0xc4; BYTE $0xe2; BYTE $0x43; BYTE $0x5e; BYTE $0xdd

// TILESTORED [R10+2*R9], T0; +0x40, T1; +0x800, T2; +0x840, T3
#define STORE_T0 BYTE $0xc4; BYTE $0x82; BYTE $0x7a; BYTE $0x4b; BYTE $0x04; BYTE $0x4a
#define STORE_T1 BYTE $0xc4; BYTE $0x82; BYTE $0x7a; BYTE $0x4b; BYTE $0x4c; BYTE $0x4a; BYTE $0x40
#define STORE_T2 BYTE $0xc4; BYTE $0x82; BYTE $0x7a; BYTE $0x4b; BYTE $0x94; BYTE $0x4a; LONG $0x00000800
#define STORE_T3 BYTE $0xc4; BYTE $0x82; BYTE $0x7a; BYTE $0x4b; BYTE $0x9c; BYTE $0x4a; LONG $0x00000840

// Registers of the step kernel:
//
//	R13  arguments            R8   bytes from an output cell to the next
//	SI   cells of T4          R9   64
//	DI   cells of T5          R10  sums of the last tile, high and low by turns
//	BX   weights              R11  sums of the next neuron to advance
//	R14  window               R12  its mask
//	R15  neurons to advance   AX   its potential
//	     in a window          DX   neurons that wait
//	CX   neurons to advance   Z24-Z26 bias, threshold, fire of their block
//
// A tile is 32 output cells, or 16 at most at the end of a row. While the products
// of a tile are on their way, the neurons of the tile before advance, be it of the
// same block or the one before. T2 and T3 of a tile of more than 16 cells are stored
// only after the next one's first products: on the CPU where it was tried, one or two
// stores at a time cost nothing and four in a row a tenth of the time.

#define FIRE \
	VPSLLD $8, (R11), Z0; \
	VPADDD (AX), Z24, Z1; \
	VPADDD 64(R11), Z0, Z0; \
	VPADDD Z1, Z0, Z0; \
	VPCMPD $5, Z26, Z0, K1; \
	VPSUBD Z25, Z0, K1, Z0; \
	VMOVDQU32 Z0, (AX); \
	KMOVW K1, (R12); \
	ADDQ $128, R11; \
	ADDQ $64, AX; \
	ADDQ maskcell-56(SP), R12

// WINDOW finds the cells of the next window.
#define WINDOW \
	MOVQ stepArgs_offsets+0(R13), CX; \
	MOVQ (CX)(R14*8), SI; \
	INCQ R14; \
	ADDQ tile-40(SP), SI; \
	MOVQ R8, DI; \
	SHLQ $4, DI; \
	ADDQ SI, DI

// FIRST multiplies a window of the first 16 cells of a tile, SECOND that of the others.
#define FIRST LOAD_T4; LOAD_T6; DOT_T0; LOAD_T7; DOT_T1
#define SECOND LOAD_T5; DOT_T2; DOT_T3

// NEURONS makes DX cells of the tile just stored wait for their neurons.
#define NEURONS \
	CMPQ DX, left-32(SP); \
	CMOVQGT left-32(SP), DX; \
	MOVQ params-64(SP), CX; \
	VMOVDQU32 (CX), Z24; \
	VMOVDQU32 64(CX), Z25; \
	VMOVDQU32 128(CX), Z26; \
	MOVQ R10, R11; \
	MOVQ masks-48(SP), R12; \
	MOVQ maskcell-56(SP), CX; \
	IMULQ DX, CX; \
	ADDQ CX, masks-48(SP); \
	MOVQ v-72(SP), AX; \
	MOVQ DX, CX; \
	SHLQ $6, CX; \
	ADDQ CX, v-72(SP); \
	MOVQ R8, CX; \
	SHLQ $5, CX; \
	ADDQ CX, tile-40(SP)

// func stepAMX(a *stepArgs)
TEXT ·stepAMX(SB), NOSPLIT, $96-8
	MOVQ a+0(FP), R13
	LEAQ tiles<>(SB), R11
	LDTILECFG_R11
	MOVQ stepArgs_offsets+8(R13), CX
	XORQ R15, R15
	TESTQ CX, CX
	JZ nowindows
	LEAQ 31(CX), AX
	XORQ DX, DX
	DIVQ CX
	MOVQ AX, R15
nowindows:
	MOVQ stepArgs_blocks(R13), AX
	MOVQ AX, blocks-80(SP)
	MOVQ stepArgs_planes+0(R13), AX
	MOVQ AX, planes-88(SP)
	MOVQ stepArgs_params+0(R13), AX
	MOVQ AX, params-64(SP)
	MOVQ stepArgs_masks+0(R13), AX
	MOVQ AX, blockmasks-96(SP)
	MOVQ stepArgs_v+0(R13), AX
	MOVQ AX, v-72(SP)
	MOVQ stepArgs_maskCell(R13), AX
	ADDQ AX, AX
	MOVQ AX, maskcell-56(SP)
	MOVQ stepArgs_srcCell(R13), R8
	MOVQ $64, R9
	MOVQ stepArgs_scratch+0(R13), R10
	XORQ DX, DX

block:
	MOVQ stepArgs_rows(R13), CX
	MOVQ CX, rows-8(SP)
	MOVQ stepArgs_bytes+0(R13), CX
	MOVQ CX, row-16(SP)
	MOVQ blockmasks-96(SP), CX
	MOVQ CX, maskrow-24(SP)

row:
	MOVQ stepArgs_cols(R13), CX
	MOVQ CX, left-32(SP)
	MOVQ row-16(SP), CX
	MOVQ CX, tile-40(SP)
	MOVQ maskrow-24(SP), CX
	MOVQ CX, masks-48(SP)

tile:
	MOVQ planes-88(SP), BX
	XORQ R14, R14
	TILEZERO_T0
	TILEZERO_T1
	CMPQ left-32(SP), $16
	JLE half
	CMPQ R14, stepArgs_offsets+8(R13)
	JGE empty
	WINDOW
	FIRST
	CMPQ DX, $16
	JLE first
	STORE_T2
	STORE_T3
first:
	TILEZERO_T2
	TILEZERO_T3
	SECOND
	JMP neurons

full:
	CMPQ R14, stepArgs_offsets+8(R13)
	JGE fulldone
	WINDOW
	FIRST
	SECOND
neurons:
	ADDQ $2048, BX
	TESTQ DX, DX
	JZ full
	MOVQ R15, CX
fullfire:
	FIRE
	DECQ DX
	JZ full
	DECQ CX
	JNZ fullfire
	JMP full

empty:
	CMPQ DX, $16
	JLE zero
	STORE_T2
	STORE_T3
zero:
	TILEZERO_T2
	TILEZERO_T3
fulldone:
	TESTQ DX, DX
	JZ fullstore
	FIRE
	DECQ DX
	JMP fulldone
fullstore:
	STORE_T0
	STORE_T1
	MOVQ $32, DX
	JMP stored

half:
	CMPQ DX, $16
	JLE halfwindow
	STORE_T2
	STORE_T3
halfwindow:
	CMPQ R14, stepArgs_offsets+8(R13)
	JGE halfdone
	WINDOW
	FIRST
	ADDQ $2048, BX
	TESTQ DX, DX
	JZ halfwindow
	MOVQ R15, CX
halffire:
	FIRE
	DECQ DX
	JZ halfwindow
	DECQ CX
	JNZ halffire
	JMP halfwindow
halfdone:
	TESTQ DX, DX
	JZ halfstore
	FIRE
	DECQ DX
	JMP halfdone
halfstore:
	STORE_T0
	STORE_T1
	MOVQ $16, DX

stored:
	NEURONS
	SUBQ DX, left-32(SP)
	JNE tile

	MOVQ stepArgs_srcRow(R13), CX
	ADDQ CX, row-16(SP)
	MOVQ stepArgs_maskRow(R13), CX
	ADDQ CX, CX
	ADDQ CX, maskrow-24(SP)
	DECQ rows-8(SP)
	JNE row

	DECQ blocks-80(SP)
	JEQ last
	MOVQ BX, planes-88(SP)
	ADDQ $192, params-64(SP)
	ADDQ $2, blockmasks-96(SP)
	// A phase may have fewer cells than there is room for.
	MOVQ stepArgs_vBlock(R13), CX
	MOVQ stepArgs_rows(R13), SI
	IMULQ stepArgs_cols(R13), SI
	SHLQ $4, SI
	SUBQ SI, CX
	SHLQ $2, CX
	ADDQ CX, v-72(SP)
	JMP block

last:
	CMPQ DX, $16
	JLE lastfire
	STORE_T2
	STORE_T3
lastfire:
	FIRE
	DECQ DX
	JNZ lastfire
	TILERELEASE
	VZEROUPPER
	RET

// func peakAMX(n int) (ops int)
TEXT ·peakAMX(SB), NOSPLIT, $0-16
	MOVQ n+0(FP), CX
	MOVQ CX, AX
	IMULQ $(4*2*16*16*64), AX
	MOVQ AX, ops+8(FP)
	LEAQ tiles<>(SB), R11
	LDTILECFG_R11
	TILEZERO_T0
	TILEZERO_T1
	TILEZERO_T2
	TILEZERO_T3
	TILEZERO_T4
	TILEZERO_T5
	TILEZERO_T6
	TILEZERO_T7
loop:
	DOT_T0
	DOT_T1
	DOT_T2
	DOT_T3
	DECQ CX
	JNZ loop
	TILERELEASE
	RET
