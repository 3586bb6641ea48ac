//go:build !purego

#include "textflag.h"

// All loops here run over slices whose length is a multiple of 16. AX is the
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
	VMOVUPS (SI)(AX*4), Z0; \
	OP      (DX)(AX*4), Z0, Z0; \
	VMOVUPS Z0, (DI)(AX*4); \
	ADDQ    $16, AX; \
test: \
	CMPQ AX, CX; \
	JLT  loop; \
	VZEROUPPER; \
	RET

// UNARY is the body of a loop over x whose step turns Z0 into the result.
#define UNARY(STEP) \
	MOVQ dst_base+0(FP), DI; \
	MOVQ dst_len+8(FP), CX; \
	MOVQ x_base+24(FP), SI; \
	XORQ AX, AX; \
	JMP  test; \
loop: \
	VMOVUPS (SI)(AX*4), Z0; \
	STEP; \
	VMOVUPS Z0, (DI)(AX*4); \
	ADDQ    $16, AX; \
test: \
	CMPQ AX, CX; \
	JLT  loop; \
	VZEROUPPER; \
	RET

// func addAVX512(dst, x, y []float32)
TEXT ·addAVX512(SB), NOSPLIT, $0-72
	BINARY(VADDPS)

// func subAVX512(dst, x, y []float32)
TEXT ·subAVX512(SB), NOSPLIT, $0-72
	BINARY(VSUBPS)

// func mulAVX512(dst, x, y []float32)
TEXT ·mulAVX512(SB), NOSPLIT, $0-72
	BINARY(VMULPS)

// func divAVX512(dst, x, y []float32)
TEXT ·divAVX512(SB), NOSPLIT, $0-72
	BINARY(VDIVPS)

#define ADDSCALAR VADDPS Z1, Z0, Z0

// func addScalarAVX512(dst, x []float32, a float32)
TEXT ·addScalarAVX512(SB), NOSPLIT, $0-52
	VBROADCASTSS a+48(FP), Z1
	UNARY(ADDSCALAR)

#define MULSCALAR VMULPS Z1, Z0, Z0

// func mulScalarAVX512(dst, x []float32, a float32)
TEXT ·mulScalarAVX512(SB), NOSPLIT, $0-52
	VBROADCASTSS a+48(FP), Z1
	UNARY(MULSCALAR)

#define AXPY VMULPS Z1, Z0, Z0; VADDPS (DI)(AX*4), Z0, Z0

// func axpyAVX512(dst, x []float32, a float32)
TEXT ·axpyAVX512(SB), NOSPLIT, $0-52
	VBROADCASTSS a+48(FP), Z1
	UNARY(AXPY)

// The first operand of the maximum and minimum is the bound: x is kept when it is
// a NaN or equal.
#define CLIP VMAXPS Z0, Z1, Z0; VMINPS Z0, Z2, Z0

// func clipAVX512(dst, x []float32, low, high float32)
TEXT ·clipAVX512(SB), NOSPLIT, $0-56
	VBROADCASTSS low+48(FP), Z1
	VBROADCASTSS high+52(FP), Z2
	UNARY(CLIP)

// 17 is "less than, ordered, quiet".
#define LEAKYRELU VCMPPS $17, Z2, Z0, K1; VMULPS Z1, Z0, K1, Z0

// func leakyReluAVX512(dst, x []float32, slope float32)
TEXT ·leakyReluAVX512(SB), NOSPLIT, $0-52
	VBROADCASTSS slope+48(FP), Z1
	VPXORD Z2, Z2, Z2
	UNARY(LEAKYRELU)
