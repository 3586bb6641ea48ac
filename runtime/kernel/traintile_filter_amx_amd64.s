//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "traintile_amx_amd64.h"

// T0 to T3 are sums of two tiles of rows by two of columns, T4 and T5 right factors, T6
// and T7 left factors.
//
// Registers:
//
//	BX   arguments             DX   right factor of the step, first term
//	R8   bytes between rows of the left factor
//	R9   64                    R10, R11 left factors, two tiles of rows
//	R12  bytes from 16 columns of the right factor to the next
//	R13  bytes from its first term to its second
//	R14  offset of the step in the left factor, R15 bytes between its terms
//	SI   bytes between rows of the sums
//	AX   sums                  CX   steps left
//	DI   what is loaded
//
// Frame: 8 positions left, 16 pairs of rows left, 24 pairs of columns left, 32, 40 and
// 48 left factor, right factor and sums of the position, 56 sums of the rows.

#define FOUR PRODUCT(0, 6, 4); PRODUCT(1, 7, 4); PRODUCT(2, 6, 5); PRODUCT(3, 7, 5)
#define RIGHT LOAD_RIGHT_DI(4); ADDQ R12, DI; LOAD_RIGHT_DI(5)

// TWO adds the products of the first term of the left factor.
#define TWO \
	LEAQ (R10)(R14*1), DI; LOAD_LEFT(6); \
	LEAQ (R11)(R14*1), DI; LOAD_LEFT(7); \
	LEAQ (DX)(R13*1), DI; RIGHT; \
	FOUR; \
	MOVQ DX, DI; RIGHT; \
	FOUR

// THREE adds that of the second besides.
#define THREE \
	TWO; \
	LEAQ (R10)(R14*1), DI; ADDQ R15, DI; LOAD_LEFT(6); \
	LEAQ (R11)(R14*1), DI; ADDQ R15, DI; LOAD_LEFT(7); \
	FOUR

#define FILTER(position, rows, cols, fresh, step, STEP) \
	MOVQ a+0(FP), BX; \
	LEAQ ·termTiles(SB), R11; \
	LDTILECFG_R11; \
	MOVQ $64, R9; \
	MOVQ tileFilterArgs_aStride(BX), R8; ADDQ R8, R8; \
	MOVQ tileFilterArgs_aPlane(BX), R15; ADDQ R15, R15; \
	MOVQ tileFilterArgs_steps(BX), R12; SHLQ $10, R12; \
	MOVQ tileFilterArgs_bPlane(BX), R13; ADDQ R13, R13; \
	MOVQ tileFilterArgs_cStride(BX), SI; SHLQ $2, SI; \
	MOVQ tileFilterArgs_positions(BX), AX; MOVQ AX, positions-8(SP); \
	MOVQ tileFilterArgs_a(BX), AX; MOVQ AX, left-32(SP); \
	MOVQ tileFilterArgs_b(BX), AX; MOVQ AX, right-40(SP); \
	MOVQ tileFilterArgs_c(BX), AX; MOVQ AX, sums-48(SP); \
position: \
	MOVQ left-32(SP), R10; \
	MOVQ sums-48(SP), AX; MOVQ AX, rowSums-56(SP); \
	MOVQ tileFilterArgs_rows(BX), AX; MOVQ AX, pairs-16(SP); \
rows: \
	MOVQ R8, R11; SHLQ $4, R11; ADDQ R10, R11; \
	MOVQ right-40(SP), DX; \
	MOVQ tileFilterArgs_cols(BX), AX; MOVQ AX, columns-24(SP); \
	MOVQ rowSums-56(SP), AX; \
cols: \
	TILEZERO(0); TILEZERO(1); TILEZERO(2); TILEZERO(3); \
	CMPB tileFilterArgs_add(BX), $0; \
	JEQ fresh; \
	MOVQ AX, DI; \
	LOAD_SUMS(0); ADDQ $64, AX; LOAD_SUMS(2); \
	MOVQ SI, CX; SHLQ $4, CX; ADDQ CX, AX; LOAD_SUMS(3); \
	SUBQ $64, AX; LOAD_SUMS(1); \
	MOVQ DI, AX; \
fresh: \
	XORQ R14, R14; \
	MOVQ tileFilterArgs_steps(BX), CX; \
step: \
	STEP; \
	ADDQ $1024, DX; \
	ADDQ $64, R14; \
	DECQ CX; \
	JNE step; \
	MOVQ AX, DI; \
	STORE_SUMS(0); ADDQ $64, AX; STORE_SUMS(2); \
	MOVQ SI, CX; SHLQ $4, CX; ADDQ CX, AX; STORE_SUMS(3); \
	SUBQ $64, AX; STORE_SUMS(1); \
	LEAQ 128(DI), AX; \
	ADDQ R12, DX; \
	DECQ columns-24(SP); \
	JNE cols; \
	MOVQ R8, AX; SHLQ $5, AX; ADDQ AX, R10; \
	MOVQ SI, AX; SHLQ $5, AX; ADDQ AX, rowSums-56(SP); \
	DECQ pairs-16(SP); \
	JNE rows; \
	MOVQ tileFilterArgs_aPosition(BX), AX; ADDQ AX, AX; ADDQ AX, left-32(SP); \
	MOVQ tileFilterArgs_bPosition(BX), AX; ADDQ AX, AX; ADDQ AX, right-40(SP); \
	MOVQ tileFilterArgs_cPosition(BX), AX; SHLQ $2, AX; ADDQ AX, sums-48(SP); \
	DECQ positions-8(SP); \
	JNE position; \
	TILERELEASE

// func filterSpikesAMX(a *tileFilterArgs)
TEXT ·filterSpikesAMX(SB), NOSPLIT, $56-8
	FILTER(position, rows, cols, fresh, step, TWO)
	RET

// func filterNumbersAMX(a *tileFilterArgs)
TEXT ·filterNumbersAMX(SB), NOSPLIT, $56-8
	FILTER(position, rows, cols, fresh, step, THREE)
	RET
