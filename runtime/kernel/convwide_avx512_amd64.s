//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Wide blocks have 32 output channels, one in each lane of two vectors, so that
// weights are whole lines and source cells single numbers, which no line splits.
//
// Registers of wideTilesAVX512:
//
//	BX   arguments            SI   src of the tile
//	DI   sums of the tile     R8   tiles left
//	DX   weights of the tap   R9   bytes between channels
//	R10  src of the channel   R11  channels left
//	R12  offset of the tap    CX   taps left
//	R13  src of the tap       R14  line of the source to fetch, R15 bytes to the
//	AX   line of dst to fetch      one of the next channel
//	Z0-Z12 sums of channels 0-15, a cell each, Z13-Z25 of channels 16-31
//	Z26, Z27 weights          Z28-Z31 cells

#define EACH(OP) \
	OP(0, Z0, Z13, Z28); OP(1, Z1, Z14, Z29); OP(2, Z2, Z15, Z30); OP(3, Z3, Z16, Z31); \
	OP(4, Z4, Z17, Z28); OP(5, Z5, Z18, Z29); OP(6, Z6, Z19, Z30); OP(7, Z7, Z20, Z31); \
	OP(8, Z8, Z21, Z28); OP(9, Z9, Z22, Z29); OP(10, Z10, Z23, Z30); OP(11, Z11, Z24, Z31); \
	OP(12, Z12, Z25, Z28)

#define ZERO(p, a, b, c) VPXORD a, a, a; VPXORD b, b, b
#define RESUME(p, a, b, c) VMOVUPS (p*128)(DI), a; VMOVUPS (p*128+64)(DI), b
#define TAP(p, a, b, c) VBROADCASTSS (p*4)(R13), c; VFMADD231PS c, Z26, a; VFMADD231PS c, Z27, b
#define STORE(p, a, b, c) VMOVUPS a, (p*128)(DI); VMOVUPS b, (p*128+64)(DI)

// PREFETCHW_AX fetches the line at AX to write it. The assembler does not know it.
#define PREFETCHW_AX BYTE $0x0f; BYTE $0x0d; BYTE $0x08

// Frame: 8 bytes between channels of dst, 16 channels left when the lines of all 32
// are fetched, 24 dst of the tile.

// func wideTilesAVX512(a *rowArgs, sums, src, dst *float32, tiles int)
TEXT ·wideTilesAVX512(SB), NOSPLIT, $24-40
	MOVQ a+0(FP), BX
	MOVQ sums+8(FP), DI
	MOVQ src+16(FP), SI
	MOVQ dst+24(FP), AX
	MOVQ AX, to-24(SP)
	MOVQ tiles+32(FP), R8
	MOVQ rowArgs_dstStride(BX), AX
	SHLQ $2, AX
	MOVQ AX, stride-8(SP)
	MOVQ rowArgs_channels(BX), AX
	SUBQ $32, AX
	MOVQ AX, enough-16(SP)
	MOVQ rowArgs_aheadStride(BX), R15
	MOVQ rowArgs_channelStride(BX), R9
	SHLQ $2, R9
tile:
	CMPB rowArgs_resume(BX), $0
	JEQ zero
	EACH(RESUME)
	JMP sum
zero:
	EACH(ZERO)
sum:
	MOVQ rowArgs_weights(BX), DX
	MOVQ rowArgs_channels(BX), R11
	MOVQ SI, R10
	MOVQ to-24(SP), AX
	ADDQ $(13*4), to-24(SP)
	MOVQ rowArgs_ahead(BX), R14
	ADDQ $64, rowArgs_ahead(BX)
channel:
	PREFETCHT1 (R14)
	ADDQ R15, R14
	CMPQ R11, enough-16(SP)
	JLE fetched
	PREFETCHW_AX
	ADDQ stride-8(SP), AX
fetched:
	MOVQ rowArgs_offsets(BX), R12
	MOVQ rowArgs_offsets+8(BX), CX
tap:
	MOVQ (R12), R13
	LEAQ (R10)(R13*4), R13
	VMOVUPS (DX), Z26
	VMOVUPS 64(DX), Z27
	EACH(TAP)
	ADDQ $8, R12
	ADDQ $128, DX
	DECQ CX
	JNE tap
	ADDQ R9, R10
	DECQ R11
	JNE channel
	EACH(STORE)
	ADDQ $(13*128), DI
	ADDQ $(13*4), SI
	DECQ R8
	JNE tile
	VZEROUPPER
	RET

// A matrix of 16 x 16 floats is turned round in four passes, each of which
// exchanges halves: single floats, pairs, quarters, halves of vectors.

#define UNPACK(a, b, c, d) \
	VUNPCKLPS b, a, c; VUNPCKHPS b, a, d
#define PAIRS(a, b, c, d) \
	VUNPCKLPD b, a, c; VUNPCKHPD b, a, d
#define QUARTERS(a, b, c, d) \
	VSHUFF32X4 $0x88, b, a, c; VSHUFF32X4 $0xdd, b, a, d

#define FLOATS \
	UNPACK(Z0, Z1, Z16, Z17); UNPACK(Z2, Z3, Z18, Z19); UNPACK(Z4, Z5, Z20, Z21); UNPACK(Z6, Z7, Z22, Z23); \
	UNPACK(Z8, Z9, Z24, Z25); UNPACK(Z10, Z11, Z26, Z27); UNPACK(Z12, Z13, Z28, Z29); UNPACK(Z14, Z15, Z30, Z31); \
	PAIRS(Z16, Z18, Z0, Z1); PAIRS(Z17, Z19, Z2, Z3); PAIRS(Z20, Z22, Z4, Z5); PAIRS(Z21, Z23, Z6, Z7); \
	PAIRS(Z24, Z26, Z8, Z9); PAIRS(Z25, Z27, Z10, Z11); PAIRS(Z28, Z30, Z12, Z13); PAIRS(Z29, Z31, Z14, Z15); \
	QUARTERS(Z0, Z4, Z16, Z17); QUARTERS(Z1, Z5, Z18, Z19); QUARTERS(Z2, Z6, Z20, Z21); QUARTERS(Z3, Z7, Z22, Z23); \
	QUARTERS(Z8, Z12, Z24, Z25); QUARTERS(Z9, Z13, Z26, Z27); QUARTERS(Z10, Z14, Z28, Z29); QUARTERS(Z11, Z15, Z30, Z31); \
	QUARTERS(Z16, Z24, Z0, Z8); QUARTERS(Z18, Z26, Z1, Z9); QUARTERS(Z20, Z28, Z2, Z10); QUARTERS(Z22, Z30, Z3, Z11); \
	QUARTERS(Z17, Z25, Z4, Z12); QUARTERS(Z19, Z27, Z5, Z13); QUARTERS(Z21, Z29, Z6, Z14); QUARTERS(Z23, Z31, Z7, Z15)

#define LOAD(p, a) VMOVUPS (p*128)(SI), a
#define PLUS(p, a) VADDPS.BCST (p*4)(DX), a, a
#define TIMES(p, a) VMULPS.BCST (p*4)(DX), a, a
// As with CLIP, the first operand of the maximum is the bound.
#define RELU(p, a) VMAXPS a, Z16, a
#define PUT(p, a) VMOVUPS a, K1, (DI); ADDQ R9, DI

#define ROWS(OP) \
	OP(0, Z0); OP(1, Z1); OP(2, Z2); OP(3, Z3); OP(4, Z4); OP(5, Z5); OP(6, Z6); OP(7, Z7); \
	OP(8, Z8); OP(9, Z9); OP(10, Z10); OP(11, Z11); OP(12, Z12); OP(13, Z13); OP(14, Z14); OP(15, Z15)

// func wideStoreAVX512(dst *float32, dstStride int, sums *float32, n int, tail *wideTail)
TEXT ·wideStoreAVX512(SB), NOSPLIT, $0-40
	MOVQ tail+32(FP), BX
	MOVQ dstStride+8(FP), R9
	SHLQ $2, R9
	MOVQ sums+16(FP), SI
	MOVQ n+24(FP), R8
	MOVQ dst+0(FP), R10
cells:
	MOVL $-1, CX
	BZHIL R8, CX, CX
	KMOVW CX, K1
	MOVQ R10, DI
	XORQ R11, R11
half:
	ROWS(LOAD)
	FLOATS
	MOVQ wideTail_bias(BX), DX
	TESTQ DX, DX
	JEQ affine
	ADDQ R11, DX
	ROWS(PLUS)
affine:
	MOVQ wideTail_offset(BX), DX
	TESTQ DX, DX
	JEQ relu
	ADDQ R11, DX
	ROWS(PLUS)
	MOVQ wideTail_scale(BX), DX
	ADDQ R11, DX
	ROWS(TIMES)
	MOVQ wideTail_shift(BX), DX
	ADDQ R11, DX
	ROWS(PLUS)
relu:
	CMPB wideTail_relu(BX), $0
	JEQ put
	VPXORD Z16, Z16, Z16
	ROWS(RELU)
put:
	ROWS(PUT)
	ADDQ $64, SI
	ADDQ $64, R11
	CMPQ R11, $128
	JNE half
	ADDQ $(16*128-128), SI
	ADDQ $64, R10
	SUBQ $16, R8
	JGT cells
	VZEROUPPER
	RET
