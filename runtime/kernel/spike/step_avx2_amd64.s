//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Registers of the step kernel:
//
//	BX   arguments            SI, R8   cells of the tile, of its cells 0 and 3
//	DX   bytes from an output DI       weights
//	     cell to the next     AX       windows done
//	CX   pairs of cells left
//	Y0-Y11 accumulators, 8 channels of a cell each, Y12 and Y13 weights,
//	Y14 cells, Y15 products
//
// A tile is 6 output cells of a block.

#define DOT(cells, lo, hi) \
	VPBROADCASTD cells, Y14; \
	VPMADDWD Y12, Y14, Y15; \
	VPADDD Y15, lo, lo; \
	VPMADDWD Y13, Y14, Y15; \
	VPADDD Y15, hi, hi

#define DOTS(o, w) \
	VMOVDQU w(DI), Y12; \
	VMOVDQU (w+32)(DI), Y13; \
	DOT(o(SI), Y0, Y1); \
	DOT(o(SI)(DX*1), Y2, Y3); \
	DOT(o(SI)(DX*2), Y4, Y5); \
	DOT(o(R8), Y6, Y7); \
	DOT(o(R8)(DX*1), Y8, Y9); \
	DOT(o(R8)(DX*2), Y10, Y11)

#define ZERO2(a, b) VPXOR a, a, a; VPXOR b, b, b

#define STORE2(o, a, b) VMOVDQU a, o(CX); VMOVDQU b, (o+32)(CX)

// HALF advances 8 neurons: their spikes, inverted, go to mask.
#define HALF(o, bias, threshold, fire, mask) \
	VPADDD o(CX), bias, Y0; \
	VPADDD o(SI), Y0, Y0; \
	VPCMPGTD Y0, fire, Y1; \
	VMOVMSKPS Y1, mask; \
	VPANDN threshold, Y1, Y1; \
	VPSUBD Y1, Y0, Y0; \
	VMOVDQU Y0, o(SI)

// func stepAVX2(a *stepArgs)
TEXT ·stepAVX2(SB), NOSPLIT, $64-8
	MOVQ a+0(FP), BX
	MOVQ stepArgs_rows(BX), AX
	MOVQ AX, rows-8(SP)
	MOVQ stepArgs_words+0(BX), AX
	MOVQ AX, row-16(SP)
	MOVQ stepArgs_masks+0(BX), AX
	MOVQ AX, maskrow-24(SP)
	MOVQ stepArgs_v+0(BX), AX
	MOVQ AX, v-32(SP)
row:
	MOVQ stepArgs_cols(BX), AX
	MOVQ AX, left-40(SP)
	MOVQ row-16(SP), AX
	MOVQ AX, tile-48(SP)
	MOVQ maskrow-24(SP), AX
	MOVQ AX, masks-56(SP)
tile:
	MOVQ stepArgs_srcCell(BX), DX
	ADDQ DX, DX
	MOVQ stepArgs_weights+0(BX), DI
	ZERO2(Y0, Y1)
	ZERO2(Y2, Y3)
	ZERO2(Y4, Y5)
	ZERO2(Y6, Y7)
	ZERO2(Y8, Y9)
	ZERO2(Y10, Y11)
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
	LEAQ (SI)(DX*2), R8
	ADDQ DX, R8
	INCQ AX
pairs:
	DOTS(0, 0)
	DOTS(4, 64)
	ADDQ $8, SI
	ADDQ $8, R8
	ADDQ $128, DI
	DECQ CX
	JNZ pairs
	JMP window
done:
	MOVQ stepArgs_scratch+0(BX), CX
	STORE2(0, Y0, Y1)
	STORE2(64, Y2, Y3)
	STORE2(128, Y4, Y5)
	STORE2(192, Y6, Y7)
	STORE2(256, Y8, Y9)
	STORE2(320, Y10, Y11)
	LEAQ (DX)(DX*2), R8
	ADDQ R8, R8
	ADDQ R8, tile-48(SP)
	MOVQ $6, AX
	CMPQ AX, left-40(SP)
	CMOVQGT left-40(SP), AX
	SUBQ AX, left-40(SP)
	MOVQ stepArgs_params+0(BX), DX
	VMOVDQU (DX), Y8
	VMOVDQU 32(DX), Y9
	VMOVDQU 64(DX), Y10
	VMOVDQU 96(DX), Y11
	VMOVDQU 128(DX), Y12
	VMOVDQU 160(DX), Y13
	MOVQ v-32(SP), SI
	MOVQ masks-56(SP), DI
	MOVQ stepArgs_maskCell(BX), DX
	ADDQ DX, DX
fire:
	HALF(0, Y8, Y10, Y12, R8)
	HALF(32, Y9, Y11, Y13, R9)
	SHLL $8, R9
	ORL R9, R8
	NOTL R8
	MOVW R8, (DI)
	ADDQ $64, CX
	ADDQ $64, SI
	ADDQ DX, DI
	DECQ AX
	JNZ fire
	MOVQ SI, v-32(SP)
	MOVQ DI, masks-56(SP)
	CMPQ left-40(SP), $0
	JNE tile
	MOVQ stepArgs_srcRow(BX), AX
	ADDQ AX, AX
	ADDQ AX, row-16(SP)
	MOVQ stepArgs_maskRow(BX), AX
	ADDQ AX, AX
	ADDQ AX, maskrow-24(SP)
	DECQ rows-8(SP)
	JNZ row
	VZEROUPPER
	RET

// func peakAVX2(n int) (ops int)
TEXT ·peakAVX2(SB), NOSPLIT, $0-16
	MOVQ n+0(FP), CX
	MOVQ CX, AX
	IMULQ $(6*32), AX
	MOVQ AX, ops+8(FP)
	VPXOR Y12, Y12, Y12
	VPXOR Y13, Y13, Y13
loop:
	VPMADDWD Y12, Y13, Y6
	VPADDD Y6, Y0, Y0
	VPMADDWD Y12, Y13, Y7
	VPADDD Y7, Y1, Y1
	VPMADDWD Y12, Y13, Y8
	VPADDD Y8, Y2, Y2
	VPMADDWD Y12, Y13, Y9
	VPADDD Y9, Y3, Y3
	VPMADDWD Y12, Y13, Y10
	VPADDD Y10, Y4, Y4
	VPMADDWD Y12, Y13, Y11
	VPADDD Y11, Y5, Y5
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET
