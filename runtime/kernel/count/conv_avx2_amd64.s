//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Registers of a conv kernel:
//
//	BX   arguments            SI, R8   cells of the tile, of its cells 0 and 3
//	DX   bytes from an output DI       weights
//	     cell to the next     R9       bytes to those of the next group
//	AX   windows done         R10      groups left until sums of 16 bits are full
//	CX   groups left          R11      planes left
//	Y0-Y11 sums, Y12 and Y13 weights, Y14 cells, Y15 products
//
// A tile is 6 output cells of a block. Products of bytes are added in pairs, in 16 bits, and
// those of some groups too; before they could overflow they go to sums of 32 bits in
// the frame. Where counts may be so large that this is all the time, they are widened at once.
//
// Frame: 0 to 384 sums, 64 bytes a cell; then rows left, cells of the row, results of the row, cells
// left of the row, cells of the tile, results of the tile, the groups of a chunk.

DATA ones<>+0(SB)/8, $0x0001000100010001
DATA ones<>+8(SB)/8, $0x0001000100010001
DATA ones<>+16(SB)/8, $0x0001000100010001
DATA ones<>+24(SB)/8, $0x0001000100010001
GLOBL ones<>(SB), RODATA|NOPTR, $32

// NARROW adds the products of a group in 16 bits, WIDE in 32, and VNNI does that in one
// instruction: VPDPBUSD Y12, Y14, lo and VPDPBUSD Y13, Y14, hi, with the VEX prefix, which the
// assembler does not know for it. r, l and h are the parts of the encoding that name lo and hi.
#define NARROW(cells, lo, hi, r, l, h) \
	VPBROADCASTD cells, Y14; \
	VPMADDUBSW Y12, Y14, Y15; \
	VPADDW Y15, lo, lo; \
	VPMADDUBSW Y13, Y14, Y15; \
	VPADDW Y15, hi, hi

#define WIDE(cells, lo, hi, r, l, h) \
	VPBROADCASTD cells, Y14; \
	VPMADDUBSW Y12, Y14, Y15; \
	VPMADDWD ones<>(SB), Y15, Y15; \
	VPADDD Y15, lo, lo; \
	VPMADDUBSW Y13, Y14, Y15; \
	VPMADDWD ones<>(SB), Y15, Y15; \
	VPADDD Y15, hi, hi

#define VNNI(cells, lo, hi, r, l, h) \
	VPBROADCASTD cells, Y14; \
	BYTE $0xc4; BYTE r; BYTE $0x0d; BYTE $0x50; BYTE l; \
	BYTE $0xc4; BYTE r; BYTE $0x0d; BYTE $0x50; BYTE h

#define GROUP(DOT) \
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
	ADDQ R9, DI

#define ZERO2(a, b) VPXOR a, a, a; VPXOR b, b, b
#define ZERO \
	ZERO2(Y0, Y1); ZERO2(Y2, Y3); ZERO2(Y4, Y5); ZERO2(Y6, Y7); ZERO2(Y8, Y9); ZERO2(Y10, Y11)

// ADD2 adds sums to those of the frame, SPILL2 those of 16 bits.
#define ADD2(o, a, b) \
	VPADDD sums-(384-o)(SP), a, a; \
	VPADDD sums-(352-o)(SP), b, b; \
	VMOVDQU a, sums-(384-o)(SP); \
	VMOVDQU b, sums-(352-o)(SP)
#define SPILL2(o, a, b) \
	VPMADDWD Y12, a, a; \
	VPMADDWD Y12, b, b; \
	ADD2(o, a, b)
#define SPILL \
	VMOVDQU ones<>(SB), Y12; \
	SPILL2(0, Y0, Y1); SPILL2(64, Y2, Y3); SPILL2(128, Y4, Y5); \
	SPILL2(192, Y6, Y7); SPILL2(256, Y8, Y9); SPILL2(320, Y10, Y11)

// SET2 sets the sums of a cell to Y12 and Y13; SHIFT2 is 256 times them, and Y12 and Y13.
#define SET2(o) \
	VMOVDQU Y12, sums-(384-o)(SP); VMOVDQU Y13, sums-(352-o)(SP)
#define SHIFT2(o) \
	VMOVDQU sums-(384-o)(SP), Y14; \
	VMOVDQU sums-(352-o)(SP), Y15; \
	VPSLLD $8, Y14, Y14; \
	VPSLLD $8, Y15, Y15; \
	VPADDD Y12, Y14, Y14; \
	VPADDD Y13, Y15, Y15; \
	VMOVDQU Y14, sums-(384-o)(SP); \
	VMOVDQU Y15, sums-(352-o)(SP)
#define CELLS6(OP) OP(0); OP(64); OP(128); OP(192); OP(256); OP(320)

#define INITIAL \
	MOVQ args_params+0(BX), CX; \
	VMOVDQU (CX), Y12; \
	VMOVDQU 32(CX), Y13

// WINDOW begins the next window, or goes to done.
#define WINDOW(done) \
	CMPQ AX, args_offsets+8(BX); \
	JGE done; \
	MOVQ args_offsets+0(BX), CX; \
	MOVQ (CX)(AX*8), SI; \
	MOVQ args_lengths+0(BX), CX; \
	MOVQ (CX)(AX*8), CX; \
	ADDQ tile-424(SP), SI; \
	LEAQ (SI)(DX*2), R8; \
	ADDQ DX, R8; \
	INCQ AX

// FIRE turns 8 potentials v, with parameters at o(R12), into counts q, and gives what fires, m and k.
#define FIRE(o, v, q, m, k) \
	VCVTDQ2PS v, q; \
	VMULPS (192+o)(R12), q, q; \
	VMINPS Y10, q, q; \
	VMAXPS Y11, q, q; \
	VCVTTPS2DQ q, q; \
	VPMULLD (64+o)(R12), q, m; \
	VPSUBD m, v, v; \
	VPCMPGTD (256+o)(R12), v, m; \
	VPCMPGTD (320+o)(R12), v, k; \
	VPSUBD m, q, q; \
	VPSUBD k, q, q

// BYTES packs the counts Y1 and Y5 to X1.
#define BYTES \
	VPACKSSDW Y5, Y1, Y1; \
	VPERMQ $0xd8, Y1, Y1; \
	VEXTRACTI128 $1, Y1, X5; \
	VPACKUSWB X5, X1, X1

// PUT stores the first R11 bytes of X1 at DI.
#define PUT(whole, not8, not4, not2, end) \
	CMPQ R11, $16; \
	JEQ whole; \
	MOVQ DI, CX; \
	TESTQ $8, R11; \
	JEQ not8; \
	VMOVQ X1, (CX); \
	VPSRLDQ $8, X1, X1; \
	ADDQ $8, CX; \
not8: \
	TESTQ $4, R11; \
	JEQ not4; \
	VMOVD X1, (CX); \
	VPSRLDQ $4, X1, X1; \
	ADDQ $4, CX; \
not4: \
	TESTQ $2, R11; \
	JEQ not2; \
	VPEXTRW $0, X1, (CX); \
	VPSRLDQ $2, X1, X1; \
	ADDQ $2, CX; \
not2: \
	TESTQ $1, R11; \
	JEQ end; \
	VPEXTRB $0, X1, (CX); \
	JMP end; \
whole: \
	VMOVDQU X1, (DI); \
end:

// COUNTING sets what FIRE and PUT need.
#define COUNTING \
	MOVQ args_params+0(BX), R12; \
	MOVQ args_lanes+0(BX), R11; \
	VBROADCASTSS args_top(BX), Y10; \
	VPXOR Y11, Y11, Y11

// CONV is the body of a conv kernel that adds products by DOT where sums of 16 bits would not do.
#define CONV(DOT) \
	MOVQ a+0(FP), BX; \
	MOVQ args_rows(BX), AX; \
	MOVQ AX, rows-392(SP); \
	MOVQ args_cells+0(BX), AX; \
	MOVQ AX, row-400(SP); \
	MOVQ args_counts+0(BX), AX; \
	MOVQ args_sums+0(BX), CX; \
	TESTQ CX, CX; \
	CMOVQNE CX, AX; \
	MOVQ AX, outrow-408(SP); \
	MOVQ args_vectors(BX), R9; \
	SHLQ $6, R9; \
row: \
	MOVQ args_cols(BX), AX; \
	MOVQ AX, left-416(SP); \
	MOVQ row-400(SP), AX; \
	MOVQ AX, tile-424(SP); \
	MOVQ outrow-408(SP), AX; \
	MOVQ AX, out-432(SP); \
tile: \
	MOVQ args_srcCell(BX), DX; \
	MOVQ args_weights+0(BX), DI; \
	MOVQ args_planes(BX), R11; \
	INITIAL; \
	CMPQ R11, $1; \
	JEQ start; \
	ZERO2(Y12, Y13); \
start: \
	CELLS6(SET2); \
plane: \
	ZERO; \
	XORQ AX, AX; \
	MOVQ args_chunk+0(BX), R10; \
	CMPQ R11, args_planes(BX); \
	JEQ chosen; \
	MOVQ args_chunk+8(BX), R10; \
chosen: \
	MOVQ R10, chunk-440(SP); \
	TESTQ R10, R10; \
	JEQ wide; \
window: \
	WINDOW(spill); \
group: \
	GROUP(NARROW); \
	DECQ R10; \
	JZ full; \
next: \
	DECQ CX; \
	JNZ group; \
	JMP window; \
full: \
	SPILL; \
	ZERO; \
	MOVQ chunk-440(SP), R10; \
	JMP next; \
wide: \
	WINDOW(add); \
widegroup: \
	GROUP(DOT); \
	DECQ CX; \
	JNZ widegroup; \
	JMP wide; \
add: \
	ADD2(0, Y0, Y1); \
	ADD2(64, Y2, Y3); \
	ADD2(128, Y4, Y5); \
	ADD2(192, Y6, Y7); \
	ADD2(256, Y8, Y9); \
	ADD2(320, Y10, Y11); \
	JMP summed; \
spill: \
	SPILL; \
summed: \
	DECQ R11; \
	JZ finish; \
	INITIAL; \
	CELLS6(SHIFT2); \
	MOVQ args_weights+0(BX), DI; \
	ADDQ $64, DI; \
	JMP plane; \
finish: \
	MOVQ $6, AX; \
	CMPQ AX, left-416(SP); \
	CMOVQGT left-416(SP), AX; \
	SUBQ AX, left-416(SP); \
	IMULQ AX, DX; \
	ADDQ DX, tile-424(SP); \
	MOVQ out-432(SP), DI; \
	LEAQ sums-384(SP), SI; \
	CMPQ args_sums+0(BX), $0; \
	JNE store; \
	COUNTING; \
cell: \
	VMOVDQU (SI), Y0; \
	VMOVDQU 32(SI), Y4; \
	FIRE(0, Y0, Y1, Y2, Y3); \
	FIRE(32, Y4, Y5, Y6, Y7); \
	BYTES; \
	PUT(whole, not8, not4, not2, put); \
	ADDQ $64, SI; \
	ADDQ args_countCell(BX), DI; \
	DECQ AX; \
	JNZ cell; \
	JMP end; \
store: \
	MOVQ args_sumCell(BX), CX; \
storecell: \
	VMOVDQU (SI), Y0; \
	VMOVDQU 32(SI), Y1; \
	VMOVDQU Y0, (DI); \
	VMOVDQU Y1, 32(DI); \
	ADDQ $64, SI; \
	LEAQ (DI)(CX*4), DI; \
	DECQ AX; \
	JNZ storecell; \
end: \
	MOVQ DI, out-432(SP); \
	CMPQ left-416(SP), $0; \
	JNE tile; \
	MOVQ args_srcRow(BX), AX; \
	ADDQ AX, row-400(SP); \
	MOVQ args_countRow(BX), AX; \
	MOVQ args_sumRow(BX), CX; \
	SHLQ $2, CX; \
	CMPQ args_sums+0(BX), $0; \
	CMOVQNE CX, AX; \
	ADDQ AX, outrow-408(SP); \
	DECQ rows-392(SP); \
	JNZ row; \
	VZEROUPPER; \
	RET

// func convBlockAVX2(a *args)
TEXT ·convBlockAVX2(SB), 0, $448-8
	CONV(WIDE)

// func convBlockVNNI(a *args)
TEXT ·convBlockVNNI(SB), 0, $448-8
	CONV(VNNI)

// func settleAVX2(a *args)
TEXT ·settleAVX2(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), BX
	MOVQ args_sums+0(BX), SI
	MOVQ args_counts+0(BX), R9
	MOVQ args_rows(BX), R10
	MOVQ args_sumCell(BX), DX
	SHLQ $2, DX
	COUNTING
row:
	MOVQ SI, R8
	MOVQ R9, DI
	MOVQ args_cols(BX), AX
cell:
	VMOVDQU (R8), Y0
	VMOVDQU 32(R8), Y4
	FIRE(0, Y0, Y1, Y2, Y3)
	FIRE(32, Y4, Y5, Y6, Y7)
	VPADDD Y2, Y3, Y3
	VPADDD Y6, Y7, Y7
	VPMULLD 64(R12), Y3, Y3
	VPMULLD 96(R12), Y7, Y7
	VPADDD Y3, Y0, Y0
	VPADDD Y7, Y4, Y4
	VMOVDQU Y0, (R8)
	VMOVDQU Y4, 32(R8)
	BYTES
	PUT(whole, not8, not4, not2, put)
	ADDQ DX, R8
	ADDQ args_countCell(BX), DI
	DECQ AX
	JNZ cell
	MOVQ args_sumRow(BX), AX
	LEAQ (SI)(AX*4), SI
	ADDQ args_countRow(BX), R9
	DECQ R10
	JNZ row
	VZEROUPPER
	RET

// func peakAVX2(n int) (ops int)
TEXT ·peakAVX2(SB), NOSPLIT, $0-16
	MOVQ n+0(FP), CX
	MOVQ CX, AX
	IMULQ $(6*64), AX
	MOVQ AX, ops+8(FP)
	ZERO2(Y12, Y13)
loop:
	VPMADDUBSW Y12, Y13, Y6
	VPADDW Y6, Y0, Y0
	VPMADDUBSW Y12, Y13, Y7
	VPADDW Y7, Y1, Y1
	VPMADDUBSW Y12, Y13, Y8
	VPADDW Y8, Y2, Y2
	VPMADDUBSW Y12, Y13, Y9
	VPADDW Y9, Y3, Y3
	VPMADDUBSW Y12, Y13, Y10
	VPADDW Y10, Y4, Y4
	VPMADDUBSW Y12, Y13, Y11
	VPADDW Y11, Y5, Y5
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET

// PRODUCTS is 4 products of vectors: VPDPBUSD Y12, Y14, ... as in VNNI.
#define PRODUCTS(r, a, b, c, d) \
	BYTE $0xc4; BYTE r; BYTE $0x0d; BYTE $0x50; BYTE a; \
	BYTE $0xc4; BYTE r; BYTE $0x0d; BYTE $0x50; BYTE b; \
	BYTE $0xc4; BYTE r; BYTE $0x0d; BYTE $0x50; BYTE c; \
	BYTE $0xc4; BYTE r; BYTE $0x0d; BYTE $0x50; BYTE d

// func peakVNNI(n int) (ops int)
TEXT ·peakVNNI(SB), NOSPLIT, $0-16
	MOVQ n+0(FP), CX
	MOVQ CX, AX
	IMULQ $(12*64), AX
	MOVQ AX, ops+8(FP)
	ZERO2(Y12, Y14)
loop:
	PRODUCTS($0xc2, $0xc4, $0xcc, $0xd4, $0xdc)
	PRODUCTS($0xc2, $0xe4, $0xec, $0xf4, $0xfc)
	PRODUCTS($0x42, $0xc4, $0xcc, $0xd4, $0xdc)
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET
