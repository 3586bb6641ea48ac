// The kernels that transform rows of tiles, for vectors V0-V10 of VB bytes, loaded and stored by
// MOV, and halves of them H0-H3.

// ROW takes the sums or differences, by OP, of two rows of a patch, and widens them by EXT: V0-V3.
#define ROW(OP, EXT, a, b) \
	VMOVDQU (a), H0; \
	VMOVDQU (a)(DX*1), H1; \
	VMOVDQU (a)(DX*2), H2; \
	VMOVDQU (a)(R13*1), H3; \
	OP (b), H0, H0; \
	OP (b)(DX*1), H1, H1; \
	OP (b)(DX*2), H2, H2; \
	OP (b)(R13*1), H3, H3; \
	EXT H0, V0; \
	EXT H1, V1; \
	EXT H2, V2; \
	EXT H3, V3

// COLUMNS gives four positions.
#define COLUMNS \
	VPSUBW V2, V0, V4; \
	VPADDW V2, V1, V5; \
	VPSUBW V1, V2, V6; \
	VPSUBW V3, V1, V7; \
	MOV V4, (DI); \
	MOV V5, (DI)(R9*1); \
	MOV V6, (DI)(R9*2); \
	MOV V7, (DI)(R10*1)

// TOTILES is the body of toTiles: rows of the patch at SI, R8, R11 and R12. Sums of rows are
// unsigned bytes, differences signed ones.
#define TOTILES \
	MOVQ a+0(FP), BX; \
	MOVQ tileArgs_srcCell(BX), DX; \
	LEAQ (DX)(DX*2), R13; \
	MOVQ tileArgs_wideStride(BX), R9; \
	ADDQ R9, R9; \
	LEAQ (R9)(R9*2), R10; \
	MOVQ tileArgs_n(BX), AX; MOVQ AX, left-8(SP); \
	MOVQ tileArgs_cells+0(BX), AX; MOVQ AX, patch-16(SP); \
	MOVQ tileArgs_wide+0(BX), AX; MOVQ AX, tile-24(SP); \
tile: \
	MOVQ patch-16(SP), SI; \
	MOVQ tile-24(SP), CX; \
	MOVQ tileArgs_channels(BX), AX; \
piece: \
	MOVQ tileArgs_srcRow(BX), R12; \
	LEAQ (SI)(R12*1), R8; \
	LEAQ (SI)(R12*2), R11; \
	LEAQ (R8)(R12*2), R12; \
	MOVQ CX, DI; \
	ROW(VPSUBB, VPMOVSXBW, SI, R11); \
	COLUMNS; \
	LEAQ (DI)(R9*4), DI; \
	ROW(VPADDB, VPMOVZXBW, R8, R11); \
	COLUMNS; \
	LEAQ (DI)(R9*4), DI; \
	ROW(VPSUBB, VPMOVSXBW, R11, R8); \
	COLUMNS; \
	LEAQ (DI)(R9*4), DI; \
	ROW(VPSUBB, VPMOVSXBW, R8, R12); \
	COLUMNS; \
	ADDQ $(VB/2), SI; \
	ADDQ $VB, CX; \
	SUBQ $(VB/2), AX; \
	JGT piece; \
	LEAQ (DX)(DX*1), AX; ADDQ AX, patch-16(SP); \
	MOVQ tileArgs_wideCell(BX), AX; ADDQ AX, AX; ADDQ AX, tile-24(SP); \
	DECQ left-8(SP); \
	JNZ tile; \
	VZEROUPPER; \
	RET

// HALVE sets a to (a+b)/2 and d to (a-b)/2.
#define HALVE(a, b, d) \
	VPSUBD b, a, d; \
	VPADDD b, a, a; \
	VPSRAD $1, a, a; \
	VPSRAD $1, d, d

// COLUMN gives the sums of both output rows of a column of positions.
#define COLUMN(a, b, c, d, y0, y1) \
	MOV b, y0; \
	HALVE(y0, c, y1); \
	VPADDD a, y0, y0; \
	VPSUBD d, y1, y1

// OUTPUTS stores a row of outputs at to and CX bytes further.
#define OUTPUTS(a, b, c, d, to) \
	HALVE(b, c, V8); \
	VPADDD a, b, b; \
	VPSUBD d, V8, V8; \
	VPADDD V10, b, b; \
	VPADDD V10, V8, V8; \
	MOV b, (to); \
	MOV V8, (to)(CX*1)

// FROMTILES is the body of fromTiles: rows of positions at SI, R8, R9 and R10.
#define FROMTILES \
	MOVQ a+0(FP), BX; \
	MOVQ tileArgs_productStride(BX), DX; \
	SHLQ $2, DX; \
	LEAQ (DX)(DX*2), R13; \
	MOVQ tileArgs_sumCell(BX), CX; \
	SHLQ $2, CX; \
	MOVQ tileArgs_n(BX), AX; MOVQ AX, left-8(SP); \
	MOVQ tileArgs_products+0(BX), SI; \
	MOVQ tileArgs_sums+0(BX), DI; \
tile: \
	MOVQ tileArgs_potential+0(BX), R12; \
	MOVQ DI, R11; \
	MOVQ $64, AX; \
piece: \
	LEAQ (SI)(DX*4), R8; \
	LEAQ (SI)(DX*8), R9; \
	LEAQ (R8)(DX*8), R10; \
	MOV (R12), V10; \
	COLUMN((SI), (R8), (R9), (R10), V0, V4); \
	COLUMN((SI)(DX*1), (R8)(DX*1), (R9)(DX*1), (R10)(DX*1), V1, V5); \
	COLUMN((SI)(DX*2), (R8)(DX*2), (R9)(DX*2), (R10)(DX*2), V2, V6); \
	COLUMN((SI)(R13*1), (R8)(R13*1), (R9)(R13*1), (R10)(R13*1), V3, V7); \
	OUTPUTS(V0, V1, V2, V3, R11); \
	MOVQ tileArgs_sumRow(BX), R8; \
	LEAQ (R11)(R8*4), R8; \
	OUTPUTS(V4, V5, V6, V7, R8); \
	ADDQ $VB, SI; \
	ADDQ $VB, R11; \
	ADDQ $VB, R12; \
	SUBQ $VB, AX; \
	JGT piece; \
	LEAQ (DI)(CX*2), DI; \
	DECQ left-8(SP); \
	JNZ tile; \
	VZEROUPPER; \
	RET
