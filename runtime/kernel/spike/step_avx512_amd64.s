//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Registers of a step kernel:
//
//	BX   arguments                SI   cells of the tile, of its cell 0; then
//	DX   bytes from an output     R8-R12 of its cells 4, 8, 12, 16, 20
//	     cell to the next         R13  3*DX
//	DI   weights                  R15  weights of the second block
//	CX   pairs of cells left      AX   windows left
//	R14  window: its offset and length
//	Z0-Z23 accumulators of the tile, Z24 and Z25 weights, Z26-Z31 cells
//
// A tile is 24 output cells of one block, or 12 of two. The sums of a tile go to
// scratch; then neurons take them from there, cell by cell.

#define ZERO4(a, b, c, d) \
	VPXORD a, a, a; VPXORD b, b, b; VPXORD c, c, c; VPXORD d, d, d

// DOT4 multiplies the pairs at o from base, base+DX, ... with the weights Z24.
#define DOT4(o, base, a, b, c, d) \
	VPDPWSSD.BCST o(base), Z24, a; \
	VPDPWSSD.BCST o(base)(DX*1), Z24, b; \
	VPDPWSSD.BCST o(base)(DX*2), Z24, c; \
	VPDPWSSD.BCST o(base)(R13*1), Z24, d

#define DOTS24(o, w) \
	VMOVDQA32 w(DI), Z24; \
	DOT4(o, SI, Z0, Z1, Z2, Z3); \
	DOT4(o, R8, Z4, Z5, Z6, Z7); \
	DOT4(o, R9, Z8, Z9, Z10, Z11); \
	DOT4(o, R10, Z12, Z13, Z14, Z15); \
	DOT4(o, R11, Z16, Z17, Z18, Z19); \
	DOT4(o, R12, Z20, Z21, Z22, Z23)

// TWO4 is DOT4 for two blocks.
#define TWO4(o, base, a, b, c, d, e, f, g, h) \
	VPBROADCASTD o(base), Z26; \
	VPBROADCASTD o(base)(DX*1), Z27; \
	VPBROADCASTD o(base)(DX*2), Z28; \
	VPBROADCASTD o(base)(R13*1), Z29; \
	VPDPWSSD Z26, Z24, a; VPDPWSSD Z26, Z25, e; \
	VPDPWSSD Z27, Z24, b; VPDPWSSD Z27, Z25, f; \
	VPDPWSSD Z28, Z24, c; VPDPWSSD Z28, Z25, g; \
	VPDPWSSD Z29, Z24, d; VPDPWSSD Z29, Z25, h

#define DOTS12(o, w) \
	VMOVDQA32 w(DI), Z24; \
	VMOVDQA32 w(R15), Z25; \
	TWO4(o, SI, Z0, Z1, Z2, Z3, Z12, Z13, Z14, Z15); \
	TWO4(o, R8, Z4, Z5, Z6, Z7, Z16, Z17, Z18, Z19); \
	TWO4(o, R9, Z8, Z9, Z10, Z11, Z20, Z21, Z22, Z23)

#define STORE4(o, a, b, c, d) \
	VMOVDQA32 a, (o+0)(CX); VMOVDQA32 b, (o+64)(CX); \
	VMOVDQA32 c, (o+128)(CX); VMOVDQA32 d, (o+192)(CX)

// FIRE advances the neurons of AX cells with the sums at CX, potentials at SI,
// masks at DI with DX bytes between them, parameters in Z24 (bias), Z25
// (threshold) and Z26 (fire).
#define FIRE(loop) \
loop: \
	VPADDD (CX), Z24, Z0; \
	VPADDD (SI), Z0, Z0; \
	VPCMPD $5, Z26, Z0, K1; \
	VPSUBD Z25, Z0, K1, Z0; \
	VMOVDQU32 Z0, (SI); \
	KMOVW K1, (DI); \
	ADDQ $64, CX; \
	ADDQ $64, SI; \
	ADDQ DX, DI; \
	DECQ AX; \
	JNZ loop

#define PARAMS(o) \
	MOVQ stepArgs_params+0(BX), AX; \
	VMOVDQU32 (o+0)(AX), Z24; \
	VMOVDQU32 (o+64)(AX), Z25; \
	VMOVDQU32 (o+128)(AX), Z26

// Frame: 0 rows left, 8 cells of the row, 16 masks of the row, 24 potentials of
// the tile, 32 columns left, 40 cells of the tile, 48 masks of the tile, 56 the
// tile's number of cells.

#define BEGIN(none) \
	MOVQ a+0(FP), BX; \
	MOVQ stepArgs_rows(BX), AX; MOVQ AX, rows-8(SP); \
	MOVQ stepArgs_words+0(BX), AX; MOVQ AX, row-16(SP); \
	MOVQ stepArgs_masks+0(BX), AX; MOVQ AX, maskrow-24(SP); \
	MOVQ stepArgs_v+0(BX), AX; MOVQ AX, v-32(SP)

#define ROW(none) \
	MOVQ stepArgs_cols(BX), AX; MOVQ AX, left-40(SP); \
	MOVQ row-16(SP), AX; MOVQ AX, tile-48(SP); \
	MOVQ maskrow-24(SP), AX; MOVQ AX, masks-56(SP)

// ENDROW moves to the next row.
#define ENDROW(row) \
	MOVQ stepArgs_srcRow(BX), AX; ADDQ AX, AX; ADDQ AX, row-16(SP); \
	MOVQ stepArgs_maskRow(BX), AX; ADDQ AX, AX; ADDQ AX, maskrow-24(SP); \
	DECQ rows-8(SP); \
	JNZ row

// STRIDES sets DX and R13 to 1 and 3 times the bytes of an output cell's step,
// R14, R15 and AX to the windows.
#define STRIDES \
	MOVQ stepArgs_srcCell(BX), DX; \
	ADDQ DX, DX; \
	LEAQ (DX)(DX*2), R13

// func stepAVX512(a *stepArgs)
TEXT ·stepAVX512(SB), NOSPLIT, $72-8
	BEGIN(0)
row:
	ROW(0)
tile:
	STRIDES
	MOVQ stepArgs_weights+0(BX), DI
	ZERO4(Z0, Z1, Z2, Z3)
	ZERO4(Z4, Z5, Z6, Z7)
	ZERO4(Z8, Z9, Z10, Z11)
	ZERO4(Z12, Z13, Z14, Z15)
	ZERO4(Z16, Z17, Z18, Z19)
	ZERO4(Z20, Z21, Z22, Z23)
	XORQ AX, AX
window:
	CMPQ AX, stepArgs_offsets+8(BX)
	JGE done
	MOVQ stepArgs_offsets+0(BX), CX
	MOVQ (CX)(AX*8), SI
	MOVQ stepArgs_lengths+0(BX), CX
	MOVQ (CX)(AX*8), CX
	SHRQ $2, CX
	ADDQ SI, SI
	ADDQ tile-48(SP), SI
	LEAQ (SI)(DX*4), R8
	LEAQ (SI)(DX*8), R9
	LEAQ (R8)(DX*8), R10
	LEAQ (R9)(DX*8), R11
	LEAQ (R10)(DX*8), R12
	INCQ AX
pairs:
	DOTS24(0, 0)
	DOTS24(4, 64)
	ADDQ $8, SI
	ADDQ $8, R8
	ADDQ $8, R9
	ADDQ $8, R10
	ADDQ $8, R11
	ADDQ $8, R12
	ADDQ $128, DI
	DECQ CX
	JNZ pairs
	JMP window
done:
	MOVQ stepArgs_scratch+0(BX), CX
	STORE4(0, Z0, Z1, Z2, Z3)
	STORE4(256, Z4, Z5, Z6, Z7)
	STORE4(512, Z8, Z9, Z10, Z11)
	STORE4(768, Z12, Z13, Z14, Z15)
	STORE4(1024, Z16, Z17, Z18, Z19)
	STORE4(1280, Z20, Z21, Z22, Z23)
	LEAQ (DX*8), R8
	LEAQ (R8)(DX*8), R8
	LEAQ (R8)(DX*8), R8
	ADDQ R8, tile-48(SP)
	PARAMS(0)
	MOVQ v-32(SP), SI
	MOVQ masks-56(SP), DI
	MOVQ stepArgs_maskCell(BX), DX
	ADDQ DX, DX
	MOVQ $24, AX
	CMPQ AX, left-40(SP)
	CMOVQGT left-40(SP), AX
	SUBQ AX, left-40(SP)
	FIRE(fire)
	MOVQ SI, v-32(SP)
	MOVQ DI, masks-56(SP)
	CMPQ left-40(SP), $0
	JNE tile
	ENDROW(row)
	VZEROUPPER
	RET

// func pairAVX512(a *stepArgs)
TEXT ·pairAVX512(SB), NOSPLIT, $72-8
	BEGIN(0)
row:
	ROW(0)
tile:
	STRIDES
	MOVQ stepArgs_weights+0(BX), DI
	MOVQ stepArgs_weightBlock(BX), R15
	LEAQ (DI)(R15*2), R15
	ZERO4(Z0, Z1, Z2, Z3)
	ZERO4(Z4, Z5, Z6, Z7)
	ZERO4(Z8, Z9, Z10, Z11)
	ZERO4(Z12, Z13, Z14, Z15)
	ZERO4(Z16, Z17, Z18, Z19)
	ZERO4(Z20, Z21, Z22, Z23)
	XORQ AX, AX
window:
	CMPQ AX, stepArgs_offsets+8(BX)
	JGE done
	MOVQ stepArgs_offsets+0(BX), CX
	MOVQ (CX)(AX*8), SI
	MOVQ stepArgs_lengths+0(BX), CX
	MOVQ (CX)(AX*8), CX
	SHRQ $2, CX
	ADDQ SI, SI
	ADDQ tile-48(SP), SI
	LEAQ (SI)(DX*4), R8
	LEAQ (SI)(DX*8), R9
	INCQ AX
pairs:
	DOTS12(0, 0)
	DOTS12(4, 64)
	ADDQ $8, SI
	ADDQ $8, R8
	ADDQ $8, R9
	ADDQ $128, DI
	ADDQ $128, R15
	DECQ CX
	JNZ pairs
	JMP window
done:
	MOVQ stepArgs_scratch+0(BX), CX
	STORE4(0, Z0, Z1, Z2, Z3)
	STORE4(256, Z4, Z5, Z6, Z7)
	STORE4(512, Z8, Z9, Z10, Z11)
	STORE4(768, Z12, Z13, Z14, Z15)
	STORE4(1024, Z16, Z17, Z18, Z19)
	STORE4(1280, Z20, Z21, Z22, Z23)
	LEAQ (DX*8), R8
	LEAQ (R8)(DX*4), R8
	ADDQ R8, tile-48(SP)
	MOVQ $12, R9
	CMPQ R9, left-40(SP)
	CMOVQGT left-40(SP), R9
	SUBQ R9, left-40(SP)
	MOVQ stepArgs_maskCell(BX), DX
	ADDQ DX, DX
	PARAMS(192)
	MOVQ stepArgs_vBlock(BX), SI
	SHLQ $2, SI
	ADDQ v-32(SP), SI
	MOVQ masks-56(SP), DI
	ADDQ $2, DI
	LEAQ 768(CX), CX
	MOVQ R9, AX
	FIRE(fire2)
	PARAMS(0)
	MOVQ v-32(SP), SI
	MOVQ masks-56(SP), DI
	MOVQ stepArgs_scratch+0(BX), CX
	MOVQ R9, AX
	FIRE(fire)
	MOVQ SI, v-32(SP)
	MOVQ DI, masks-56(SP)
	CMPQ left-40(SP), $0
	JNE tile
	ENDROW(row)
	VZEROUPPER
	RET

// func expandBytesAVX512(dst []int8, masks []uint16)
TEXT ·expandBytesAVX512(SB), NOSPLIT, $0-48
	MOVQ dst_base+0(FP), DI
	MOVQ masks_base+24(FP), SI
	MOVQ masks_len+32(FP), CX
	SHRQ $2, CX
	JZ done
	MOVL $0x01010101, AX
	VPBROADCASTD AX, Z1
loop:
	KMOVQ (SI), K1
	VMOVDQU8.Z Z1, K1, Z0
	VMOVDQU64 Z0, (DI)
	ADDQ $8, SI
	ADDQ $64, DI
	DECQ CX
	JNZ loop
done:
	VZEROUPPER
	RET

// func expandWordsAVX512(dst []int16, masks []uint16)
TEXT ·expandWordsAVX512(SB), NOSPLIT, $0-48
	MOVQ dst_base+0(FP), DI
	MOVQ masks_base+24(FP), SI
	MOVQ masks_len+32(FP), CX
	SHRQ $1, CX
	JZ done
	MOVL $0x00010001, AX
	VPBROADCASTD AX, Z1
loop:
	KMOVD (SI), K1
	VMOVDQU16.Z Z1, K1, Z0
	VMOVDQU64 Z0, (DI)
	ADDQ $4, SI
	ADDQ $64, DI
	DECQ CX
	JNZ loop
done:
	VZEROUPPER
	RET

#define PRODUCTS(a, b, c, d, e, f) \
	VPDPWSSD Z24, Z25, a; VPDPWSSD Z24, Z25, b; VPDPWSSD Z24, Z25, c; \
	VPDPWSSD Z24, Z25, d; VPDPWSSD Z24, Z25, e; VPDPWSSD Z24, Z25, f

// func peakAVX512(n int) (ops int)
TEXT ·peakAVX512(SB), NOSPLIT, $0-16
	MOVQ n+0(FP), CX
	MOVQ CX, AX
	IMULQ $(24*64), AX
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

// func cpuVendor() (name [3]uint32)
TEXT ·cpuVendor(SB), NOSPLIT, $0-12
	XORL AX, AX
	CPUID
	MOVL BX, name_0+0(FP)
	MOVL DX, name_1+4(FP)
	MOVL CX, name_2+8(FP)
	RET
