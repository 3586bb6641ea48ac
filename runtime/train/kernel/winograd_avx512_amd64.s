//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"

#define VB 64
#define V0 Z0
#define V1 Z1
#define V2 Z2
#define V3 Z3
#define V4 Z4
#define V5 Z5
#define V6 Z6
#define V7 Z7
#define V8 Z8
#define V9 Z9
#define C2 Z10
#define C4 Z11
#define C5 Z12
#define C8 Z12
#define QUARTER Z10
#define SIXTH Z12
#define TWELFTH Z13
#define TWENTYFOURTH Z14

#include "winograd_amd64.h"

// Frame: 8 and 16 MXCSR, 24 tiles left.

// func winogradInAVX512(a *winogradArgs)
TEXT ·winogradInAVX512(SB), NOSPLIT, $24-8
	BEGIN
	WINOGRAD_IN
	END

// func winogradOutAVX512(a *winogradArgs)
TEXT ·winogradOutAVX512(SB), NOSPLIT, $24-8
	BEGIN
	WINOGRAD_OUT
	END

// func winogradGradientAVX512(a *winogradArgs)
TEXT ·winogradGradientAVX512(SB), NOSPLIT, $24-8
	BEGIN
	WINOGRAD_GRADIENT
	END

// func winogradWeightsAVX512(a *winogradArgs)
TEXT ·winogradWeightsAVX512(SB), NOSPLIT, $24-8
	BEGIN
	WINOGRAD_WEIGHTS
	END
