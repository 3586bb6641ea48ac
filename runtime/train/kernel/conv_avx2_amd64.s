//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"
#include "masks_amd64.h"
#include "product_amd64.h"

// Y0-Y11 are the sums, of row i and vector v Y(i*V+v), Y12 and Y13 the right factor, Y14
// the left one, Y15 the lanes of the last vector.

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

// func productTilesAVX2(a *productArgs, out *float32, rows *int32, tiles int)
TEXT ·productTilesAVX2(SB), NOSPLIT, $32-32
	START
	CMPQ DX, $8
	JGT two
	LANES(DX, Y15)
	PRODUCT(tile1, resume1, sum1, col1, SUMS1, ZERO1, RESUME1, RIGHT1, TERMS1, STORE1)
	JMP done
two:
	SUBQ $8, DX
	LANES(DX, Y15)
	CMPQ productArgs_width(BX), $16
	JEQ all
	PRODUCT(tile2, resume2, sum2, col2, SUMS2, ZERO2, RESUME2, RIGHT2, TERMS2, STORE2)
	JMP done
all:
	PRODUCT(tile3, resume3, sum3, col3, SUMS2, ZERO2, RESUME2, RIGHT2, TERMS2, STOREALL)
done:
	RESTORE(old-8(SP))
	VZEROUPPER
	RET
