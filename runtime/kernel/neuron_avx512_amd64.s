//go:build !purego

#include "textflag.h"
#include "avx512_amd64.h"
#include "neuron_amd64.h"

#define EACH(STEP) STEP(0); STEP(1); STEP(2); STEP(3)

// 29 is "greater or equal, ordered, quiet".
#define IFSTEP(i) \
	VADDPS  VB*i(DX)(AX*4), Z0, Z3; \
	VADDPS  VB*i(SI)(AX*4), Z3, Z3; \
	VCMPPS  $29, Z2, Z3, K1; \
	VSUBPS  Z1, Z3, K1, Z3; \
	VMOVUPS Z3, VB*i(SI)(AX*4); \
	KMOVW   K1, R9; \
	SHLQ    $(VL*i), R9; \
	ORQ     R9, R8

#define EXPAND(i) \
	KMOVW     R8, K1; \
	VMOVUPS.Z Z0, K1, Z1; \
	VMOVUPS   Z1, VB*i(DI)(AX*4); \
	SHRQ      $16, R8

// func ifStepAVX512(spikes []uint64, v, current []float32, bias, threshold, fire float32)
TEXT ·ifStepAVX512(SB), NOSPLIT, $0-84
	IFSTEPS

// func expandSpikesAVX512(dst []float32, spikes []uint64, amplitude float32)
TEXT ·expandSpikesAVX512(SB), NOSPLIT, $0-52
	VBROADCASTSS amplitude+48(FP), V0
	WORDS(EXPAND)
