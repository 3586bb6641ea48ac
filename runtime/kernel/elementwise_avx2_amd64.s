//go:build !purego

#include "textflag.h"

// All loops here run over slices whose length is a multiple of 8. AX is the
// index, CX the length, DI, SI and DX are dst, x and y.

// BINARY is the body of dst = x OP y.
#define BINARY(OP) \
	MOVQ dst_base+0(FP), DI; \
	MOVQ dst_len+8(FP), CX; \
	MOVQ x_base+24(FP), SI; \
	MOVQ y_base+48(FP), DX; \
	XORQ AX, AX; \
	JMP  test; \
loop: \
	VMOVUPS (SI)(AX*4), Y0; \
	OP      (DX)(AX*4), Y0, Y0; \
	VMOVUPS Y0, (DI)(AX*4); \
	ADDQ    $8, AX; \
test: \
	CMPQ AX, CX; \
	JLT  loop; \
	VZEROUPPER; \
	RET

// UNARY is the body of a loop over x whose step turns Y0 into the result.
#define UNARY(STEP) \
	MOVQ dst_base+0(FP), DI; \
	MOVQ dst_len+8(FP), CX; \
	MOVQ x_base+24(FP), SI; \
	XORQ AX, AX; \
	JMP  test; \
loop: \
	VMOVUPS (SI)(AX*4), Y0; \
	STEP; \
	VMOVUPS Y0, (DI)(AX*4); \
	ADDQ    $8, AX; \
test: \
	CMPQ AX, CX; \
	JLT  loop; \
	VZEROUPPER; \
	RET

// func addAVX2(dst, x, y []float32)
TEXT ·addAVX2(SB), NOSPLIT, $0-72
	BINARY(VADDPS)

// func subAVX2(dst, x, y []float32)
TEXT ·subAVX2(SB), NOSPLIT, $0-72
	BINARY(VSUBPS)

// func mulAVX2(dst, x, y []float32)
TEXT ·mulAVX2(SB), NOSPLIT, $0-72
	BINARY(VMULPS)

// func divAVX2(dst, x, y []float32)
TEXT ·divAVX2(SB), NOSPLIT, $0-72
	BINARY(VDIVPS)

#define ADDSCALAR VADDPS Y1, Y0, Y0

// func addScalarAVX2(dst, x []float32, a float32)
TEXT ·addScalarAVX2(SB), NOSPLIT, $0-52
	VBROADCASTSS a+48(FP), Y1
	UNARY(ADDSCALAR)

#define MULSCALAR VMULPS Y1, Y0, Y0

// func mulScalarAVX2(dst, x []float32, a float32)
TEXT ·mulScalarAVX2(SB), NOSPLIT, $0-52
	VBROADCASTSS a+48(FP), Y1
	UNARY(MULSCALAR)

#define AXPY VMULPS Y1, Y0, Y0; VADDPS (DI)(AX*4), Y0, Y0

// func axpyAVX2(dst, x []float32, a float32)
TEXT ·axpyAVX2(SB), NOSPLIT, $0-52
	VBROADCASTSS a+48(FP), Y1
	UNARY(AXPY)

// The first operand of the maximum and minimum is the bound: x is kept when it is
// a NaN or equal.
#define CLIP VMAXPS Y0, Y1, Y0; VMINPS Y0, Y2, Y0

// func clipAVX2(dst, x []float32, low, high float32)
TEXT ·clipAVX2(SB), NOSPLIT, $0-56
	VBROADCASTSS low+48(FP), Y1
	VBROADCASTSS high+52(FP), Y2
	UNARY(CLIP)

// 17 is "less than, ordered, quiet".
#define LEAKYRELU VCMPPS $17, Y2, Y0, Y3; VMULPS Y1, Y0, Y4; VBLENDVPS Y3, Y4, Y0, Y0

// func leakyReluAVX2(dst, x []float32, slope float32)
TEXT ·leakyReluAVX2(SB), NOSPLIT, $0-52
	VBROADCASTSS slope+48(FP), Y1
	VXORPS Y2, Y2, Y2
	UNARY(LEAKYRELU)
