//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Registers of a mul kernel:
//
//	BX   arguments                SI, R8, R9  cells of the tiles, of tiles 0, 4 and 8; also
//	DX   bytes from a tile to the             R10-R12 of tiles 12, 16 and 20
//	     next, R13 is 3*DX        DI   weights
//	AX   tiles left               CX   groups left by two
//	Z0-Z23 sums, Z24 and Z25 weights, Z26-Z29 cells
//
// It takes 12 tiles of two blocks, or 4 at the end, or 24 or 8 of one.
//
// Frame: 8 cells of the tiles, 16 products of the tiles.

#define TWO4(o, base, a, b, c, d, e, f, g, h) \
	VPBROADCASTD o(base), Z26; \
	VPBROADCASTD o(base)(DX*1), Z27; \
	VPBROADCASTD o(base)(DX*2), Z28; \
	VPBROADCASTD o(base)(R13*1), Z29; \
	VPDPWSSD Z24, Z26, a; VPDPWSSD Z25, Z26, e; \
	VPDPWSSD Z24, Z27, b; VPDPWSSD Z25, Z27, f; \
	VPDPWSSD Z24, Z28, c; VPDPWSSD Z25, Z28, g; \
	VPDPWSSD Z24, Z29, d; VPDPWSSD Z25, Z29, h

#define ONE4(o, base, a, b, c, d) \
	VPDPWSSD.BCST o(base), Z24, a; \
	VPDPWSSD.BCST o(base)(DX*1), Z24, b; \
	VPDPWSSD.BCST o(base)(DX*2), Z24, c; \
	VPDPWSSD.BCST o(base)(R13*1), Z24, d

#define TWOS4(o, w) \
	VMOVDQA32 w(DI), Z24; \
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

#define ZERO4(a, b, c, d) \
	VPXORD a, a, a; VPXORD b, b, b; VPXORD c, c, c; VPXORD d, d, d

#define BEGIN \
	MOVQ a+0(FP), BX; \
	MOVQ mulArgs_cell(BX), DX; \
	ADDQ DX, DX; \
	LEAQ (DX)(DX*2), R13; \
	MOVQ mulArgs_cells+0(BX), AX; MOVQ AX, tile-8(SP); \
	MOVQ mulArgs_products+0(BX), AX; MOVQ AX, out-16(SP); \
	MOVQ mulArgs_n(BX), AX

#define TILE \
	MOVQ tile-8(SP), SI; \
	LEAQ (SI)(DX*4), R8; \
	LEAQ (SI)(DX*8), R9; \
	MOVQ mulArgs_weights+0(BX), DI; \
	MOVQ mulArgs_groups(BX), CX; \
	SHRQ $1, CX

// TAKEN sets CX to the number of tiles, most at most, and goes on to the next ones.
#define TAKEN(most) \
	MOVQ $most, CX; \
	CMPQ CX, AX; \
	CMOVQGT AX, CX; \
	SUBQ CX, AX; \
	MOVQ CX, SI; \
	IMULQ DX, SI; \
	ADDQ SI, tile-8(SP); \
	MOVQ out-16(SP), DI

#define STORE2(a, b, end) \
	VMOVDQU32 a, (DI); \
	VMOVDQU32 b, (DI)(R8*1); \
	ADDQ $64, DI; \
	DECQ CX; \
	JZ end

#define STORE4(a, b, c, d, end) \
	VMOVDQU32 a, (DI); ADDQ $64, DI; DECQ CX; JZ end; \
	VMOVDQU32 b, (DI); ADDQ $64, DI; DECQ CX; JZ end; \
	VMOVDQU32 c, (DI); ADDQ $64, DI; DECQ CX; JZ end; \
	VMOVDQU32 d, (DI); ADDQ $64, DI; DECQ CX; JZ end

// func mulPairAVX512(a *mulArgs)
TEXT ·mulPairAVX512(SB), NOSPLIT, $16-8
	BEGIN
tiles:
	TILE
	ZERO4(Z0, Z1, Z2, Z3)
	ZERO4(Z12, Z13, Z14, Z15)
	CMPQ AX, $8
	JLE narrow
	ZERO4(Z4, Z5, Z6, Z7)
	ZERO4(Z8, Z9, Z10, Z11)
	ZERO4(Z16, Z17, Z18, Z19)
	ZERO4(Z20, Z21, Z22, Z23)
groups12:
	TWOS12(0, 0)
	TWOS12(4, 128)
	ADDQ $8, SI
	ADDQ $8, R8
	ADDQ $8, R9
	ADDQ $256, DI
	DECQ CX
	JNZ groups12
	TAKEN(12)
	JMP store
narrow:
	TWOS4(0, 0)
	TWOS4(4, 128)
	ADDQ $8, SI
	ADDQ $256, DI
	DECQ CX
	JNZ narrow
	TAKEN(4)
store:
	MOVQ mulArgs_blockStride(BX), R8
	SHLQ $2, R8
	STORE2(Z0, Z12, end)
	STORE2(Z1, Z13, end)
	STORE2(Z2, Z14, end)
	STORE2(Z3, Z15, end)
	STORE2(Z4, Z16, end)
	STORE2(Z5, Z17, end)
	STORE2(Z6, Z18, end)
	STORE2(Z7, Z19, end)
	STORE2(Z8, Z20, end)
	STORE2(Z9, Z21, end)
	STORE2(Z10, Z22, end)
	STORE2(Z11, Z23, end)
end:
	MOVQ DI, out-16(SP)
	TESTQ AX, AX
	JNZ tiles
	VZEROUPPER
	RET

// func mulSingleAVX512(a *mulArgs)
TEXT ·mulSingleAVX512(SB), NOSPLIT, $16-8
	BEGIN
tiles:
	TILE
	ZERO4(Z0, Z1, Z2, Z3)
	ZERO4(Z4, Z5, Z6, Z7)
	CMPQ AX, $16
	JLE narrow
	ZERO4(Z8, Z9, Z10, Z11)
	ZERO4(Z12, Z13, Z14, Z15)
	ZERO4(Z16, Z17, Z18, Z19)
	ZERO4(Z20, Z21, Z22, Z23)
	LEAQ (R8)(DX*8), R10
	LEAQ (R9)(DX*8), R11
	LEAQ (R10)(DX*8), R12
groups24:
	ONES24(0, 0)
	ONES24(4, 64)
	ADDQ $8, SI
	ADDQ $8, R8
	ADDQ $8, R9
	ADDQ $8, R10
	ADDQ $8, R11
	ADDQ $8, R12
	ADDQ $128, DI
	DECQ CX
	JNZ groups24
	TAKEN(24)
	JMP store
narrow:
	ONES8(0, 0)
	ONES8(4, 64)
	ADDQ $8, SI
	ADDQ $8, R8
	ADDQ $128, DI
	DECQ CX
	JNZ narrow
	TAKEN(8)
store:
	STORE4(Z0, Z1, Z2, Z3, end)
	STORE4(Z4, Z5, Z6, Z7, end)
	STORE4(Z8, Z9, Z10, Z11, end)
	STORE4(Z12, Z13, Z14, Z15, end)
	STORE4(Z16, Z17, Z18, Z19, end)
	STORE4(Z20, Z21, Z22, Z23, end)
end:
	MOVQ DI, out-16(SP)
	TESTQ AX, AX
	JNZ tiles
	VZEROUPPER
	RET
