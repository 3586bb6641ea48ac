//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"

#define VB 32
#define V0 Y0
#define V1 Y1
#define V2 Y2
#define V3 Y3
#define V4 Y4
#define V5 Y5
#define V6 Y6
#define V7 Y7
#define V8 Y8
#define V9 Y9
#define C2 Y10
#define C4 Y11
#define C5 Y12
#define C8 Y12
#define QUARTER Y10
#define SIXTH Y12
#define TWELFTH Y13
#define TWENTYFOURTH Y14

#include "winograd_amd64.h"

// Frame: 8 and 16 MXCSR, 24 tiles left.

// func winogradInAVX2(a *winogradArgs)
TEXT ·winogradInAVX2(SB), NOSPLIT, $24-8
	BEGIN
	WINOGRAD_IN
	END

// func winogradOutAVX2(a *winogradArgs)
TEXT ·winogradOutAVX2(SB), NOSPLIT, $24-8
	BEGIN
	WINOGRAD_OUT
	END

// func winogradGradientAVX2(a *winogradArgs)
TEXT ·winogradGradientAVX2(SB), NOSPLIT, $24-8
	BEGIN
	WINOGRAD_GRADIENT
	END

// func winogradWeightsAVX2(a *winogradArgs)
TEXT ·winogradWeightsAVX2(SB), NOSPLIT, $24-8
	BEGIN
	WINOGRAD_WEIGHTS
	END
