// Matrix products by tiles of 6 rows. Registers:
//
//	BX   arguments             DI   out of the row
//	R8-R13 rows of the left factor
//	SI   cols                  CX   cols left
//	DX   row of the right factor, R14 bytes to the next
//	R15  bytes between rows of out
//	AX   offset of the column
//
// Frame: 8 and 16 MXCSR, 24 tiles left, 32 rows of the tile.

#define ROW(i, p) MOVLQSX (i*4)(AX), p; LEAQ (CX)(p*4), p

#define START \
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP)); \
	MOVQ a+0(FP), BX; \
	MOVQ out+8(FP), DI; \
	MOVQ rows+16(FP), AX; \
	MOVQ AX, rows-32(SP); \
	MOVQ tiles+24(FP), AX; \
	MOVQ AX, tiles-24(SP); \
	MOVQ productArgs_bStride(BX), R14; \
	SHLQ $2, R14; \
	MOVQ productArgs_outStride(BX), R15; \
	SHLQ $2, R15; \
	MOVQ productArgs_width(BX), DX

// PRODUCT is the loop over tiles of 6 rows for one number of vectors.
#define PRODUCT(tile, resume, sum, col, SUMS, ZERO, RESUME, RIGHT, TERMS, STORE) \
tile: \
	MOVQ productArgs_a(BX), CX; \
	MOVQ rows-32(SP), AX; \
	ROW(0, R8); ROW(1, R9); ROW(2, R10); ROW(3, R11); ROW(4, R12); ROW(5, R13); \
	ADDQ $24, AX; \
	MOVQ AX, rows-32(SP); \
	CMPB productArgs_add(BX), $0; \
	JNE resume; \
	SUMS(ZERO); \
	JMP sum; \
resume: \
	MOVQ DI, AX; \
	SUMS(RESUME); \
	MOVQ AX, DI; \
sum: \
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
	JNE col; \
	SUMS(STORE); \
	DECQ tiles-24(SP); \
	JNE tile
