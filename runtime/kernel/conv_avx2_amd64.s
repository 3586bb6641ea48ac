//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "avx2_amd64.h"
#include "convrow_amd64.h"

// The row kernels here are those of conv_avx512_amd64.s with 8 lanes and 16
// vector registers, in the same notation:
//
//	Y0-Y11 accumulators, one channel after another
//	Y12-Y14 source cells, Y14 also the mask of the last vector
//	Y15  one weight or bias

// lastLanes holds 8 full and 8 empty lanes: the mask of m lanes starts 4*m bytes
// before the middle.
DATA lastLanes<>+0(SB)/8, $-1
DATA lastLanes<>+8(SB)/8, $-1
DATA lastLanes<>+16(SB)/8, $-1
DATA lastLanes<>+24(SB)/8, $-1
DATA lastLanes<>+32(SB)/8, $0
DATA lastLanes<>+40(SB)/8, $0
DATA lastLanes<>+48(SB)/8, $0
DATA lastLanes<>+56(SB)/8, $0
GLOBL lastLanes<>(SB), RODATA|NOPTR, $64

#define ZERO1(o, a, b, c, d, e, f) VXORPS a, a, a
#define ZERO2(o, a, b, c, d, e, f) VXORPS a, a, a; VXORPS b, b, b
#define ZERO3(o, a, b, c, d, e, f) VXORPS a, a, a; VXORPS b, b, b; VXORPS c, c, c
#define ZERO6(o, a, b, c, d, e, f) ZERO3(o, a, b, c, d, e, f); ZERO3(o, d, e, f, a, b, c)

#define RESUME1(o, a, b, c, d, e, f) \
	VMASKMOVPS (R10), Y14, a; ADDQ R9, R10
#define RESUME2(o, a, b, c, d, e, f) \
	VMOVUPS (R10), a; VMASKMOVPS 32(R10), Y14, b; ADDQ R9, R10
#define RESUME3(o, a, b, c, d, e, f) \
	VMOVUPS (R10), a; VMOVUPS 32(R10), b; VMASKMOVPS 64(R10), Y14, c; ADDQ R9, R10
#define RESUME6(o, a, b, c, d, e, f) \
	VMOVUPS (R10), a; VMOVUPS 32(R10), b; VMOVUPS 64(R10), c; \
	VMOVUPS 96(R10), d; VMOVUPS 128(R10), e; VMASKMOVPS 160(R10), Y14, f; ADDQ R9, R10

#define CELLS1 VMOVUPS (R13), Y12
#define CELLS2 CELLS1; VMOVUPS 32(R13), Y13
#define CELLS3 CELLS2; VMOVUPS 64(R13), Y14

#define TAP1(o, a, b, c, d, e, f) \
	VBROADCASTSS o(DX), Y15; VFMADD231PS Y12, Y15, a
#define TAP2(o, a, b, c, d, e, f) \
	TAP1(o, a, b, c, d, e, f); VFMADD231PS Y13, Y15, b
#define TAP3(o, a, b, c, d, e, f) \
	TAP2(o, a, b, c, d, e, f); VFMADD231PS Y14, Y15, c
#define TAP6(o, a, b, c, d, e, f) \
	VBROADCASTSS o(DX), Y15; \
	VFMADD231PS (R13), Y15, a; VFMADD231PS 32(R13), Y15, b; VFMADD231PS 64(R13), Y15, c; \
	VFMADD231PS 96(R13), Y15, d; VFMADD231PS 128(R13), Y15, e; VFMADD231PS 160(R13), Y15, f

#define BIAS1(o, a, b, c, d, e, f) VBROADCASTSS o(R13), Y15; VADDPS Y15, a, a
#define BIAS2(o, a, b, c, d, e, f) BIAS1(o, a, b, c, d, e, f); VADDPS Y15, b, b
#define BIAS3(o, a, b, c, d, e, f) BIAS2(o, a, b, c, d, e, f); VADDPS Y15, c, c
#define BIAS6(o, a, b, c, d, e, f) \
	BIAS3(o, a, b, c, d, e, f); VADDPS Y15, d, d; VADDPS Y15, e, e; VADDPS Y15, f, f

#define STORE1(o, a, b, c, d, e, f) \
	VMASKMOVPS a, Y14, (R10); ADDQ R9, R10
#define STORE2(o, a, b, c, d, e, f) \
	VMOVUPS a, (R10); VMASKMOVPS b, Y14, 32(R10); ADDQ R9, R10
#define STORE3(o, a, b, c, d, e, f) \
	VMOVUPS a, (R10); VMOVUPS b, 32(R10); VMASKMOVPS c, Y14, 64(R10); ADDQ R9, R10
#define STORE6(o, a, b, c, d, e, f) \
	VMOVUPS a, (R10); VMOVUPS b, 32(R10); VMOVUPS c, 64(R10); \
	VMOVUPS d, 96(R10); VMOVUPS e, 128(R10); VMASKMOVPS f, Y14, 160(R10); ADDQ R9, R10

// TRIPLESn and SEXTUPLESn apply a macro to the accumulators of each channel, of
// which there are 3 or 6.

#define TRIPLES3(OP) \
	OP(0, Y0, Y1, Y2, Y0, Y0, Y0); \
	OP(4, Y3, Y4, Y5, Y3, Y3, Y3); \
	OP(8, Y6, Y7, Y8, Y6, Y6, Y6)
#define TRIPLES4(OP) TRIPLES3(OP); OP(12, Y9, Y10, Y11, Y9, Y9, Y9)

#define SEXTUPLES1(OP) OP(0, Y0, Y1, Y2, Y3, Y4, Y5)
#define SEXTUPLES2(OP) SEXTUPLES1(OP); OP(4, Y6, Y7, Y8, Y9, Y10, Y11)

#define CELLS6
#define STARTED
#define AHEAD
#define FETCH
#define TILEMASK(full)
// RESUMEMASK sets Y14 to the lanes of the last vector of a tile of full + VL cells.
#define RESUMEMASK(full) \
	MOVQ R8, R13; \
	SUBQ $full, R13; \
	MOVQ $8, CX; \
	CMPQ R13, CX; \
	CMOVQGT CX, R13; \
	SHLQ $2, R13; \
	LEAQ lastLanes<>+32(SB), R10; \
	SUBQ R13, R10; \
	VMOVUPS (R10), Y14
#define STOREMASK(full) RESUMEMASK(full)

// NARROW is the body of a row kernel with tiles of 3, 2 and 1 vectors, WIDE of
// one with tiles of 6 and 1.

#define NARROW(CHANNELS) \
	START; \
next: \
	CMPQ R8, $16; \
	JGT three; \
	CMPQ R8, $8; \
	JGT two; \
	TILE1(CHANNELS); \
	JGT next; \
	VZEROUPPER; \
	RET; \
two: \
	TILE2(CHANNELS); \
	JGT next; \
	VZEROUPPER; \
	RET; \
three: \
	TILE3(CHANNELS); \
	JGT next; \
	VZEROUPPER; \
	RET

#define WIDE(CHANNELS) \
	START; \
next: \
	CMPQ R8, $40; \
	JGT six; \
	TILE1(CHANNELS); \
	JGT next; \
	VZEROUPPER; \
	RET; \
six: \
	TILE6(CHANNELS); \
	JGT next; \
	VZEROUPPER; \
	RET

// func convRow4AVX2(a *rowArgs)
TEXT ·convRow4AVX2(SB), NOSPLIT, $0-8
	NARROW(TRIPLES4)

// func convRow3AVX2(a *rowArgs)
TEXT ·convRow3AVX2(SB), NOSPLIT, $0-8
	NARROW(TRIPLES3)

// func convRow2AVX2(a *rowArgs)
TEXT ·convRow2AVX2(SB), NOSPLIT, $0-8
	WIDE(SEXTUPLES2)

// func convRow1AVX2(a *rowArgs)
TEXT ·convRow1AVX2(SB), NOSPLIT, $0-8
	WIDE(SEXTUPLES1)
