// Registers of PLANES:
//
//	BX   arguments             SI   cols
//	DI   out of the run        CX   cols left
//	R8   src of the run        DX   weights
//	R9   bytes from plane to plane of out
//	R10  src of the term       R11  vectors left
//	W0-W2 weights, or gradients of DOTS, X0 and X1 pixels
//
// EACH calls a macro with the number of a vector, the register of its pixels and its
// three sums; COUNT is the number of vectors.

#define SUM(i, x, a, b, c) VMOVUPS (i*VB)(R10), x; VFMADD231PS x, W0, a; VFMADD231PS x, W1, b; VFMADD231PS x, W2, c
#define ZERO(i, x, a, b, c) CLEAR a, a, a; CLEAR b, b, b; CLEAR c, c, c
#define STORE(i, x, a, b, c) VMOVUPS a, (i*VB)(DI); VMOVUPS b, (i*VB)(DI)(R9*1); VMOVUPS c, (i*VB)(DI)(R9*2)

#define PLANES \
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP)); \
	MOVQ a+0(FP), BX; \
	MOVQ planeArgs_out(BX), DI; \
	MOVQ planeArgs_src(BX), R8; \
	MOVQ planeArgs_pitch(BX), R9; \
	SHLQ $2, R9; \
	MOVQ planeArgs_n(BX), R11; \
run: \
	EACH(ZERO); \
	MOVQ planeArgs_cols(BX), SI; \
	MOVQ planeArgs_cols+8(BX), CX; \
	MOVQ planeArgs_weights(BX), DX; \
term: \
	MOVLQSX (SI), R10; \
	LEAQ (R8)(R10*4), R10; \
	VBROADCASTSS (DX), W0; \
	VBROADCASTSS 4(DX), W1; \
	VBROADCASTSS 8(DX), W2; \
	EACH(SUM); \
	ADDQ $4, SI; \
	ADDQ $12, DX; \
	DECQ CX; \
	JNE term; \
	EACH(STORE); \
	ADDQ $(COUNT*VB), DI; \
	ADDQ $(COUNT*VB), R8; \
	SUBQ $(COUNT*VL), R11; \
	JNE run; \
	RESTORE(old-8(SP)); \
	VZEROUPPER; \
	RET

// Registers of DOTS:
//
//	BX   arguments             DI   sums
//	SI   rows, or gradients    DX   bytes from plane to plane of these
//	R8-R15 src of the rows     AX   offset of the pixels, CX its end
//
// Frame: 8 and 16 MXCSR, 24 rows left, 32 rows. EACHROW calls a macro with the number of
// a row and its register, EACHDOT as EACH, with that register for a number.

#define ROW(i, p) MOVLQSX (i*4)(SI), p; LEAQ (AX)(p*4), p
#define DOT(p, x, a, b, c) VMOVUPS (p)(AX*1), x; VFMADD231PS x, W0, a; VFMADD231PS x, W1, b; VFMADD231PS x, W2, c
#define ADDSUM(i, x, a, b, c) VADDPS (i*192)(DI), a, a; VADDPS (i*192+64)(DI), b, b; VADDPS (i*192+128)(DI), c, c; \
	VMOVUPS a, (i*192)(DI); VMOVUPS b, (i*192+64)(DI); VMOVUPS c, (i*192+128)(DI)

#define DOTS \
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP)); \
	MOVQ a+0(FP), BX; \
	MOVQ dotArgs_sums(BX), DI; \
	MOVQ dotArgs_rows(BX), SI; \
	MOVQ dotArgs_rows+8(BX), CX; \
	MOVQ CX, left-24(SP); \
	MOVQ dotArgs_pitch(BX), DX; \
	SHLQ $2, DX; \
tile: \
	MOVQ dotArgs_src(BX), AX; \
	EACHROW(ROW); \
	ADDQ $(COUNT*4), SI; \
	MOVQ SI, rows-32(SP); \
	EACH(ZERO); \
	MOVQ dotArgs_gradients(BX), SI; \
	MOVQ dotArgs_n(BX), CX; \
	SHLQ $2, CX; \
	XORQ AX, AX; \
pixels: \
	VMOVUPS (SI), W0; \
	VMOVUPS (SI)(DX*1), W1; \
	VMOVUPS (SI)(DX*2), W2; \
	EACHDOT(DOT); \
	ADDQ $VB, SI; \
	ADDQ $VB, AX; \
	CMPQ AX, CX; \
	JNE pixels; \
	EACH(ADDSUM); \
	ADDQ $(COUNT*192), DI; \
	MOVQ rows-32(SP), SI; \
	SUBQ $COUNT, left-24(SP); \
	JNE tile; \
	RESTORE(old-8(SP)); \
	VZEROUPPER; \
	RET
