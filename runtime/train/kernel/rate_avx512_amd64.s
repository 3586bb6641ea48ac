//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neuron_amd64.h"
#include "avx512_amd64.h"

#define COUNT 4
#define EACH(M) M(0); M(VB); M(2*VB); M(3*VB)
#define ROUND VRNDSCALEPS
#define CLEAR VPXORD

#include "rate_amd64.h"

// K1 is where the current is above 0 (22 is "not less or equal"), K2 where it is
// inside (17 is "less"), K3 where it is at the top or above (21 is "not less").
#define RATEBACK(o) \
	RATE(o); \
	VCMPPS    $22, Z14, Z0, K1; \
	VCMPPS    $17, Z13, Z0, K1, K2; \
	VCMPPS    $21, Z13, Z0, K1, K3; \
	VMOVUPS   o(DX)(AX*4), Z2; \
	VMULPS    Z15, Z2, Z2; \
	VSUBPS    Z0, Z1, Z1; \
	VMOVAPS   Z13, K3, Z1; \
	VMULPS.Z  Z1, Z2, K1, Z1; \
	VMOVAPS.Z Z2, K2, Z2; \
	VMOVUPS   Z2, o(DI)(AX*4); \
	SUM(o, R12, Z2, Z3); \
	SUM(o, R15, Z1, Z4)

// func rateForwardAVX512(a *rateArgs, n int)
TEXT ·rateForwardAVX512(SB), NOSPLIT, $8-16
	RATEFORWARDS

// func rateBackwardAVX512(a *rateArgs, n int)
TEXT ·rateBackwardAVX512(SB), NOSPLIT, $8-16
	RATEBACKS

// func adamAVX512(p, g, m, v []float32, a *adamArgs)
TEXT ·adamAVX512(SB), NOSPLIT, $8-104
	ADAM
