//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"
#include "avx512_amd64.h"
#include "winograd_amd64.h"

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
