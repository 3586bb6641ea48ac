//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"
#include "product_amd64.h"

// Z0-Z23 are the sums, of row i and vector v Z(i*V+v), Z24-Z27 the right factor, Z28 and
// Z29 the left one, K1 the lanes of the last vector.

#define ZERO1(a) VPXORD a, a, a
#define ZERO2(a, b) ZERO1(a); ZERO1(b)
#define ZERO3(a, b, c) ZERO2(a, b); ZERO1(c)
#define ZERO4(a, b, c, d) ZERO2(a, b); ZERO2(c, d)

#define RESUME1(a) VMOVUPS.Z (DI), K1, a; ADDQ R15, DI
#define RESUME2(a, b) VMOVUPS (DI), a; VMOVUPS.Z 64(DI), K1, b; ADDQ R15, DI
#define RESUME3(a, b, c) VMOVUPS (DI), a; VMOVUPS 64(DI), b; VMOVUPS.Z 128(DI), K1, c; ADDQ R15, DI
#define RESUME4(a, b, c, d) VMOVUPS (DI), a; VMOVUPS 64(DI), b; VMOVUPS 128(DI), c; VMOVUPS.Z 192(DI), K1, d; ADDQ R15, DI

#define STORE1(a) VMOVUPS a, K1, (DI); ADDQ R15, DI
#define STORE2(a, b) VMOVUPS a, (DI); VMOVUPS b, K1, 64(DI); ADDQ R15, DI
#define STORE3(a, b, c) VMOVUPS a, (DI); VMOVUPS b, 64(DI); VMOVUPS c, K1, 128(DI); ADDQ R15, DI
#define STORE4(a, b, c, d) VMOVUPS a, (DI); VMOVUPS b, 64(DI); VMOVUPS c, 128(DI); VMOVUPS d, K1, 192(DI); ADDQ R15, DI

#define RIGHT1 VMOVUPS.Z (DX), K1, Z24
#define RIGHT2 VMOVUPS (DX), Z24; VMOVUPS.Z 64(DX), K1, Z25
#define RIGHT3 VMOVUPS (DX), Z24; VMOVUPS 64(DX), Z25; VMOVUPS.Z 128(DX), K1, Z26
#define RIGHT4 VMOVUPS (DX), Z24; VMOVUPS 64(DX), Z25; VMOVUPS 128(DX), Z26; VMOVUPS.Z 192(DX), K1, Z27

#define TERM1(p, x, a) VFMADD231PS.BCST (p)(AX*4), Z24, a
#define TERM2(p, x, a, b) VBROADCASTSS (p)(AX*4), x; VFMADD231PS x, Z24, a; VFMADD231PS x, Z25, b
#define TERM3(p, x, a, b, c) TERM2(p, x, a, b); VFMADD231PS x, Z26, c
#define TERM4(p, x, a, b, c, d) TERM3(p, x, a, b, c); VFMADD231PS x, Z27, d

#define SUMS1(OP) OP(Z0); OP(Z1); OP(Z2); OP(Z3); OP(Z4); OP(Z5)
#define SUMS2(OP) OP(Z0, Z1); OP(Z2, Z3); OP(Z4, Z5); OP(Z6, Z7); OP(Z8, Z9); OP(Z10, Z11)
#define SUMS3(OP) OP(Z0, Z1, Z2); OP(Z3, Z4, Z5); OP(Z6, Z7, Z8); OP(Z9, Z10, Z11); OP(Z12, Z13, Z14); OP(Z15, Z16, Z17)
#define SUMS4(OP) OP(Z0, Z1, Z2, Z3); OP(Z4, Z5, Z6, Z7); OP(Z8, Z9, Z10, Z11); OP(Z12, Z13, Z14, Z15); OP(Z16, Z17, Z18, Z19); OP(Z20, Z21, Z22, Z23)

#define TERMS1 TERM1(R8, Z28, Z0); TERM1(R9, Z29, Z1); TERM1(R10, Z28, Z2); TERM1(R11, Z29, Z3); TERM1(R12, Z28, Z4); TERM1(R13, Z29, Z5)
#define TERMS2 TERM2(R8, Z28, Z0, Z1); TERM2(R9, Z29, Z2, Z3); TERM2(R10, Z28, Z4, Z5); TERM2(R11, Z29, Z6, Z7); TERM2(R12, Z28, Z8, Z9); TERM2(R13, Z29, Z10, Z11)
#define TERMS3 TERM3(R8, Z28, Z0, Z1, Z2); TERM3(R9, Z29, Z3, Z4, Z5); TERM3(R10, Z28, Z6, Z7, Z8); TERM3(R11, Z29, Z9, Z10, Z11); TERM3(R12, Z28, Z12, Z13, Z14); TERM3(R13, Z29, Z15, Z16, Z17)
#define TERMS4 TERM4(R8, Z28, Z0, Z1, Z2, Z3); TERM4(R9, Z29, Z4, Z5, Z6, Z7); TERM4(R10, Z28, Z8, Z9, Z10, Z11); TERM4(R11, Z29, Z12, Z13, Z14, Z15); TERM4(R12, Z28, Z16, Z17, Z18, Z19); TERM4(R13, Z29, Z20, Z21, Z22, Z23)

// func productTilesAVX512(a *productArgs, out *float32, rows *int32, tiles int)
TEXT ·productTilesAVX512(SB), NOSPLIT, $32-32
	START
	LEAQ -1(DX), CX
	ANDQ $15, CX
	MOVL $2, AX
	SHLL CX, AX
	DECL AX
	KMOVW AX, K1
	CMPQ DX, $16
	JLE one
	CMPQ DX, $32
	JLE two
	CMPQ DX, $48
	JLE three
	PRODUCT(tile4, resume4, sum4, col4, SUMS4, ZERO4, RESUME4, RIGHT4, TERMS4, STORE4)
	JMP done
three:
	PRODUCT(tile3, resume3, sum3, col3, SUMS3, ZERO3, RESUME3, RIGHT3, TERMS3, STORE3)
	JMP done
two:
	PRODUCT(tile2, resume2, sum2, col2, SUMS2, ZERO2, RESUME2, RIGHT2, TERMS2, STORE2)
	JMP done
one:
	PRODUCT(tile1, resume1, sum1, col1, SUMS1, ZERO1, RESUME1, RIGHT1, TERMS1, STORE1)
done:
	RESTORE(old-8(SP))
	VZEROUPPER
	RET
