// The transforms of winograd.go and winogradweights.go.
//
// Registers:
//
//	BX   arguments            DX  scratch
//	SI   source               DI  destination, both of the tile's channels
//	R8   bytes from row to row of the source, R9 three of them, R10 five
//	R11  bytes from one to the next of the destination, R12 three of them, R13 five
//	R14  bytes of a pixel's channels
//	AX   offset of the channels in a pixel, CX loop count
//	R15  source or destination of the pass

// Frame: 8 and 16 MXCSR, 24 tiles left.

// The constants of transforms forwards, and of those of gradients.
#define C2 V10
#define C4 V11
#define C5 V12
#define C8 V12
#define QUARTER V10
#define SIXTH V12
#define TWELFTH V13
#define TWENTYFOURTH V14

// TRANSFORM_IN takes V0-V5 to V0, V1, V2, V3, V8, V5.
#define TRANSFORM_IN \
	VMOVAPS V4, V6; VFNMADD231PS V2, C4, V6; \
	VMOVAPS V3, V7; VFNMADD231PS V1, C4, V7; \
	VSUBPS V2, V4, V8; \
	VSUBPS V1, V3, V9; \
	VFMADD213PS V4, C4, V0; VFNMADD231PS V2, C5, V0; \
	VFMADD231PS V1, C4, V5; VFNMADD231PS V3, C5, V5; \
	VADDPS V7, V6, V1; \
	VSUBPS V7, V6, V2; \
	VMOVAPS V8, V3; VFMADD231PS V9, C2, V3; \
	VFNMADD231PS V9, C2, V8

// TRANSFORM_OUT takes V0-V5 to V0, V2, V6, V5.
#define TRANSFORM_OUT \
	VADDPS V2, V1, V6; VSUBPS V2, V1, V1; \
	VADDPS V4, V3, V7; VSUBPS V4, V3, V3; \
	VADDPS V6, V0, V0; VADDPS V7, V0, V0; \
	VMOVAPS V1, V2; VFMADD231PS V3, C2, V2; \
	VFMADD231PS V7, C4, V6; \
	VADDPS V1, V5, V5; VFMADD231PS V3, C8, V5

// TRANSFORM_GRADIENT takes V0-V3 to V0, V4, V5, V6, V7, V3.
#define TRANSFORM_GRADIENT \
	VADDPS V2, V0, V6; VMULPS SIXTH, V6, V6; \
	VADDPS V3, V1, V7; VMULPS SIXTH, V7, V7; \
	VADDPS V7, V6, V4; VSUBPS V7, V6, V5; \
	VFMADD213PS V0, C4, V2; VMULPS TWENTYFOURTH, V2, V2; \
	VFMADD231PS V3, C4, V1; VMULPS TWELFTH, V1, V1; \
	VADDPS V1, V2, V6; VSUBPS V1, V2, V7; \
	VMULPS QUARTER, V0, V0

// TRANSFORM_WEIGHTS takes V0-V5 to V0, V2, V5.
#define TRANSFORM_WEIGHTS \
	VADDPS V2, V1, V6; VSUBPS V2, V1, V1; \
	VADDPS V4, V3, V7; VSUBPS V4, V3, V3; \
	VADDPS V6, V0, V0; VADDPS V7, V0, V0; \
	VMOVAPS V1, V2; VFMADD231PS V3, C2, V2; \
	VADDPS V6, V5, V5; VFMADD231PS V7, C4, V5

// LOAD6 loads numbers that are R8 apart.
#define LOAD6(p) \
	VMOVUPS (p), V0; VMOVUPS (p)(R8*1), V1; VMOVUPS (p)(R8*2), V2; \
	VMOVUPS (p)(R9*1), V3; VMOVUPS (p)(R8*4), V4; VMOVUPS (p)(R10*1), V5

// LOADROW loads a row of the scratch.
#define LOADROW(p) \
	VMOVUPS (p), V0; VMOVUPS (1*VB)(p), V1; VMOVUPS (2*VB)(p), V2; \
	VMOVUPS (3*VB)(p), V3; VMOVUPS (4*VB)(p), V4; VMOVUPS (5*VB)(p), V5

#define LOAD4(p) \
	VMOVUPS (p), V0; VMOVUPS (p)(R8*1), V1; VMOVUPS (p)(R8*2), V2; VMOVUPS (p)(R9*1), V3

#define NUMBER(bits, x, v) MOVL $bits, AX; VMOVD AX, x; VBROADCASTSS x, v

// BEGIN sets up what both have in common; source and destination differ.
#define BEGIN \
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP)); \
	MOVQ a+0(FP), BX; \
	MOVQ winogradArgs_scratch(BX), DX; \
	MOVQ winogradArgs_channels(BX), R14; \
	SHLQ $2, R14; \
	MOVQ winogradArgs_tiles(BX), AX; \
	MOVQ AX, tiles-24(SP)

#define END \
	RESTORE(old-8(SP)); \
	VZEROUPPER; \
	RET

// INCOLUMNS and GRADIENTCOLUMNS are the first pass, over the channels at AX.
#define INCOLUMNS(column) \
	LEAQ (SI)(AX*1), R15; \
	MOVQ $6, CX; \
column: \
	LOAD6(R15); \
	TRANSFORM_IN; \
	VMOVUPS V0, (DX); VMOVUPS V1, (6*VB)(DX); VMOVUPS V2, (12*VB)(DX); \
	VMOVUPS V3, (18*VB)(DX); VMOVUPS V8, (24*VB)(DX); VMOVUPS V5, (30*VB)(DX); \
	ADDQ R14, R15; \
	ADDQ $VB, DX; \
	DECQ CX; \
	JNE column; \
	SUBQ $(6*VB), DX
#define GRADIENTCOLUMNS(column) \
	LEAQ (SI)(AX*1), R15; \
	MOVQ $4, CX; \
column: \
	LOAD4(R15); \
	TRANSFORM_GRADIENT; \
	VMOVUPS V0, (DX); VMOVUPS V4, (4*VB)(DX); VMOVUPS V5, (8*VB)(DX); \
	VMOVUPS V6, (12*VB)(DX); VMOVUPS V7, (16*VB)(DX); VMOVUPS V3, (20*VB)(DX); \
	ADDQ R14, R15; \
	ADDQ $VB, DX; \
	DECQ CX; \
	JNE column; \
	SUBQ $(4*VB), DX

// WHOLE is a kernel.
#define WHOLE(BODY) BEGIN; BODY; END

#define WINOGRAD_IN \
	NUMBER(0x40000000, X10, C2); \
	NUMBER(0x40800000, X11, C4); \
	NUMBER(0x40a00000, X12, C5); \
	MOVQ winogradArgs_row(BX), R8; \
	SHLQ $2, R8; \
	LEAQ (R8)(R8*2), R9; \
	LEAQ (R8)(R8*4), R10; \
	MOVQ winogradArgs_pitch(BX), R11; \
	SHLQ $2, R11; \
	LEAQ (R11)(R11*2), R12; \
	LEAQ (R11)(R11*4), R13; \
	MOVQ winogradArgs_image(BX), SI; \
	MOVQ winogradArgs_positions(BX), DI; \
tile: \
	XORQ AX, AX; \
channels: \
	INCOLUMNS(column); \
	LEAQ (DI)(AX*1), R15; \
	MOVQ $6, CX; \
row: \
	LOADROW(DX); \
	TRANSFORM_IN; \
	VMOVUPS V0, (R15); VMOVUPS V1, (R15)(R11*1); VMOVUPS V2, (R15)(R11*2); \
	VMOVUPS V3, (R15)(R12*1); VMOVUPS V8, (R15)(R11*4); VMOVUPS V5, (R15)(R13*1); \
	LEAQ (R15)(R12*2), R15; \
	ADDQ $(6*VB), DX; \
	DECQ CX; \
	JNE row; \
	SUBQ $(36*VB), DX; \
	ADDQ $VB, AX; \
	CMPQ AX, R14; \
	JNE channels; \
	LEAQ (SI)(R14*4), SI; \
	ADDQ R14, DI; \
	DECQ tiles-24(SP); \
	JNE tile

#define WINOGRAD_OUT \
	NUMBER(0x40000000, X10, C2); \
	NUMBER(0x40800000, X11, C4); \
	NUMBER(0x41000000, X12, C8); \
	MOVQ winogradArgs_pitch(BX), R11; \
	SHLQ $2, R11; \
	LEAQ (R11)(R11*2), R8; \
	ADDQ R8, R8; \
	LEAQ (R8)(R8*2), R9; \
	LEAQ (R8)(R8*4), R10; \
	MOVQ winogradArgs_row(BX), R12; \
	SHLQ $2, R12; \
	LEAQ (R14)(R14*2), R13; \
	MOVQ winogradArgs_image(BX), DI; \
	MOVQ winogradArgs_positions(BX), SI; \
tile: \
	XORQ AX, AX; \
channels: \
	LEAQ (SI)(AX*1), R15; \
	MOVQ $6, CX; \
column: \
	LOAD6(R15); \
	TRANSFORM_OUT; \
	VMOVUPS V0, (DX); VMOVUPS V2, (6*VB)(DX); VMOVUPS V6, (12*VB)(DX); VMOVUPS V5, (18*VB)(DX); \
	ADDQ R11, R15; \
	ADDQ $VB, DX; \
	DECQ CX; \
	JNE column; \
	SUBQ $(6*VB), DX; \
	LEAQ (DI)(AX*1), R15; \
	MOVQ $4, CX; \
row: \
	LOADROW(DX); \
	TRANSFORM_OUT; \
	VMOVUPS V0, (R15); VMOVUPS V2, (R15)(R14*1); VMOVUPS V6, (R15)(R14*2); VMOVUPS V5, (R15)(R13*1); \
	ADDQ R12, R15; \
	ADDQ $(6*VB), DX; \
	DECQ CX; \
	JNE row; \
	SUBQ $(24*VB), DX; \
	ADDQ $VB, AX; \
	CMPQ AX, R14; \
	JNE channels; \
	ADDQ R14, SI; \
	LEAQ (DI)(R14*4), DI; \
	DECQ tiles-24(SP); \
	JNE tile

#define WINOGRAD_GRADIENT \
	NUMBER(0x3e800000, X10, QUARTER); \
	NUMBER(0x40800000, X11, C4); \
	NUMBER(0xbe2aaaab, X12, SIXTH); \
	NUMBER(0x3daaaaab, X13, TWELFTH); \
	NUMBER(0x3d2aaaab, X14, TWENTYFOURTH); \
	MOVQ winogradArgs_row(BX), R8; \
	SHLQ $2, R8; \
	LEAQ (R8)(R8*2), R9; \
	MOVQ winogradArgs_pitch(BX), R11; \
	SHLQ $2, R11; \
	LEAQ (R11)(R11*2), R12; \
	LEAQ (R11)(R11*4), R13; \
	MOVQ winogradArgs_image(BX), SI; \
	MOVQ winogradArgs_positions(BX), DI; \
tile: \
	XORQ AX, AX; \
channels: \
	GRADIENTCOLUMNS(column); \
	LEAQ (DI)(AX*1), R15; \
	MOVQ $6, CX; \
row: \
	VMOVUPS (DX), V0; VMOVUPS (1*VB)(DX), V1; VMOVUPS (2*VB)(DX), V2; VMOVUPS (3*VB)(DX), V3; \
	TRANSFORM_GRADIENT; \
	VMOVUPS V0, (R15); VMOVUPS V4, (R15)(R11*1); VMOVUPS V5, (R15)(R11*2); \
	VMOVUPS V6, (R15)(R12*1); VMOVUPS V7, (R15)(R11*4); VMOVUPS V3, (R15)(R13*1); \
	LEAQ (R15)(R12*2), R15; \
	ADDQ $(4*VB), DX; \
	DECQ CX; \
	JNE row; \
	SUBQ $(24*VB), DX; \
	ADDQ $VB, AX; \
	CMPQ AX, R14; \
	JNE channels; \
	LEAQ (SI)(R14*4), SI; \
	ADDQ R14, DI; \
	DECQ tiles-24(SP); \
	JNE tile

#define WINOGRAD_WEIGHTS \
	NUMBER(0x40000000, X10, C2); \
	NUMBER(0x40800000, X11, C4); \
	MOVQ winogradArgs_pitch(BX), R11; \
	SHLQ $2, R11; \
	LEAQ (R11)(R11*2), R8; \
	ADDQ R8, R8; \
	LEAQ (R8)(R8*2), R9; \
	LEAQ (R8)(R8*4), R10; \
	LEAQ (R14)(R14*2), R12; \
	MOVQ winogradArgs_image(BX), DI; \
	MOVQ winogradArgs_positions(BX), SI; \
	XORQ AX, AX; \
channels: \
	LEAQ (SI)(AX*1), R15; \
	MOVQ $6, CX; \
column: \
	LOAD6(R15); \
	TRANSFORM_WEIGHTS; \
	VMOVUPS V0, (DX); VMOVUPS V2, (6*VB)(DX); VMOVUPS V5, (12*VB)(DX); \
	ADDQ R11, R15; \
	ADDQ $VB, DX; \
	DECQ CX; \
	JNE column; \
	SUBQ $(6*VB), DX; \
	LEAQ (DI)(AX*1), R15; \
	MOVQ $3, CX; \
row: \
	LOADROW(DX); \
	TRANSFORM_WEIGHTS; \
	VMOVUPS V0, (R15); VMOVUPS V2, (R15)(R14*1); VMOVUPS V5, (R15)(R14*2); \
	ADDQ R12, R15; \
	ADDQ $(6*VB), DX; \
	DECQ CX; \
	JNE row; \
	SUBQ $(18*VB), DX; \
	ADDQ $VB, AX; \
	CMPQ AX, R14; \
	JNE channels
