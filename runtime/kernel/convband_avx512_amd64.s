//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// Registers of the band kernel:
//
//	BX   arguments              DI   dst of the tile
//	DX   weights of the channel SI   src of the tile
//	AX   bytes between channels R8   cells left of a row
//	R9   bytes between dst rows R12  bytes between src rows
//	R10  src of the channel     R11  channels left
//	R13  src of the row         K1   lanes of the tile's last vector
//	R14  what to fetch ahead    R15  bytes to the same of the next row
//	K2   lanes of the first vector, and K4 of the only one, whose left neighbours
//	     are no padding, K3 those of the last with such right neighbours
//	Z0-Z17 accumulators, one row after another, three vectors each
//	Z18-Z26 weights in the order of the taps, Z27-Z29 source cells
//
// A source row meets up to three rows of outputs, each by another row of the
// kernel, so that each of its cells is loaded once for three of them.

// ONLY, FIRST, INNER and LAST load what the three columns of the kernel see in a
// vector of the tile.

#define ONLY \
	VMOVUPS.Z (R13), K4, Z27; \
	VMOVUPS.Z 4(R13), K1, Z28; \
	VMOVUPS.Z 8(R13), K3, Z29

#define FIRST \
	VMOVUPS.Z (R13), K2, Z27; \
	VMOVUPS 4(R13), Z28; \
	VMOVUPS 8(R13), Z29

#define INNER \
	VMOVUPS 64(R13), Z27; \
	VMOVUPS 68(R13), Z28; \
	VMOVUPS 72(R13), Z29

#define LAST \
	VMOVUPS.Z 128(R13), K1, Z27; \
	VMOVUPS.Z 132(R13), K1, Z28; \
	VMOVUPS.Z 136(R13), K3, Z29

// TOP, MIDDLE and BOTTOM add a row of the kernel to an accumulator, FIRSTS and
// LASTS the first or last two rows to those of two rows of outputs, ALL all three.

#define TOP(a) \
	VFMADD231PS Z27, Z18, a; \
	VFMADD231PS Z28, Z19, a; \
	VFMADD231PS Z29, Z20, a

#define BOTTOM(a) \
	VFMADD231PS Z27, Z24, a; \
	VFMADD231PS Z28, Z25, a; \
	VFMADD231PS Z29, Z26, a

#define FIRSTS(a, b) \
	VFMADD231PS Z27, Z21, a; \
	VFMADD231PS Z27, Z18, b; \
	VFMADD231PS Z28, Z22, a; \
	VFMADD231PS Z28, Z19, b; \
	VFMADD231PS Z29, Z23, a; \
	VFMADD231PS Z29, Z20, b

#define LASTS(a, b) \
	VFMADD231PS Z27, Z24, a; \
	VFMADD231PS Z27, Z21, b; \
	VFMADD231PS Z28, Z25, a; \
	VFMADD231PS Z28, Z22, b; \
	VFMADD231PS Z29, Z26, a; \
	VFMADD231PS Z29, Z23, b

#define ALL(a, b, c) \
	VFMADD231PS Z27, Z24, a; \
	VFMADD231PS Z27, Z21, b; \
	VFMADD231PS Z27, Z18, c; \
	VFMADD231PS Z28, Z25, a; \
	VFMADD231PS Z28, Z22, b; \
	VFMADD231PS Z28, Z19, c; \
	VFMADD231PS Z29, Z26, a; \
	VFMADD231PS Z29, Z23, b; \
	VFMADD231PS Z29, Z20, c

// AHEAD1 and AHEAD3 fetch cells for the next band: six rows are too little work to
// hide that they come from far.

#define AHEAD1 \
	PREFETCHT0 (R14); \
	ADDQ R15, R14

#define AHEAD3 \
	PREFETCHT0 (R14); \
	PREFETCHT0 64(R14); \
	PREFETCHT0 128(R14); \
	ADDQ R15, R14

// BEYOND fetches a row of outputs of the band below.
#define BEYOND \
	PREFETCHT0 (R10); \
	PREFETCHT0 64(R10); \
	PREFETCHT0 128(R10); \
	ADDQ R9, R10

// CHANNEL1 and CHANNEL3 add one channel to a tile of 1 or 3 vectors.

#define CHANNEL1 \
	AHEAD1; ONLY; TOP(Z0); ADDQ R12, R13; \
	AHEAD1; ONLY; FIRSTS(Z0, Z3); ADDQ R12, R13; \
	AHEAD1; ONLY; ALL(Z0, Z3, Z6); ADDQ R12, R13; \
	AHEAD1; ONLY; ALL(Z3, Z6, Z9); ADDQ R12, R13; \
	AHEAD1; ONLY; ALL(Z6, Z9, Z12); ADDQ R12, R13; \
	AHEAD1; ONLY; ALL(Z9, Z12, Z15); ADDQ R12, R13; \
	AHEAD1; ONLY; LASTS(Z12, Z15); ADDQ R12, R13; \
	AHEAD1; ONLY; BOTTOM(Z15)

#define CHANNEL3 \
	AHEAD3; FIRST; TOP(Z0); INNER; TOP(Z1); LAST; TOP(Z2); ADDQ R12, R13; \
	AHEAD3; FIRST; FIRSTS(Z0, Z3); INNER; FIRSTS(Z1, Z4); LAST; FIRSTS(Z2, Z5); ADDQ R12, R13; \
	AHEAD3; FIRST; ALL(Z0, Z3, Z6); INNER; ALL(Z1, Z4, Z7); LAST; ALL(Z2, Z5, Z8); ADDQ R12, R13; \
	AHEAD3; FIRST; ALL(Z3, Z6, Z9); INNER; ALL(Z4, Z7, Z10); LAST; ALL(Z5, Z8, Z11); ADDQ R12, R13; \
	AHEAD3; FIRST; ALL(Z6, Z9, Z12); INNER; ALL(Z7, Z10, Z13); LAST; ALL(Z8, Z11, Z14); ADDQ R12, R13; \
	AHEAD3; FIRST; ALL(Z9, Z12, Z15); INNER; ALL(Z10, Z13, Z16); LAST; ALL(Z11, Z14, Z17); ADDQ R12, R13; \
	AHEAD3; FIRST; LASTS(Z12, Z15); INNER; LASTS(Z13, Z16); LAST; LASTS(Z14, Z17); ADDQ R12, R13; \
	AHEAD3; FIRST; BOTTOM(Z15); INNER; BOTTOM(Z16); LAST; BOTTOM(Z17)

#define ZERO1(a, b, c) VPXORD a, a, a
#define ZERO3(a, b, c) VPXORD a, a, a; VPXORD b, b, b; VPXORD c, c, c

#define RESUME1(a, b, c) VMOVUPS.Z (R10), K1, a; ADDQ R9, R10
#define RESUME3(a, b, c) \
	VMOVUPS (R10), a; VMOVUPS 64(R10), b; VMOVUPS.Z 128(R10), K1, c; ADDQ R9, R10

#define BIAS1(a, b, c) VADDPS Z27, a, a
#define BIAS3(a, b, c) VADDPS Z27, a, a; VADDPS Z27, b, b; VADDPS Z27, c, c

#define STORE1(a, b, c) VMOVUPS a, K1, (R10); ADDQ R9, R10
#define STORE3(a, b, c) \
	VMOVUPS a, (R10); VMOVUPS b, 64(R10); VMOVUPS c, K1, 128(R10); ADDQ R9, R10

// ROWS applies a macro to the accumulators of each row.
#define ROWS(OP) \
	OP(Z0, Z1, Z2); \
	OP(Z3, Z4, Z5); \
	OP(Z6, Z7, Z8); \
	OP(Z9, Z10, Z11); \
	OP(Z12, Z13, Z14); \
	OP(Z15, Z16, Z17)

// TILE computes full + 16 columns of the band, or the R8 left if they are fewer.
#define TILE(full, CHANNEL, ZERO, RESUME, BIAS, STORE, inside, zero, sum, chan, end) \
	LEAQ -full(R8), R13; \
	MOVQ $16, CX; \
	CMPQ R13, CX; \
	CMOVQGT CX, R13; \
	MOVL $-1, CX; \
	BZHIL R13, CX, CX; \
	KMOVW CX, K1; \
	KMOVW K1, K3; \
	KANDW K1, K2, K4; \
	CMPQ R8, $(full+16); \
	JGT inside; \
	CMPB rowArgs_right(BX), $0; \
	JEQ inside; \
	SHRL $1, CX; \
	KMOVW CX, K3; \
inside: \
	CMPB rowArgs_resume(BX), $0; \
	JEQ zero; \
	MOVQ DI, R10; \
	ROWS(RESUME); \
	JMP sum; \
zero: \
	ROWS(ZERO); \
	LEAQ (R9)(R9*2), R10; \
	LEAQ (DI)(R10*2), R10; \
	BEYOND; BEYOND; BEYOND; BEYOND; BEYOND; BEYOND; \
sum: \
	MOVQ rowArgs_ahead(BX), R14; \
	ADDQ $(4*full+64), rowArgs_ahead(BX); \
	MOVQ rowArgs_weights(BX), DX; \
	MOVQ rowArgs_channels(BX), R11; \
	MOVQ SI, R10; \
chan: \
	VBROADCASTSS (DX), Z18; \
	VBROADCASTSS 4(DX), Z19; \
	VBROADCASTSS 8(DX), Z20; \
	VBROADCASTSS 12(DX), Z21; \
	VBROADCASTSS 16(DX), Z22; \
	VBROADCASTSS 20(DX), Z23; \
	VBROADCASTSS 24(DX), Z24; \
	VBROADCASTSS 28(DX), Z25; \
	VBROADCASTSS 32(DX), Z26; \
	MOVQ R10, R13; \
	CHANNEL; \
	ADDQ $36, DX; \
	ADDQ AX, R10; \
	DECQ R11; \
	JNE chan; \
	MOVQ rowArgs_bias(BX), R13; \
	TESTQ R13, R13; \
	JEQ end; \
	VBROADCASTSS (R13), Z27; \
	ROWS(BIAS); \
end: \
	MOVQ DI, R10; \
	ROWS(STORE); \
	ADDQ $(4*full+64), DI; \
	ADDQ $(4*full+64), SI; \
	KXNORW K2, K2, K2; \
	SUBQ $(full+16), R8

// func convBandAVX512(a *rowArgs)
TEXT ·convBandAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), BX
	MOVQ rowArgs_dst(BX), DI
	MOVQ rowArgs_src(BX), SI
	MOVQ rowArgs_dstPitch(BX), R9
	SHLQ $2, R9
	MOVQ rowArgs_srcPitch(BX), R12
	SHLQ $2, R12
	MOVQ rowArgs_channelStride(BX), AX
	SHLQ $2, AX
	MOVQ rowArgs_n(BX), R8
	MOVQ rowArgs_aheadStride(BX), R15
	MOVL $-1, CX
	CMPB rowArgs_left(BX), $0
	JEQ  first
	MOVL $-2, CX
	SUBQ $4, SI

first:
	KMOVW CX, K2

next:
	CMPQ R8, $32
	JGT  three
	TILE(0, CHANNEL1, ZERO1, RESUME1, BIAS1, STORE1, inside1, zero1, sum1, chan1, end1)
	JGT  next
	VZEROUPPER
	RET

three:
	TILE(32, CHANNEL3, ZERO3, RESUME3, BIAS3, STORE3, inside3, zero3, sum3, chan3, end3)
	JGT  next
	VZEROUPPER
	RET
