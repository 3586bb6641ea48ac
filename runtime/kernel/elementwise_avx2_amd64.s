//go:build !purego

#include "textflag.h"
#include "avx2_amd64.h"
#include "elementwise_amd64.h"

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

// func addScalarAVX2(dst, x []float32, a float32)
TEXT ·addScalarAVX2(SB), NOSPLIT, $0-52
	VBROADCASTSS a+48(FP), V1
	UNARY(ADDSCALAR)

// func mulScalarAVX2(dst, x []float32, a float32)
TEXT ·mulScalarAVX2(SB), NOSPLIT, $0-52
	VBROADCASTSS a+48(FP), V1
	UNARY(MULSCALAR)

// func axpyAVX2(dst, x []float32, a float32)
TEXT ·axpyAVX2(SB), NOSPLIT, $0-52
	VBROADCASTSS a+48(FP), V1
	UNARY(AXPY)

// func clipAVX2(dst, x []float32, low, high float32)
TEXT ·clipAVX2(SB), NOSPLIT, $0-56
	VBROADCASTSS low+48(FP), V1
	VBROADCASTSS high+52(FP), V2
	UNARY(CLIP)

// 17 is "less than, ordered, quiet".
#define LEAKYRELU VCMPPS $17, V2, V0, V3; VMULPS V1, V0, V4; VBLENDVPS V3, V4, V0, V0

// func leakyReluAVX2(dst, x []float32, slope float32)
TEXT ·leakyReluAVX2(SB), NOSPLIT, $0-52
	VBROADCASTSS slope+48(FP), V1
	VXORPS V2, V2, V2
	UNARY(LEAKYRELU)
