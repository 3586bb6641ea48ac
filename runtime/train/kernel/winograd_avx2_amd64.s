//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"
#include "avx2_amd64.h"
#include "winograd_amd64.h"

// func winogradInAVX2(a *winogradArgs)
TEXT ·winogradInAVX2(SB), NOSPLIT, $24-8
	WHOLE(WINOGRAD_IN)

// func winogradOutAVX2(a *winogradArgs)
TEXT ·winogradOutAVX2(SB), NOSPLIT, $24-8
	WHOLE(WINOGRAD_OUT)

// func winogradGradientAVX2(a *winogradArgs)
TEXT ·winogradGradientAVX2(SB), NOSPLIT, $24-8
	WHOLE(WINOGRAD_GRADIENT)

// func winogradWeightsAVX2(a *winogradArgs)
TEXT ·winogradWeightsAVX2(SB), NOSPLIT, $24-8
	WHOLE(WINOGRAD_WEIGHTS)
