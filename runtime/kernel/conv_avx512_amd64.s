//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "avx512_amd64.h"
#include "convrow_amd64.h"

// Registers of a row kernel:
//
//	BX   arguments              DI   dst of the tile
//	AX   bytes between taps'    SI   src of the tile
//	     weights                R8   cells left
//	DX   weights of the tap     R9   bytes between dst channels
//	R10  src of the channel     R11  channels left
//	R12  offset of the tap      CX   taps left
//	R13  src of the tap         K1   lanes of the tile's last vector
//	R14  what to fetch ahead    R15  bytes to the same of the next channel
//	Z0-Z23 accumulators, one channel after another
//	Z24-Z29 source cells        Z30  one weight or bias
//
// A tile is a few vectors of cells for all channels of the block. Its macros
// come in the widths 1, 2, 3 and 6 vectors. o is the byte offset of a channel's
// weight or bias, a to f are its accumulators.

#define ZERO1(o, a, b, c, d, e, f) VPXORD a, a, a
#define ZERO2(o, a, b, c, d, e, f) VPXORD a, a, a; VPXORD b, b, b
#define ZERO3(o, a, b, c, d, e, f) VPXORD a, a, a; VPXORD b, b, b; VPXORD c, c, c
#define ZERO6(o, a, b, c, d, e, f) ZERO3(o, a, b, c, d, e, f); ZERO3(o, d, e, f, a, b, c)

#define RESUME1(o, a, b, c, d, e, f) \
	VMOVUPS.Z (R10), K1, a; ADDQ R9, R10
#define RESUME2(o, a, b, c, d, e, f) \
	VMOVUPS (R10), a; VMOVUPS.Z 64(R10), K1, b; ADDQ R9, R10
#define RESUME3(o, a, b, c, d, e, f) \
	VMOVUPS (R10), a; VMOVUPS 64(R10), b; VMOVUPS.Z 128(R10), K1, c; ADDQ R9, R10
#define RESUME6(o, a, b, c, d, e, f) \
	VMOVUPS (R10), a; VMOVUPS 64(R10), b; VMOVUPS 128(R10), c; \
	VMOVUPS 192(R10), d; VMOVUPS 256(R10), e; VMOVUPS.Z 320(R10), K1, f; ADDQ R9, R10

#define CELLS1 VMOVUPS (R13), Z24
#define CELLS2 CELLS1; VMOVUPS 64(R13), Z25
#define CELLS3 CELLS2; VMOVUPS 128(R13), Z26
#define CELLS6 CELLS3; VMOVUPS 192(R13), Z27; VMOVUPS 256(R13), Z28; VMOVUPS 320(R13), Z29

#define TAP1(o, a, b, c, d, e, f) \
	VFMADD231PS.BCST o(DX), Z24, a
#define TAP2(o, a, b, c, d, e, f) \
	VBROADCASTSS o(DX), Z30; VFMADD231PS Z24, Z30, a; VFMADD231PS Z25, Z30, b
#define TAP3(o, a, b, c, d, e, f) \
	TAP2(o, a, b, c, d, e, f); VFMADD231PS Z26, Z30, c
#define TAP6(o, a, b, c, d, e, f) \
	TAP3(o, a, b, c, d, e, f); \
	VFMADD231PS Z27, Z30, d; VFMADD231PS Z28, Z30, e; VFMADD231PS Z29, Z30, f

#define BIAS1(o, a, b, c, d, e, f) VBROADCASTSS o(R13), Z30; VADDPS Z30, a, a
#define BIAS2(o, a, b, c, d, e, f) BIAS1(o, a, b, c, d, e, f); VADDPS Z30, b, b
#define BIAS3(o, a, b, c, d, e, f) BIAS2(o, a, b, c, d, e, f); VADDPS Z30, c, c
#define BIAS6(o, a, b, c, d, e, f) \
	BIAS3(o, a, b, c, d, e, f); VADDPS Z30, d, d; VADDPS Z30, e, e; VADDPS Z30, f, f

#define STORE1(o, a, b, c, d, e, f) \
	VMOVUPS a, K1, (R10); ADDQ R9, R10
#define STORE2(o, a, b, c, d, e, f) \
	VMOVUPS a, (R10); VMOVUPS b, K1, 64(R10); ADDQ R9, R10
#define STORE3(o, a, b, c, d, e, f) \
	VMOVUPS a, (R10); VMOVUPS b, 64(R10); VMOVUPS c, K1, 128(R10); ADDQ R9, R10
#define STORE6(o, a, b, c, d, e, f) \
	VMOVUPS a, (R10); VMOVUPS b, 64(R10); VMOVUPS c, 128(R10); \
	VMOVUPS d, 192(R10); VMOVUPS e, 256(R10); VMOVUPS f, K1, 320(R10); ADDQ R9, R10

// CHANNELSn applies a macro to the accumulators of each channel of the block.

#define CHANNELS8(OP) \
	OP(0, Z0, Z1, Z2, Z0, Z0, Z0); \
	OP(4, Z3, Z4, Z5, Z3, Z3, Z3); \
	OP(8, Z6, Z7, Z8, Z6, Z6, Z6); \
	OP(12, Z9, Z10, Z11, Z9, Z9, Z9); \
	OP(16, Z12, Z13, Z14, Z12, Z12, Z12); \
	OP(20, Z15, Z16, Z17, Z15, Z15, Z15); \
	OP(24, Z18, Z19, Z20, Z18, Z18, Z18); \
	OP(28, Z21, Z22, Z23, Z21, Z21, Z21)

#define CHANNELS1(OP) OP(0, Z0, Z1, Z2, Z3, Z4, Z5)
#define CHANNELS2(OP) CHANNELS1(OP); OP(4, Z6, Z7, Z8, Z9, Z10, Z11)
#define CHANNELS3(OP) CHANNELS2(OP); OP(8, Z12, Z13, Z14, Z15, Z16, Z17)
#define CHANNELS4(OP) CHANNELS3(OP); OP(12, Z18, Z19, Z20, Z21, Z22, Z23)

// START loads what all tiles of a row share.
#define STARTED MOVQ rowArgs_aheadStride(BX), R15
// TILEMASK sets K1 to the lanes of the last vector of a tile of full + VL cells.
#define TILEMASK(full) \
	MOVQ R8, R13; \
	SUBQ $full, R13; \
	MOVQ $16, CX; \
	CMPQ R13, CX; \
	CMOVQGT CX, R13; \
	MOVL $-1, CX; \
	BZHIL R13, CX, CX; \
	KMOVW CX, K1
#define RESUMEMASK(full)
#define STOREMASK(full)
#define AHEAD \
	MOVQ rowArgs_ahead(BX), R14; \
	ADDQ $64, rowArgs_ahead(BX)
#define FETCH \
	PREFETCHT1 (R14); \
	ADDQ R15, R14

// func convRow8AVX512(a *rowArgs)
TEXT ·convRow8AVX512(SB), NOSPLIT, $0-8
	START

next:
	CMPQ R8, $32
	JGT  three
	CMPQ R8, $16
	JGT  two
	TILE1(CHANNELS8)
	VZEROUPPER
	RET

two:
	TILE2(CHANNELS8)
	VZEROUPPER
	RET

three:
	TILE3(CHANNELS8)
	JGT next
	VZEROUPPER
	RET

// NARROW is the body of a row kernel for up to 4 channels: tiles of 6, 3 and 1
// vectors.
#define NARROW(CHANNELS) \
	START; \
next: \
	CMPQ R8, $80; \
	JGT six; \
	CMPQ R8, $32; \
	JGT three; \
	TILE1(CHANNELS); \
	JGT next; \
	VZEROUPPER; \
	RET; \
three: \
	TILE3(CHANNELS); \
	JGT next; \
	VZEROUPPER; \
	RET; \
six: \
	TILE6(CHANNELS); \
	JGT next; \
	VZEROUPPER; \
	RET

// func convRow4AVX512(a *rowArgs)
TEXT ·convRow4AVX512(SB), NOSPLIT, $0-8
	NARROW(CHANNELS4)

// func convRow3AVX512(a *rowArgs)
TEXT ·convRow3AVX512(SB), NOSPLIT, $0-8
	NARROW(CHANNELS3)

// func convRow2AVX512(a *rowArgs)
TEXT ·convRow2AVX512(SB), NOSPLIT, $0-8
	NARROW(CHANNELS2)

// func convRow1AVX512(a *rowArgs)
TEXT ·convRow1AVX512(SB), NOSPLIT, $0-8
	NARROW(CHANNELS1)
