//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"

// lanes holds 8 lanes that are set, then 8 that are not: a mask of the first n is at
// byte 32-4*n.
DATA lanes<>+0(SB)/8, $-1
DATA lanes<>+8(SB)/8, $-1
DATA lanes<>+16(SB)/8, $-1
DATA lanes<>+24(SB)/8, $-1
DATA lanes<>+32(SB)/8, $0
DATA lanes<>+40(SB)/8, $0
DATA lanes<>+48(SB)/8, $0
DATA lanes<>+56(SB)/8, $0
GLOBL lanes<>(SB), RODATA|NOPTR, $64

// LANES makes m a mask of the first n of 8 lanes, 0 <= n <= 8; n is lost.
#define LANES(n, m) LEAQ lanes<>+32(SB), AX; SHLQ $2, n; SUBQ n, AX; VMOVDQU (AX), m

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

// func copyLanesAVX2(dst, src []float32, stride, width int)
TEXT ·copyLanesAVX2(SB), NOSPLIT, $0-64
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), DX
	MOVQ src_base+24(FP), SI
	MOVQ stride+48(FP), R8
	MOVQ width+56(FP), CX
	MOVQ $8, R9
	CMPQ CX, $8
	CMOVQLT CX, R9
	SUBQ R9, CX
	LANES(R9, Y2)
	LANES(CX, Y3)
	JMP test
pixel:
	VMASKMOVPS (SI), Y2, Y0
	VMASKMOVPS 32(SI), Y3, Y1
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	LEAQ (SI)(R8*4), SI
	ADDQ $64, DI
test:
	SUBQ $16, DX
	JGE pixel
	VZEROUPPER
	RET

// Registers of sumGradientsAVX2, which are those of sumGradientsAVX512; the 16 lanes
// are done in two halves.

#define TAP(i, p) MOVLQSX (spikeGradientArgs_taps+i*4)(DX), p; SHLQ $6, p; ADDQ AX, p
#define ADDTAP(p, v) VADDPS (p)(AX*1), v, v
#define ADDSUM(i, v) VADDPS (i*64)(DI), v, v; VMOVUPS v, (i*64)(DI)

// Frame: 8 and 16 MXCSR, 24 channel, 32 bytes to the half.

// func sumGradientsAVX2(a *spikeGradientArgs)
TEXT ·sumGradientsAVX2(SB), NOSPLIT, $32-8
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP))
	MOVQ a+0(FP), DX
	MOVQ $0, half-32(SP)
again:
	MOVQ spikeGradientArgs_sums(DX), DI
	MOVQ spikeGradientArgs_gradients(DX), AX
	ADDQ half-32(SP), DI
	ADDQ half-32(SP), AX
	TAP(0, R8); TAP(1, R9); TAP(2, R10); TAP(3, R11); TAP(4, R12)
	TAP(5, R13); TAP(6, R14); TAP(7, R15); TAP(8, BX)
	MOVQ $0, channel-24(SP)
channel:
	MOVQ channel-24(SP), AX
	CMPQ AX, spikeGradientArgs_counts+8(DX)
	JGE done
	MOVQ spikeGradientArgs_counts(DX), SI
	MOVL (SI)(AX*4), CX
	MOVQ AX, SI
	INCQ AX
	MOVQ AX, channel-24(SP)
	TESTQ CX, CX
	JEQ next
	IMULQ spikeGradientArgs_room(DX), SI
	SHLQ $2, SI
	ADDQ spikeGradientArgs_pixels(DX), SI
	ZERO2(Y0, Y1)
	ZERO2(Y2, Y3)
	ZERO2(Y4, Y5)
	ZERO2(Y6, Y7)
	ZERO1(Y8)
spike:
	MOVL (SI), AX
	SHLQ $6, AX
	ADDTAP(R8, Y0); ADDTAP(R9, Y1); ADDTAP(R10, Y2); ADDTAP(R11, Y3); ADDTAP(R12, Y4)
	ADDTAP(R13, Y5); ADDTAP(R14, Y6); ADDTAP(R15, Y7); ADDTAP(BX, Y8)
	ADDQ $4, SI
	DECQ CX
	JNE spike
	ADDSUM(0, Y0); ADDSUM(1, Y1); ADDSUM(2, Y2); ADDSUM(3, Y3); ADDSUM(4, Y4)
	ADDSUM(5, Y5); ADDSUM(6, Y6); ADDSUM(7, Y7); ADDSUM(8, Y8)
next:
	ADDQ $(9*64), DI
	JMP channel
done:
	XORQ $32, half-32(SP)
	JNE again
	RESTORE(old-8(SP))
	VZEROUPPER
	RET

// Registers of sumRunsAVX2, which are those of sumRunsAVX512 but
//
//	Y0-Y7 sums   Y14, Y15 lanes of the last two vectors

#define ENTRIES(shift) \
	MOVL (SI), R12; MOVL 4(SI), R13; MOVL 8(SI), R14; MOVL 12(SI), R15; \
	SHLQ $shift, R12; SHLQ $shift, R13; SHLQ $shift, R14; SHLQ $shift, R15

// ADDROW adds a row of 32 lanes.
#define ADDROW(p, a, b, c, d) \
	VADDPS (DX)(p*1), a, a; VADDPS 32(DX)(p*1), b, b; \
	VADDPS 64(DX)(p*1), c, c; VADDPS 96(DX)(p*1), d, d
#define ADDROW2(p, a, b) VADDPS (DX)(p*1), a, a; VADDPS 32(DX)(p*1), b, b

// func sumRunsAVX2(a *runArgs)
TEXT ·sumRunsAVX2(SB), NOSPLIT, $16-8
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP))
	MOVQ a+0(FP), BX
	MOVQ runArgs_out(BX), DI
	MOVQ runArgs_weights(BX), DX
	MOVQ runArgs_starts(BX), R8
	MOVQ runArgs_n(BX), R9
	MOVQ runArgs_outStride(BX), R10
	SHLQ $2, R10
	MOVQ runArgs_entries(BX), R11
	MOVQ runArgs_width(BX), CX
	DECQ CX
	ANDQ $15, CX
	INCQ CX // lanes of the last 16
	MOVQ $8, R12
	CMPQ CX, $8
	CMOVQLT CX, R12
	SUBQ R12, CX
	LANES(R12, Y14)
	LANES(CX, Y15)
	MOVL (R8), SI
	LEAQ (R11)(SI*4), SI
	CMPQ runArgs_lanes(BX), $16
	JEQ run1

run2:
	ADDQ $4, R8
	MOVL (R8), CX
	LEAQ (R11)(CX*4), CX
	ZERO2(Y0, Y1)
	ZERO2(Y2, Y3)
	ZERO2(Y4, Y5)
	ZERO2(Y6, Y7)
	CMPB runArgs_add(BX), $0
	JEQ sum2
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VMASKMOVPS 64(DI), Y14, Y2
	VMASKMOVPS 96(DI), Y15, Y3
sum2:
	CMPQ SI, CX
	JEQ end2
entry2:
	ENTRIES(7)
	ADDROW(R12, Y0, Y1, Y2, Y3)
	ADDROW(R13, Y4, Y5, Y6, Y7)
	ADDROW(R14, Y0, Y1, Y2, Y3)
	ADDROW(R15, Y4, Y5, Y6, Y7)
	ADDQ $16, SI
	CMPQ SI, CX
	JNE entry2
end2:
	VADDPS Y4, Y0, Y0
	VADDPS Y5, Y1, Y1
	VADDPS Y6, Y2, Y2
	VADDPS Y7, Y3, Y3
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	CMPQ runArgs_width(BX), $32
	JNE part2
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	JMP next2
part2:
	VMASKMOVPS Y2, Y14, 64(DI)
	VMASKMOVPS Y3, Y15, 96(DI)
next2:
	ADDQ R10, DI
	DECQ R9
	JNE run2
	JMP done

run1:
	ADDQ $4, R8
	MOVL (R8), CX
	LEAQ (R11)(CX*4), CX
	ZERO2(Y0, Y1)
	ZERO2(Y2, Y3)
	CMPB runArgs_add(BX), $0
	JEQ sum1
	VMASKMOVPS (DI), Y14, Y0
	VMASKMOVPS 32(DI), Y15, Y1
sum1:
	CMPQ SI, CX
	JEQ end1
entry1:
	ENTRIES(6)
	ADDROW2(R12, Y0, Y1)
	ADDROW2(R13, Y2, Y3)
	ADDROW2(R14, Y0, Y1)
	ADDROW2(R15, Y2, Y3)
	ADDQ $16, SI
	CMPQ SI, CX
	JNE entry1
end1:
	VADDPS Y2, Y0, Y0
	VADDPS Y3, Y1, Y1
	VMASKMOVPS Y0, Y14, (DI)
	VMASKMOVPS Y1, Y15, 32(DI)
	ADDQ R10, DI
	DECQ R9
	JNE run1
done:
	RESTORE(old-8(SP))
	VZEROUPPER
	RET
