//go:build !purego

#include "textflag.h"
#include "avx512_amd64.h"
#include "elementwise_amd64.h"

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

// func addScalarAVX512(dst, x []float32, a float32)
TEXT ·addScalarAVX512(SB), NOSPLIT, $0-52
	VBROADCASTSS a+48(FP), V1
	UNARY(ADDSCALAR)

// func mulScalarAVX512(dst, x []float32, a float32)
TEXT ·mulScalarAVX512(SB), NOSPLIT, $0-52
	VBROADCASTSS a+48(FP), V1
	UNARY(MULSCALAR)

// func axpyAVX512(dst, x []float32, a float32)
TEXT ·axpyAVX512(SB), NOSPLIT, $0-52
	VBROADCASTSS a+48(FP), V1
	UNARY(AXPY)

// func clipAVX512(dst, x []float32, low, high float32)
TEXT ·clipAVX512(SB), NOSPLIT, $0-56
	VBROADCASTSS low+48(FP), V1
	VBROADCASTSS high+52(FP), V2
	UNARY(CLIP)

// 17 is "less than, ordered, quiet".
#define LEAKYRELU VCMPPS $17, V2, V0, K1; VMULPS V1, V0, K1, V0

// func leakyReluAVX512(dst, x []float32, slope float32)
TEXT ·leakyReluAVX512(SB), NOSPLIT, $0-52
	VBROADCASTSS slope+48(FP), V1
	VPXORD V2, V2, V2
	UNARY(LEAKYRELU)
