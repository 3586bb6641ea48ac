//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"

// Registers of planesAVX512:
//
//	BX   arguments             SI   cols
//	DI   out of the run        CX   cols left
//	R8   src of the run        DX   weights
//	R9   bytes from plane to plane of out
//	R10  src of the term       R11  vectors left
//	Z0-Z23 sums, of vector i and channel o Z(i*3+o)
//	Z24-Z26 weights, or gradients of dotsAVX512

#define SUM(i, x, a, b, c) VMOVUPS (i*64)(R10), x; VFMADD231PS x, Z24, a; VFMADD231PS x, Z25, b; VFMADD231PS x, Z26, c
#define ZERO(i, a, b, c) VPXORD a, a, a; VPXORD b, b, b; VPXORD c, c, c
#define STORE(i, a, b, c) VMOVUPS a, (i*64)(DI); VMOVUPS b, (i*64)(DI)(R9*1); VMOVUPS c, (i*64)(DI)(R9*2)

// func planesAVX512(a *planeArgs)
TEXT ·planesAVX512(SB), NOSPLIT, $16-8
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP))
	MOVQ a+0(FP), BX
	MOVQ planeArgs_out(BX), DI
	MOVQ planeArgs_src(BX), R8
	MOVQ planeArgs_pitch(BX), R9
	SHLQ $2, R9
	MOVQ planeArgs_n(BX), R11
	SHRQ $4, R11
run:
	ZERO(0, Z0, Z1, Z2); ZERO(1, Z3, Z4, Z5); ZERO(2, Z6, Z7, Z8); ZERO(3, Z9, Z10, Z11)
	ZERO(4, Z12, Z13, Z14); ZERO(5, Z15, Z16, Z17); ZERO(6, Z18, Z19, Z20); ZERO(7, Z21, Z22, Z23)
	MOVQ planeArgs_cols(BX), SI
	MOVQ planeArgs_cols+8(BX), CX
	MOVQ planeArgs_weights(BX), DX
term:
	MOVLQSX (SI), R10
	LEAQ (R8)(R10*4), R10
	VBROADCASTSS (DX), Z24
	VBROADCASTSS 4(DX), Z25
	VBROADCASTSS 8(DX), Z26
	SUM(0, Z27, Z0, Z1, Z2); SUM(1, Z28, Z3, Z4, Z5); SUM(2, Z27, Z6, Z7, Z8); SUM(3, Z28, Z9, Z10, Z11)
	SUM(4, Z27, Z12, Z13, Z14); SUM(5, Z28, Z15, Z16, Z17); SUM(6, Z27, Z18, Z19, Z20); SUM(7, Z28, Z21, Z22, Z23)
	ADDQ $4, SI
	ADDQ $12, DX
	DECQ CX
	JNE term
	STORE(0, Z0, Z1, Z2); STORE(1, Z3, Z4, Z5); STORE(2, Z6, Z7, Z8); STORE(3, Z9, Z10, Z11)
	STORE(4, Z12, Z13, Z14); STORE(5, Z15, Z16, Z17); STORE(6, Z18, Z19, Z20); STORE(7, Z21, Z22, Z23)
	ADDQ $(8*64), DI
	ADDQ $(8*64), R8
	SUBQ $8, R11
	JNE run
	RESTORE(old-8(SP))
	VZEROUPPER
	RET

// Registers of dotsAVX512:
//
//	BX   arguments             DI   sums
//	SI   rows, or gradients    DX   bytes from plane to plane of these
//	R8-R15 src of the rows     AX   offset of the pixels, CX its end

#define ROW(i, p) MOVLQSX (i*4)(SI), p; LEAQ (AX)(p*4), p
#define DOT(p, x, a, b, c) VMOVUPS (p)(AX*1), x; VFMADD231PS x, Z24, a; VFMADD231PS x, Z25, b; VFMADD231PS x, Z26, c
#define ADDSUM(i, a, b, c) VADDPS (i*192)(DI), a, a; VADDPS (i*192+64)(DI), b, b; VADDPS (i*192+128)(DI), c, c; \
	VMOVUPS a, (i*192)(DI); VMOVUPS b, (i*192+64)(DI); VMOVUPS c, (i*192+128)(DI)

// Frame: 8 and 16 MXCSR, 24 rows left, 32 rows.

// func dotsAVX512(a *dotArgs)
TEXT ·dotsAVX512(SB), NOSPLIT, $32-8
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP))
	MOVQ a+0(FP), BX
	MOVQ dotArgs_sums(BX), DI
	MOVQ dotArgs_rows(BX), SI
	MOVQ dotArgs_rows+8(BX), CX
	MOVQ CX, left-24(SP)
	MOVQ dotArgs_pitch(BX), DX
	SHLQ $2, DX
tile:
	MOVQ dotArgs_src(BX), AX
	ROW(0, R8); ROW(1, R9); ROW(2, R10); ROW(3, R11)
	ROW(4, R12); ROW(5, R13); ROW(6, R14); ROW(7, R15)
	ADDQ $32, SI
	MOVQ SI, rows-32(SP)
	ZERO(0, Z0, Z1, Z2); ZERO(1, Z3, Z4, Z5); ZERO(2, Z6, Z7, Z8); ZERO(3, Z9, Z10, Z11)
	ZERO(4, Z12, Z13, Z14); ZERO(5, Z15, Z16, Z17); ZERO(6, Z18, Z19, Z20); ZERO(7, Z21, Z22, Z23)
	MOVQ dotArgs_gradients(BX), SI
	MOVQ dotArgs_n(BX), CX
	SHLQ $2, CX
	XORQ AX, AX
pixels:
	VMOVUPS (SI), Z24
	VMOVUPS (SI)(DX*1), Z25
	VMOVUPS (SI)(DX*2), Z26
	DOT(R8, Z27, Z0, Z1, Z2); DOT(R9, Z28, Z3, Z4, Z5); DOT(R10, Z27, Z6, Z7, Z8); DOT(R11, Z28, Z9, Z10, Z11)
	DOT(R12, Z27, Z12, Z13, Z14); DOT(R13, Z28, Z15, Z16, Z17); DOT(R14, Z27, Z18, Z19, Z20); DOT(R15, Z28, Z21, Z22, Z23)
	ADDQ $64, SI
	ADDQ $64, AX
	CMPQ AX, CX
	JNE pixels
	ADDSUM(0, Z0, Z1, Z2); ADDSUM(1, Z3, Z4, Z5); ADDSUM(2, Z6, Z7, Z8); ADDSUM(3, Z9, Z10, Z11)
	ADDSUM(4, Z12, Z13, Z14); ADDSUM(5, Z15, Z16, Z17); ADDSUM(6, Z18, Z19, Z20); ADDSUM(7, Z21, Z22, Z23)
	ADDQ $(8*192), DI
	MOVQ rows-32(SP), SI
	SUBQ $8, left-24(SP)
	JNE tile
	RESTORE(old-8(SP))
	VZEROUPPER
	RET
