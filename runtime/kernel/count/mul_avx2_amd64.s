//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Registers of a mul kernel:
//
//	BX   arguments            SI, R8   cells of tiles 0 and 3
//	DX   bytes from a tile    DI       weights
//	     to the next          R9       bytes to those of the next group
//	AX   tiles left           CX       groups left
//	Y0-Y11 sums, Y12 and Y13 weights, Y14 cells, Y15 products
//
// It takes 6 tiles of one block.

// MADD adds the products of a group, and so does VNNI: VPDPWSSD Y12, Y14, lo and VPDPWSSD
// Y13, Y14, hi, with the VEX prefix, which the assembler does not know for it. r, l and h are the
// parts of the encoding that name lo and hi.
#define MADD(cells, lo, hi, r, l, h) \
	VPBROADCASTD cells, Y14; \
	VPMADDWD Y12, Y14, Y15; \
	VPADDD Y15, lo, lo; \
	VPMADDWD Y13, Y14, Y15; \
	VPADDD Y15, hi, hi

#define VNNI(cells, lo, hi, r, l, h) \
	VPBROADCASTD cells, Y14; \
	BYTE $0xc4; BYTE r; BYTE $0x0d; BYTE $0x52; BYTE l; \
	BYTE $0xc4; BYTE r; BYTE $0x0d; BYTE $0x52; BYTE h

#define ZERO2(a, b) VPXOR a, a, a; VPXOR b, b, b

#define STORE2(a, b, end) \
	VMOVDQU a, (DI); \
	VMOVDQU b, 32(DI); \
	ADDQ $64, DI; \
	DECQ CX; \
	JZ end

#define MUL(DOT) \
	MOVQ a+0(FP), BX; \
	MOVQ mulArgs_cell(BX), DX; \
	ADDQ DX, DX; \
	MOVQ mulArgs_blocks(BX), R9; \
	SHLQ $6, R9; \
	MOVQ mulArgs_cells+0(BX), R10; \
	MOVQ mulArgs_products+0(BX), R11; \
	MOVQ mulArgs_n(BX), AX; \
tiles: \
	MOVQ R10, SI; \
	LEAQ (SI)(DX*2), R8; \
	ADDQ DX, R8; \
	MOVQ mulArgs_weights+0(BX), DI; \
	MOVQ mulArgs_groups(BX), CX; \
	ZERO2(Y0, Y1); ZERO2(Y2, Y3); ZERO2(Y4, Y5); ZERO2(Y6, Y7); ZERO2(Y8, Y9); ZERO2(Y10, Y11); \
groups: \
	VMOVDQU (DI), Y12; \
	VMOVDQU 32(DI), Y13; \
	DOT((SI), Y0, Y1, $0xc2, $0xc4, $0xcd); \
	DOT((SI)(DX*1), Y2, Y3, $0xc2, $0xd4, $0xdd); \
	DOT((SI)(DX*2), Y4, Y5, $0xc2, $0xe4, $0xed); \
	DOT((R8), Y6, Y7, $0xc2, $0xf4, $0xfd); \
	DOT((R8)(DX*1), Y8, Y9, $0x42, $0xc4, $0xcd); \
	DOT((R8)(DX*2), Y10, Y11, $0x42, $0xd4, $0xdd); \
	ADDQ $4, SI; \
	ADDQ $4, R8; \
	ADDQ R9, DI; \
	DECQ CX; \
	JNZ groups; \
	MOVQ $6, CX; \
	CMPQ CX, AX; \
	CMOVQGT AX, CX; \
	SUBQ CX, AX; \
	MOVQ CX, SI; \
	IMULQ DX, SI; \
	ADDQ SI, R10; \
	MOVQ R11, DI; \
	STORE2(Y0, Y1, end); \
	STORE2(Y2, Y3, end); \
	STORE2(Y4, Y5, end); \
	STORE2(Y6, Y7, end); \
	STORE2(Y8, Y9, end); \
	STORE2(Y10, Y11, end); \
end: \
	MOVQ DI, R11; \
	TESTQ AX, AX; \
	JNZ tiles; \
	VZEROUPPER; \
	RET

// func mulBlockAVX2(a *mulArgs)
TEXT ·mulBlockAVX2(SB), NOSPLIT, $0-8
	MUL(MADD)

// func mulBlockVNNI(a *mulArgs)
TEXT ·mulBlockVNNI(SB), NOSPLIT, $0-8
	MUL(VNNI)
