// The transforms of convwinograd_generic.go for vectors V0-V7 of VB bytes, whose lanes
// are neighbouring tiles, the constants C2, C4 and C8, and BIAS, OFFSET, SCALE, SHIFT
// and NONE of a tail. SPREAD and JOIN, which depend on the vectors, turn the cells of
// a row to columns of tiles and back.
//
// Registers:
//
//	BX   arguments            DX  scratch
//	SI   source               DI  destination, both of the vector's first tile
//	R8   bytes from row to row of the image
//	R11  bytes from one position to the next, R12 six of them, R13 18, R14 30
//	R15  place in the pass    CX  loop count
//	AX   tiles left

// FILTER_IN takes V0, V1, V2, V3, V4, V6 to V0, V1, V2, V3, V5, V6.
#define FILTER_IN \
	VSUBPS V2, V4, V5; \
	VSUBPS V1, V3, V7; \
	VSUBPS V2, V0, V0; \
	VSUBPS V3, V6, V6; \
	VFNMADD231PS V2, C4, V4; \
	VFNMADD231PS V1, C4, V3; \
	VFMADD213PS V5, C4, V0; \
	VFNMADD231PS V7, C4, V6; \
	VADDPS V3, V4, V1; \
	VSUBPS V3, V4, V2; \
	VMOVAPS V5, V3; \
	VFMADD231PS V7, C2, V3; \
	VFNMADD231PS V7, C2, V5

// FILTER_OUT takes V0-V5 to V0, V2, V6, V5.
#define FILTER_OUT \
	VADDPS V2, V1, V6; VSUBPS V2, V1, V1; \
	VADDPS V4, V3, V7; VSUBPS V4, V3, V3; \
	VADDPS V6, V0, V0; VADDPS V7, V0, V0; \
	VMOVAPS V1, V2; VFMADD231PS V3, C2, V2; \
	VFMADD231PS V7, C4, V6; \
	VADDPS V5, V1, V5; VFMADD231PS V3, C8, V5

#define NUMBER(bits, x, v) MOVL $bits, AX; VMOVD AX, x; VBROADCASTSS x, v

#define BEGIN \
	MOVQ a+0(FP), BX; \
	MOVQ filterArgs_scratch(BX), DX; \
	MOVQ filterArgs_row(BX), R8; \
	SHLQ $2, R8; \
	MOVQ filterArgs_pitch(BX), R11; \
	SHLQ $2, R11; \
	LEAQ (R11)(R11*2), R12; \
	ADDQ R12, R12; \
	LEAQ (R12)(R12*2), R13; \
	LEAQ (R12)(R12*4), R14

#define WINOGRAD_IN \
	MOVQ filterArgs_image(BX), SI; \
	MOVQ filterArgs_positions(BX), DI; \
	MOVQ filterArgs_tiles(BX), AX; \
tile: \
	MOVQ SI, R15; \
	MOVQ $6, CX; \
row: \
	SPREAD(R15); \
	FILTER_IN; \
	VMOVUPS V0, (DX); VMOVUPS V1, (1*VB)(DX); VMOVUPS V2, (2*VB)(DX); \
	VMOVUPS V3, (3*VB)(DX); VMOVUPS V5, (4*VB)(DX); VMOVUPS V6, (5*VB)(DX); \
	ADDQ R8, R15; \
	ADDQ $(6*VB), DX; \
	DECQ CX; \
	JNE row; \
	SUBQ $(36*VB), DX; \
	MOVQ DI, R15; \
	MOVQ $6, CX; \
column: \
	VMOVUPS (DX), V0; VMOVUPS (6*VB)(DX), V1; VMOVUPS (12*VB)(DX), V2; \
	VMOVUPS (18*VB)(DX), V3; VMOVUPS (24*VB)(DX), V4; VMOVUPS (30*VB)(DX), V6; \
	FILTER_IN; \
	VMOVUPS V0, (R15); VMOVUPS V1, (R15)(R12*1); VMOVUPS V2, (R15)(R12*2); \
	VMOVUPS V3, (R15)(R13*1); VMOVUPS V5, (R15)(R12*4); VMOVUPS V6, (R15)(R14*1); \
	ADDQ R11, R15; \
	ADDQ $VB, DX; \
	DECQ CX; \
	JNE column; \
	SUBQ $(6*VB), DX; \
	ADDQ $(4*VB), SI; \
	ADDQ $VB, DI; \
	SUBQ $(VB/4), AX; \
	JGT tile

#define WINOGRAD_OUT \
	MOVQ filterArgs_positions(BX), SI; \
	MOVQ filterArgs_image(BX), DI; \
	MOVQ filterArgs_tiles(BX), AX; \
tile: \
	MOVQ SI, R15; \
	MOVQ $6, CX; \
column: \
	VMOVUPS (R15), V0; VMOVUPS (R15)(R12*1), V1; VMOVUPS (R15)(R12*2), V2; \
	VMOVUPS (R15)(R13*1), V3; VMOVUPS (R15)(R12*4), V4; VMOVUPS (R15)(R14*1), V5; \
	FILTER_OUT; \
	VMOVUPS V0, (DX); VMOVUPS V2, (6*VB)(DX); VMOVUPS V6, (12*VB)(DX); VMOVUPS V5, (18*VB)(DX); \
	ADDQ R11, R15; \
	ADDQ $VB, DX; \
	DECQ CX; \
	JNE column; \
	SUBQ $(6*VB), DX; \
	MOVQ DI, R15; \
	MOVQ $4, CX; \
row: \
	VMOVUPS (DX), V0; VMOVUPS (1*VB)(DX), V1; VMOVUPS (2*VB)(DX), V2; \
	VMOVUPS (3*VB)(DX), V3; VMOVUPS (4*VB)(DX), V4; VMOVUPS (5*VB)(DX), V5; \
	FILTER_OUT; \
	CMPB filterArgs_biased(BX), $0; \
	JEQ affine; \
	VADDPS BIAS, V0, V0; VADDPS BIAS, V2, V2; VADDPS BIAS, V6, V6; VADDPS BIAS, V5, V5; \
affine: \
	CMPB filterArgs_affine(BX), $0; \
	JEQ relu; \
	VADDPS OFFSET, V0, V0; VADDPS OFFSET, V2, V2; VADDPS OFFSET, V6, V6; VADDPS OFFSET, V5, V5; \
	VMULPS SCALE, V0, V0; VMULPS SCALE, V2, V2; VMULPS SCALE, V6, V6; VMULPS SCALE, V5, V5; \
	VADDPS SHIFT, V0, V0; VADDPS SHIFT, V2, V2; VADDPS SHIFT, V6, V6; VADDPS SHIFT, V5, V5; \
relu: \
	CMPB filterArgs_relu(BX), $0; \
	JEQ store; \
	VMAXPS V0, NONE, V0; VMAXPS V2, NONE, V2; VMAXPS V6, NONE, V6; VMAXPS V5, NONE, V5; \
store: \
	JOIN(R15); \
	ADDQ R8, R15; \
	ADDQ $(6*VB), DX; \
	DECQ CX; \
	JNE row; \
	SUBQ $(24*VB), DX; \
	ADDQ $VB, SI; \
	ADDQ $(4*VB), DI; \
	SUBQ $(VB/4), AX; \
	JGT tile

#define TAIL \
	VBROADCASTSS filterArgs_bias(BX), BIAS; \
	VBROADCASTSS filterArgs_offset(BX), OFFSET; \
	VBROADCASTSS filterArgs_scale(BX), SCALE; \
	VBROADCASTSS filterArgs_shift(BX), SHIFT
