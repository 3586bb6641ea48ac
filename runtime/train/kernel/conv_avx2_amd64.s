//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"
#include "masks_amd64.h"

// Registers of productTilesAVX2, which are those of productTilesAVX512 but
//
//	Y0-Y11 sums, of row i and vector v Y(i*V+v)
//	Y12, Y13 right factor      Y14 left factor
//	Y15  lanes of the last vector

#define ROW(i, p) MOVLQSX (i*4)(AX), p; LEAQ (CX)(p*4), p

#define ZERO1(a) VXORPS a, a, a
#define ZERO2(a, b) ZERO1(a); ZERO1(b)
#define RESUME1(a) VMASKMOVPS (DI), Y15, a; ADDQ R15, DI
#define RESUME2(a, b) VMOVUPS (DI), a; VMASKMOVPS 32(DI), Y15, b; ADDQ R15, DI
#define STORE1(a) VMASKMOVPS a, Y15, (DI); ADDQ R15, DI
#define STORE2(a, b) VMOVUPS a, (DI); VMASKMOVPS b, Y15, 32(DI); ADDQ R15, DI
// A masked store takes much longer.
#define STOREALL(a, b) VMOVUPS a, (DI); VMOVUPS b, 32(DI); ADDQ R15, DI
#define RIGHT1 VMASKMOVPS (DX), Y15, Y12
#define RIGHT2 VMOVUPS (DX), Y12; VMASKMOVPS 32(DX), Y15, Y13
#define TERM1(p, a) VBROADCASTSS (p)(AX*4), Y14; VFMADD231PS Y14, Y12, a
#define TERM2(p, a, b) TERM1(p, a); VFMADD231PS Y14, Y13, b

#define SUMS1(OP) OP(Y0); OP(Y1); OP(Y2); OP(Y3); OP(Y4); OP(Y5)
#define SUMS2(OP) OP(Y0, Y1); OP(Y2, Y3); OP(Y4, Y5); OP(Y6, Y7); OP(Y8, Y9); OP(Y10, Y11)
#define TERMS1 TERM1(R8, Y0); TERM1(R9, Y1); TERM1(R10, Y2); TERM1(R11, Y3); TERM1(R12, Y4); TERM1(R13, Y5)
#define TERMS2 TERM2(R8, Y0, Y1); TERM2(R9, Y2, Y3); TERM2(R10, Y4, Y5); TERM2(R11, Y6, Y7); TERM2(R12, Y8, Y9); TERM2(R13, Y10, Y11)

// BEGIN takes the next tile of 6 rows.
#define BEGIN \
	MOVQ productArgs_a(BX), CX; \
	MOVQ rows-32(SP), AX; \
	ROW(0, R8); ROW(1, R9); ROW(2, R10); ROW(3, R11); ROW(4, R12); ROW(5, R13); \
	ADDQ $24, AX; \
	MOVQ AX, rows-32(SP)

// SUM is the loop over the columns.
#define SUM(col, RIGHT, TERMS) \
	MOVQ productArgs_cols(BX), SI; \
	MOVQ productArgs_cols+8(BX), CX; \
	MOVQ productArgs_b(BX), DX; \
col: \
	MOVLQSX (SI), AX; \
	RIGHT; \
	TERMS; \
	ADDQ R14, DX; \
	ADDQ $4, SI; \
	DECQ CX; \
	JNE col

// Frame: 8 and 16 MXCSR, 24 tiles left, 32 rows of the tile.

// func productTilesAVX2(a *productArgs, out *float32, rows *int32, tiles int)
TEXT ·productTilesAVX2(SB), NOSPLIT, $32-32
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP))
	MOVQ a+0(FP), BX
	MOVQ out+8(FP), DI
	MOVQ rows+16(FP), AX
	MOVQ AX, rows-32(SP)
	MOVQ tiles+24(FP), AX
	MOVQ AX, tiles-24(SP)
	MOVQ productArgs_bStride(BX), R14
	SHLQ $2, R14
	MOVQ productArgs_outStride(BX), R15
	SHLQ $2, R15
	MOVQ productArgs_width(BX), DX
	CMPQ DX, $8
	JGT two
	LANES(DX, Y15)
tile1:
	BEGIN
	SUMS1(ZERO1)
	CMPB productArgs_add(BX), $0
	JEQ sum1
	MOVQ DI, AX
	SUMS1(RESUME1)
	MOVQ AX, DI
sum1:
	SUM(col1, RIGHT1, TERMS1)
	SUMS1(STORE1)
	DECQ tiles-24(SP)
	JNE tile1
	JMP done
two:
	SUBQ $8, DX
	LANES(DX, Y15)
tile2:
	BEGIN
	SUMS2(ZERO2)
	CMPB productArgs_add(BX), $0
	JEQ sum2
	MOVQ DI, AX
	SUMS2(RESUME2)
	MOVQ AX, DI
sum2:
	SUM(col2, RIGHT2, TERMS2)
	CMPQ productArgs_width(BX), $16
	JEQ all
	SUMS2(STORE2)
	DECQ tiles-24(SP)
	JNE tile2
	JMP done
all:
	SUMS2(STOREALL)
	DECQ tiles-24(SP)
	JNE tile2
done:
	RESTORE(old-8(SP))
	VZEROUPPER
	RET
