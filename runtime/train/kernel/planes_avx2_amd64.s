//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"

// Registers of planesAVX2:
//
//	BX   arguments             SI   cols
//	DI   out of the run        CX   cols left
//	R8   src of the run        DX   weights
//	R9   bytes from plane to plane of out
//	R10  src of the term       R11  vectors left
//	Y0-Y11 sums, of vector i and channel o Y(i*3+o)
//	Y12-Y14 weights, or gradients of dotsAVX2

#define SUM(i, x, a, b, c) VMOVUPS (i*32)(R10), x; VFMADD231PS x, Y12, a; VFMADD231PS x, Y13, b; VFMADD231PS x, Y14, c
#define ZERO(i, a, b, c) VXORPS a, a, a; VXORPS b, b, b; VXORPS c, c, c
#define STORE(i, a, b, c) VMOVUPS a, (i*32)(DI); VMOVUPS b, (i*32)(DI)(R9*1); VMOVUPS c, (i*32)(DI)(R9*2)

// func planesAVX2(a *planeArgs)
TEXT ·planesAVX2(SB), NOSPLIT, $16-8
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP))
	MOVQ a+0(FP), BX
	MOVQ planeArgs_out(BX), DI
	MOVQ planeArgs_src(BX), R8
	MOVQ planeArgs_pitch(BX), R9
	SHLQ $2, R9
	MOVQ planeArgs_n(BX), R11
	SHRQ $3, R11
run:
	ZERO(0, Y0, Y1, Y2); ZERO(1, Y3, Y4, Y5)
	ZERO(2, Y6, Y7, Y8); ZERO(3, Y9, Y10, Y11)
	MOVQ planeArgs_cols(BX), SI
	MOVQ planeArgs_cols+8(BX), CX
	MOVQ planeArgs_weights(BX), DX
term:
	MOVLQSX (SI), R10
	LEAQ (R8)(R10*4), R10
	VBROADCASTSS (DX), Y12
	VBROADCASTSS 4(DX), Y13
	VBROADCASTSS 8(DX), Y14
	SUM(0, Y15, Y0, Y1, Y2); SUM(1, Y15, Y3, Y4, Y5)
	SUM(2, Y15, Y6, Y7, Y8); SUM(3, Y15, Y9, Y10, Y11)
	ADDQ $4, SI
	ADDQ $12, DX
	DECQ CX
	JNE term
	STORE(0, Y0, Y1, Y2); STORE(1, Y3, Y4, Y5)
	STORE(2, Y6, Y7, Y8); STORE(3, Y9, Y10, Y11)
	ADDQ $(4*32), DI
	ADDQ $(4*32), R8
	SUBQ $4, R11
	JNE run
	RESTORE(old-8(SP))
	VZEROUPPER
	RET

// Registers of dotsAVX2:
//
//	BX   arguments             DI   sums
//	SI   rows, or gradients    DX   bytes from plane to plane of these
//	R8-R11 src of the rows     AX   offset of the pixels, CX its end

#define ROW(i, p) MOVLQSX (i*4)(SI), p; LEAQ (AX)(p*4), p
#define DOT(p, x, a, b, c) VMOVUPS (p)(AX*1), x; VFMADD231PS x, Y12, a; VFMADD231PS x, Y13, b; VFMADD231PS x, Y14, c
#define ADDSUM(i, a, b, c) VADDPS (i*192)(DI), a, a; VADDPS (i*192+64)(DI), b, b; VADDPS (i*192+128)(DI), c, c; \
	VMOVUPS a, (i*192)(DI); VMOVUPS b, (i*192+64)(DI); VMOVUPS c, (i*192+128)(DI)

// Frame: 8 and 16 MXCSR, 24 rows left, 32 rows.

// func dotsAVX2(a *dotArgs)
TEXT ·dotsAVX2(SB), NOSPLIT, $32-8
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
	ROW(0, R8); ROW(1, R9)
	ROW(2, R10); ROW(3, R11)
	ADDQ $16, SI
	MOVQ SI, rows-32(SP)
	ZERO(0, Y0, Y1, Y2); ZERO(1, Y3, Y4, Y5)
	ZERO(2, Y6, Y7, Y8); ZERO(3, Y9, Y10, Y11)
	MOVQ dotArgs_gradients(BX), SI
	MOVQ dotArgs_n(BX), CX
	SHLQ $2, CX
	XORQ AX, AX
pixels:
	VMOVUPS (SI), Y12
	VMOVUPS (SI)(DX*1), Y13
	VMOVUPS (SI)(DX*2), Y14
	DOT(R8, Y15, Y0, Y1, Y2); DOT(R9, Y15, Y3, Y4, Y5)
	DOT(R10, Y15, Y6, Y7, Y8); DOT(R11, Y15, Y9, Y10, Y11)
	ADDQ $32, SI
	ADDQ $32, AX
	CMPQ AX, CX
	JNE pixels
	ADDSUM(0, Y0, Y1, Y2); ADDSUM(1, Y3, Y4, Y5)
	ADDSUM(2, Y6, Y7, Y8); ADDSUM(3, Y9, Y10, Y11)
	ADDQ $(4*192), DI
	MOVQ rows-32(SP), SI
	SUBQ $4, left-24(SP)
	JNE tile
	RESTORE(old-8(SP))
	VZEROUPPER
	RET
