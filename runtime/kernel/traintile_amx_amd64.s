//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "traintile_amx_amd64.h"

// T0 to T3 are sums, T4 to T6 right factors, T6 and T7 left factors.

// Rows of all tiles are 64 bytes, 16 rows.
DATA ·termTiles+0(SB)/8, $1 // palette 1
DATA ·termTiles+8(SB)/8, $0
DATA ·termTiles+16(SB)/8, $0x0040004000400040 // bytes of a row
DATA ·termTiles+24(SB)/8, $0x0040004000400040
DATA ·termTiles+32(SB)/8, $0
DATA ·termTiles+40(SB)/8, $0
DATA ·termTiles+48(SB)/8, $0x1010101010101010 // rows
DATA ·termTiles+56(SB)/8, $0
GLOBL ·termTiles(SB), RODATA|NOPTR, $64

// Registers:
//
//	BX   arguments             DX   right factor
//	R8   bytes between rows of the left factor
//	R9   64                    R10-R13 left factors of the group
//	SI   steps                 CX   steps left
//	DI   left factor           AX   offset of the step
//	R14  bytes from term to term of the right factor
//	R15  of the left one
//
// Frame: 8 groups left, 16 rows of the group, 24 sums of the group, 32 bytes from the
// last term of a step of the right factor to the next step.

#define BASE(i, p) \
	MOVQ rows-16(SP), AX; \
	MOVLQSX (i*4)(AX), p; \
	ADDQ p, p; \
	ADDQ tileArgs_a(BX), p

#define SUMS(i) \
	MOVQ sums-24(SP), AX; \
	MOVLQSX (i*4)(AX), AX; \
	SHLQ $2, AX; \
	ADDQ tileArgs_c(BX), AX

#define SUMSTRIDE MOVQ tileArgs_cStride(BX), SI; SHLQ $2, SI

// BEGIN begins a kernel whose right factor has a number of terms less one.
#define BEGIN(others) \
	MOVQ a+0(FP), BX; \
	LEAQ ·termTiles(SB), R11; \
	LDTILECFG_R11; \
	MOVQ tileArgs_rows+8(BX), AX; \
	SHRQ $2, AX; \
	MOVQ AX, groups-8(SP); \
	MOVQ tileArgs_rows(BX), AX; \
	MOVQ AX, rows-16(SP); \
	MOVQ tileArgs_sums(BX), AX; \
	MOVQ AX, sums-24(SP); \
	MOVQ tileArgs_bPlane(BX), R14; \
	ADDQ R14, R14; \
	MOVQ tileArgs_bStep(BX), AX; \
	ADDQ AX, AX; \
	MOVQ $(others), CX; \
	IMULQ R14, CX; \
	SUBQ CX, AX; \
	MOVQ AX, step-32(SP); \
	MOVQ tileArgs_aPlane(BX), R15; \
	ADDQ R15, R15; \
	MOVQ tileArgs_aStride(BX), R8; \
	ADDQ R8, R8; \
	MOVQ $64, R9

// GROUP begins a group of tiles.
#define GROUP(sum, first) \
	BASE(0, R10); BASE(1, R11); BASE(2, R12); BASE(3, R13); \
	CMPB tileArgs_add(BX), $0; \
	JNE sum; \
	TILEZERO(0); TILEZERO(1); TILEZERO(2); TILEZERO(3); \
	JMP first; \
sum: \
	SUMSTRIDE; \
	SUMS(0); LOAD_SUMS(0); \
	SUMS(1); LOAD_SUMS(1); \
	SUMS(2); LOAD_SUMS(2); \
	SUMS(3); LOAD_SUMS(3); \
first: \
	MOVQ tileArgs_steps(BX), SI; \
	MOVQ tileArgs_steps+8(BX), CX; \
	MOVQ tileArgs_b(BX), DX

// END stores the sums and goes on to the next group.
#define END(group) \
	SUMSTRIDE; \
	SUMS(0); STORE_SUMS(0); \
	SUMS(1); STORE_SUMS(1); \
	SUMS(2); STORE_SUMS(2); \
	SUMS(3); STORE_SUMS(3); \
	ADDQ $16, rows-16(SP); \
	ADDQ $16, sums-24(SP); \
	DECQ groups-8(SP); \
	JNE group; \
	TILERELEASE

#define OFFSET MOVLQSX (SI), AX; ADDQ AX, AX
#define LEFT(p, t) LEAQ (p)(AX*1), DI; LOAD_LEFT(t)
#define RIGHT(t) ADDQ R14, DX; LOAD_RIGHT(t)
#define NEXT(loop) \
	ADDQ step-32(SP), DX; \
	ADDQ $4, SI; \
	DECQ CX; \
	JNE loop

// func tileSpikesBackwardAMX(a *tileArgs)
TEXT ·tileSpikesBackwardAMX(SB), NOSPLIT, $32-8
	BEGIN(1)
group:
	GROUP(sum, first)
step:
	OFFSET
	LOAD_RIGHT(4); RIGHT(5)
	LEFT(R10, 6); LEFT(R11, 7)
	PRODUCT(0, 6, 4); PRODUCT(1, 7, 4); PRODUCT(0, 6, 5); PRODUCT(1, 7, 5)
	LEFT(R12, 6); LEFT(R13, 7)
	PRODUCT(2, 6, 4); PRODUCT(3, 7, 4); PRODUCT(2, 6, 5); PRODUCT(3, 7, 5)
	NEXT(step)
	END(group)
	RET

// SECOND loads the second term of a left factor.
#define SECOND(p, t) LEAQ (p)(AX*1), DI; ADDQ R15, DI; LOAD_LEFT(t)

// func tileBackwardAMX(a *tileArgs)
TEXT ·tileBackwardAMX(SB), NOSPLIT, $32-8
	BEGIN(1)
group:
	GROUP(sum, first)
step:
	OFFSET
	LOAD_RIGHT(4); RIGHT(5)
	LEFT(R10, 6); LEFT(R11, 7)
	PRODUCT(0, 6, 4); PRODUCT(1, 7, 4); PRODUCT(0, 6, 5); PRODUCT(1, 7, 5)
	SECOND(R10, 6); SECOND(R11, 7)
	PRODUCT(0, 6, 4); PRODUCT(1, 7, 4)
	LEFT(R12, 6); LEFT(R13, 7)
	PRODUCT(2, 6, 4); PRODUCT(3, 7, 4); PRODUCT(2, 6, 5); PRODUCT(3, 7, 5)
	SECOND(R12, 6); SECOND(R13, 7)
	PRODUCT(2, 6, 4); PRODUCT(3, 7, 4)
	NEXT(step)
	END(group)
	RET

// THIRD loads the third term of a left factor.
#define THIRD(p, t) LEAQ (p)(AX*1), DI; LEAQ (DI)(R15*2), DI; LOAD_LEFT(t)

// FIVE adds the products of two tiles of the left factor with the first two terms of
// the right one, but the third term with the second.
#define FIVE(p, q, c, d) \
	LEFT(p, 6); LEFT(q, 7); \
	PRODUCT(c, 6, 4); PRODUCT(d, 7, 4); PRODUCT(c, 6, 5); PRODUCT(d, 7, 5); \
	SECOND(p, 6); SECOND(q, 7); \
	PRODUCT(c, 6, 4); PRODUCT(d, 7, 4); PRODUCT(c, 6, 5); PRODUCT(d, 7, 5); \
	THIRD(p, 6); THIRD(q, 7); \
	PRODUCT(c, 6, 4); PRODUCT(d, 7, 4)

// func tileNumbersAMX(a *tileArgs)
TEXT ·tileNumbersAMX(SB), NOSPLIT, $32-8
	BEGIN(2)
group:
	GROUP(sum, first)
step:
	OFFSET
	LOAD_RIGHT(4); RIGHT(5)
	FIVE(R10, R11, 0, 1)
	FIVE(R12, R13, 2, 3)
	RIGHT(4)
	LEFT(R12, 6); LEFT(R13, 7)
	PRODUCT(2, 6, 4); PRODUCT(3, 7, 4)
	LEFT(R10, 6); LEFT(R11, 7)
	PRODUCT(0, 6, 4); PRODUCT(1, 7, 4)
	NEXT(step)
	END(group)
	RET

// func tilePeakAMX(n int) (ops int)
TEXT ·tilePeakAMX(SB), NOSPLIT, $0-16
	MOVQ n+0(FP), CX
	MOVQ CX, AX
	IMULQ $(4*2*16*16*32), AX
	MOVQ AX, ops+8(FP)
	LEAQ ·termTiles(SB), R11
	LDTILECFG_R11
	TILEZERO(0); TILEZERO(1); TILEZERO(2); TILEZERO(3)
	TILEZERO(4); TILEZERO(5); TILEZERO(6); TILEZERO(7)
loop:
	PRODUCT(0, 6, 4); PRODUCT(1, 7, 4); PRODUCT(2, 6, 5); PRODUCT(3, 7, 5)
	DECQ CX
	JNZ loop
	TILERELEASE
	RET
