//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"
#include "avx512_amd64.h"
#include "winograd_amd64.h"

// func winogradInAVX512(a *winogradArgs)
TEXT ·winogradInAVX512(SB), NOSPLIT, $24-8
	WHOLE(WINOGRAD_IN)

// func winogradOutAVX512(a *winogradArgs)
TEXT ·winogradOutAVX512(SB), NOSPLIT, $24-8
	WHOLE(WINOGRAD_OUT)

// func winogradGradientAVX512(a *winogradArgs)
TEXT ·winogradGradientAVX512(SB), NOSPLIT, $24-8
	WHOLE(WINOGRAD_GRADIENT)

// func winogradWeightsAVX512(a *winogradArgs)
TEXT ·winogradWeightsAVX512(SB), NOSPLIT, $24-8
	WHOLE(WINOGRAD_WEIGHTS)
