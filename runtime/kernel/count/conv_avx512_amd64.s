//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Registers of a conv kernel:
//
//	BX   arguments                SI   cells of the tile, of its cell 0; then
//	DX   bytes from an output     R8-R12 of its cells 4, 8, 12, 16, 20
//	     cell to the next         R13  3*DX
//	DI   weights                  AX   windows done
//	CX   groups left of a window
//	Z0-Z23 sums of the tile, Z24 and Z25 weights, Z26-Z31 cells
//
// A tile is 12 output cells of two vectors of weights, or 4 at the end of a row; or 24 or 8 of
// one. Then the sums of each cell are finished in turn: they are stored, or become counts.
//
// Frame: 8 rows left, 16 cells of the row, 24 results of the row, 32 cells left of
// the row, 40 cells of the tile, 48 results of the tile, 56 the tile's number of cells.

// ALL4 sets the sums of 4 cells.
#define ALL4(v, a, b, c, d) \
	VMOVDQA32 v, a; VMOVDQA32 v, b; VMOVDQA32 v, c; VMOVDQA32 v, d

// TWO4 multiplies the groups at o from base, base+DX, ... with the weights Z24 and Z25.
#define TWO4(o, base, a, b, c, d, e, f, g, h) \
	VPBROADCASTD o(base), Z26; \
	VPBROADCASTD o(base)(DX*1), Z27; \
	VPBROADCASTD o(base)(DX*2), Z28; \
	VPBROADCASTD o(base)(R13*1), Z29; \
	VPDPBUSD Z24, Z26, a; VPDPBUSD Z25, Z26, e; \
	VPDPBUSD Z24, Z27, b; VPDPBUSD Z25, Z27, f; \
	VPDPBUSD Z24, Z28, c; VPDPBUSD Z25, Z28, g; \
	VPDPBUSD Z24, Z29, d; VPDPBUSD Z25, Z29, h

// ONE4 is TWO4 for the weights Z24 alone.
#define ONE4(o, base, a, b, c, d) \
	VPBROADCASTD o(base), Z26; \
	VPBROADCASTD o(base)(DX*1), Z27; \
	VPBROADCASTD o(base)(DX*2), Z28; \
	VPBROADCASTD o(base)(R13*1), Z29; \
	VPDPBUSD Z24, Z26, a; \
	VPDPBUSD Z24, Z27, b; \
	VPDPBUSD Z24, Z28, c; \
	VPDPBUSD Z24, Z29, d

// The groups at o with the weights at w, for tiles of two vectors and of one.
#define TWOS4(o, w) \
	VMOVDQA32 (w+0)(DI), Z24; \
	VMOVDQA32 (w+64)(DI), Z25; \
	TWO4(o, SI, Z0, Z1, Z2, Z3, Z12, Z13, Z14, Z15)
#define TWOS12(o, w) \
	TWOS4(o, w); \
	TWO4(o, R8, Z4, Z5, Z6, Z7, Z16, Z17, Z18, Z19); \
	TWO4(o, R9, Z8, Z9, Z10, Z11, Z20, Z21, Z22, Z23)
#define ONES8(o, w) \
	VMOVDQA32 w(DI), Z24; \
	ONE4(o, SI, Z0, Z1, Z2, Z3); \
	ONE4(o, R8, Z4, Z5, Z6, Z7)
#define ONES24(o, w) \
	ONES8(o, w); \
	ONE4(o, R9, Z8, Z9, Z10, Z11); \
	ONE4(o, R10, Z12, Z13, Z14, Z15); \
	ONE4(o, R11, Z16, Z17, Z18, Z19); \
	ONE4(o, R12, Z20, Z21, Z22, Z23)

// CELLSn finds the cells of a tile of n cells from SI on, NEXTn moves them.
#define CELLS4
#define CELLS8 LEAQ (SI)(DX*4), R8
#define CELLS12 CELLS8; LEAQ (SI)(DX*8), R9
#define CELLS24 CELLS12; LEAQ (R8)(DX*8), R10; LEAQ (R9)(DX*8), R11; LEAQ (R10)(DX*8), R12
#define NEXT4(n) ADDQ $n, SI
#define NEXT8(n) NEXT4(n); ADDQ $n, R8
#define NEXT12(n) NEXT8(n); ADDQ $n, R9
#define NEXT24(n) NEXT12(n); ADDQ $n, R10; ADDQ $n, R11; ADDQ $n, R12

// WINDOWS adds the products of all windows: weights of a group are w bytes.
#define WINDOWS(window, even, CELLS, DOTS, NEXT, w, done) \
	XORQ AX, AX; \
window: \
	CMPQ AX, args_offsets+8(BX); \
	JGE done; \
	MOVQ args_offsets+0(BX), CX; \
	MOVQ (CX)(AX*8), SI; \
	MOVQ args_lengths+0(BX), CX; \
	MOVQ (CX)(AX*8), CX; \
	ADDQ tile-40(SP), SI; \
	CELLS; \
	INCQ AX; \
	SHRQ $1, CX; \
	JCC even; \
	DOTS(0, 0); \
	NEXT(4); \
	ADDQ $w, DI; \
	TESTQ CX, CX; \
	JZ window; \
even: \
	DOTS(0, 0); \
	DOTS(4, w); \
	NEXT(8); \
	ADDQ $(2*w), DI; \
	DECQ CX; \
	JNZ even; \
	JMP window

#define BEGIN \
	MOVQ a+0(FP), BX; \
	MOVQ args_rows(BX), AX; MOVQ AX, rows-8(SP); \
	MOVQ args_cells+0(BX), AX; MOVQ AX, row-16(SP); \
	MOVQ args_counts+0(BX), AX; \
	MOVQ args_sums+0(BX), CX; \
	TESTQ CX, CX; \
	CMOVQNE CX, AX; \
	MOVQ AX, outrow-24(SP)

#define ROW \
	MOVQ args_cols(BX), AX; MOVQ AX, left-32(SP); \
	MOVQ row-16(SP), AX; MOVQ AX, tile-40(SP); \
	MOVQ outrow-24(SP), AX; MOVQ AX, out-48(SP)

// ENDROW moves to the next row.
#define ENDROW(row) \
	MOVQ args_srcRow(BX), AX; ADDQ AX, row-16(SP); \
	MOVQ args_countRow(BX), AX; \
	MOVQ args_sumRow(BX), CX; SHLQ $2, CX; \
	CMPQ args_sums+0(BX), $0; \
	CMOVQNE CX, AX; \
	ADDQ AX, outrow-24(SP); \
	DECQ rows-8(SP); \
	JNZ row

// TILE begins a tile: DX, R13, DI, and CX to the parameters.
#define TILE \
	MOVQ args_srcCell(BX), DX; \
	LEAQ (DX)(DX*2), R13; \
	MOVQ args_weights+0(BX), DI; \
	MOVQ args_params+0(BX), CX

// TAKEN ends a tile of up to n cells: AX and its frame hold their number, R8 the bytes
// between results, DI the first.
#define TAKEN(n) \
	MOVQ $n, AX; \
	CMPQ AX, left-32(SP); \
	CMOVQGT left-32(SP), AX; \
	SUBQ AX, left-32(SP); \
	MOVQ AX, taken-56(SP); \
	IMULQ AX, DX; \
	ADDQ DX, tile-40(SP)

// STORES begins the stores of sums, FIRES those of counts, of the block with parameters at
// p and lanes at l: R12 parameters, Z24 threshold, Z25 below, Z26 one, Z27 -1, Z30 top, Z31 0,
// K3 lanes.
#define STORES \
	MOVQ args_sumCell(BX), R8; \
	SHLQ $2, R8; \
	MOVQ out-48(SP), DI; \
	MOVQ taken-56(SP), AX

#define FIRES(p, l) \
	MOVQ args_params+0(BX), R12; \
	ADDQ $p, R12; \
	VMOVDQU32 64(R12), Z24; \
	VMOVDQU32 192(R12), Z25; \
	VMOVDQU32 256(R12), Z26; \
	VPTERNLOGD $0xff, Z27, Z27, Z27; \
	VBROADCASTSS args_top(BX), Z30; \
	VPXORD Z31, Z31, Z31; \
	MOVQ args_lanes+l(BX), CX; \
	MOVL $-1, AX; \
	BZHIL CX, AX, AX; \
	KMOVW AX, K3; \
	MOVQ args_countCell(BX), R8; \
	MOVQ out-48(SP), DI; \
	MOVQ taken-56(SP), AX

// LESS takes for each potential v its thresholds, less one or none, off it: Z28 has their number.
#define LESS(v) \
	VCVTDQ2PS v, Z28; \
	VMULPS Z25, Z28, Z28; \
	VMINPS Z30, Z28, Z28; \
	VMAXPS Z31, Z28, Z28; \
	VCVTTPS2DQ Z28, Z28; \
	VPMULLD Z24, Z28, Z29; \
	VPSUBD Z29, v, v

// MORE adds to Z28 what is left to emit, by what LESS left of potentials v.
#define MORE(v) \
	VPCMPGTD Z26, v, K1; \
	VPCMPGTD 320(R12), v, K2; \
	VPSUBD Z27, Z28, K1, Z28; \
	VPSUBD Z27, Z28, K2, Z28; \
	VPMOVDB Z28, X28

#define COUNT(v, end) \
	LESS(v); \
	MORE(v); \
	VMOVDQU8 X28, K3, (DI); \
	ADDQ R8, DI; \
	DECQ AX; \
	JZ end

#define STORE(v, end) \
	VMOVDQU32 v, (DI); \
	ADDQ R8, DI; \
	DECQ AX; \
	JZ end

#define EACH12(OP, a, b, c, d, e, f, g, h, i, j, k, l, end) \
	OP(a, end); OP(b, end); OP(c, end); OP(d, end); OP(e, end); OP(f, end); \
	OP(g, end); OP(h, end); OP(i, end); OP(j, end); OP(k, end); OP(l, end)

#define FIRST12(OP, end) EACH12(OP, Z0, Z1, Z2, Z3, Z4, Z5, Z6, Z7, Z8, Z9, Z10, Z11, end)
#define LAST12(OP, end) EACH12(OP, Z12, Z13, Z14, Z15, Z16, Z17, Z18, Z19, Z20, Z21, Z22, Z23, end)

// JOIN adds the sums of the low bytes to those of the high ones.
#define JOIN(h, l) VPSLLD $8, h, h; VPADDD l, h, h

// func pairAVX512(a *args)
TEXT ·pairAVX512(SB), NOSPLIT, $56-8
	BEGIN
row:
	ROW
tile:
	TILE
	VPXORD Z24, Z24, Z24
	VMOVDQU32 (CX), Z25
	CMPQ args_planes(BX), $2
	JEQ start
	VMOVDQU32 (CX), Z24
	VMOVDQU32 384(CX), Z25
start:
	ALL4(Z24, Z0, Z1, Z2, Z3)
	ALL4(Z25, Z12, Z13, Z14, Z15)
	CMPQ left-32(SP), $8
	JLE narrow
	ALL4(Z24, Z4, Z5, Z6, Z7)
	ALL4(Z24, Z8, Z9, Z10, Z11)
	ALL4(Z25, Z16, Z17, Z18, Z19)
	ALL4(Z25, Z20, Z21, Z22, Z23)
	WINDOWS(window12, even12, CELLS12, TWOS12, NEXT12, 128, done12)
narrow:
	WINDOWS(window4, even4, CELLS4, TWOS4, NEXT4, 128, done4)
done12:
	TAKEN(12)
	JMP finish
done4:
	TAKEN(4)
finish:
	CMPQ args_planes(BX), $2
	JEQ join
	CMPQ args_sums+0(BX), $0
	JNE sums2
	FIRES(384, 8)
	ADDQ $16, DI
	LAST12(COUNT, first)
	JMP first
join:
	JOIN(Z0, Z12); JOIN(Z1, Z13); JOIN(Z2, Z14); JOIN(Z3, Z15)
	JOIN(Z4, Z16); JOIN(Z5, Z17); JOIN(Z6, Z18); JOIN(Z7, Z19)
	JOIN(Z8, Z20); JOIN(Z9, Z21); JOIN(Z10, Z22); JOIN(Z11, Z23)
	CMPQ args_sums+0(BX), $0
	JNE sums
first:
	FIRES(0, 0)
	FIRST12(COUNT, end)
	JMP end
sums2:
	STORES
	ADDQ $64, DI
	LAST12(STORE, sums)
sums:
	STORES
	FIRST12(STORE, end)
end:
	MOVQ DI, out-48(SP)
	CMPQ left-32(SP), $0
	JNE tile
	ENDROW(row)
	VZEROUPPER
	RET

// func singleAVX512(a *args)
TEXT ·singleAVX512(SB), NOSPLIT, $56-8
	BEGIN
row:
	ROW
tile:
	TILE
	VMOVDQU32 (CX), Z24
	ALL4(Z24, Z0, Z1, Z2, Z3)
	ALL4(Z24, Z4, Z5, Z6, Z7)
	CMPQ left-32(SP), $16
	JLE narrow
	ALL4(Z24, Z8, Z9, Z10, Z11)
	ALL4(Z24, Z12, Z13, Z14, Z15)
	ALL4(Z24, Z16, Z17, Z18, Z19)
	ALL4(Z24, Z20, Z21, Z22, Z23)
	WINDOWS(window24, even24, CELLS24, ONES24, NEXT24, 64, done24)
narrow:
	WINDOWS(window8, even8, CELLS8, ONES8, NEXT8, 64, done8)
done24:
	TAKEN(24)
	JMP finish
done8:
	TAKEN(8)
finish:
	CMPQ args_sums+0(BX), $0
	JNE sums
	FIRES(0, 0)
	FIRST12(COUNT, end)
	LAST12(COUNT, end)
	JMP end
sums:
	STORES
	FIRST12(STORE, end)
	LAST12(STORE, end)
end:
	MOVQ DI, out-48(SP)
	CMPQ left-32(SP), $0
	JNE tile
	ENDROW(row)
	VZEROUPPER
	RET

// func settleAVX512(a *args)
TEXT ·settleAVX512(SB), NOSPLIT, $56-8
	MOVQ a+0(FP), BX
	MOVQ args_sums+0(BX), SI
	MOVQ args_counts+0(BX), R9
	MOVQ args_rows(BX), R10
	MOVQ args_sumCell(BX), DX
	SHLQ $2, DX
row:
	MOVQ R9, out-48(SP)
	MOVQ args_cols(BX), AX
	MOVQ AX, taken-56(SP)
	FIRES(0, 0)
	MOVQ SI, R11
cell:
	VMOVDQU32 (R11), Z0
	LESS(Z0)
	MORE(Z0)
	VPSUBD Z24, Z0, K1, Z0
	VPSUBD Z24, Z0, K2, Z0
	VMOVDQU8 X28, K3, (DI)
	VMOVDQU32 Z0, (R11)
	ADDQ DX, R11
	ADDQ R8, DI
	DECQ AX
	JNZ cell
	MOVQ args_sumRow(BX), AX
	LEAQ (SI)(AX*4), SI
	ADDQ args_countRow(BX), R9
	DECQ R10
	JNZ row
	VZEROUPPER
	RET

#define PRODUCTS(a, b, c, d, e, f) \
	VPDPBUSD Z24, Z25, a; VPDPBUSD Z24, Z25, b; VPDPBUSD Z24, Z25, c; \
	VPDPBUSD Z24, Z25, d; VPDPBUSD Z24, Z25, e; VPDPBUSD Z24, Z25, f

// func peakAVX512(n int) (ops int)
TEXT ·peakAVX512(SB), NOSPLIT, $0-16
	MOVQ n+0(FP), CX
	MOVQ CX, AX
	IMULQ $(24*128), AX
	MOVQ AX, ops+8(FP)
	VPXORD Z24, Z24, Z24
	VPXORD Z25, Z25, Z25
loop:
	PRODUCTS(Z0, Z1, Z2, Z3, Z4, Z5); PRODUCTS(Z6, Z7, Z8, Z9, Z10, Z11)
	PRODUCTS(Z12, Z13, Z14, Z15, Z16, Z17); PRODUCTS(Z18, Z19, Z20, Z21, Z22, Z23)
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET
