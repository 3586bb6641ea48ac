//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neuron_amd64.h"
#include "avx2_amd64.h"

#define COUNT 2
#define EACH(M) M(0); M(VB)
#define ROUND VROUNDPS
#define CLEAR VXORPS

#include "rate_amd64.h"

// Y4 is where the current is above 0 (22 is "not less or equal"), Y5 where it is below
// the top (17 is "less").
#define RATEBACK(o) \
	RATE(o); \
	VMOVUPS   o(DX)(AX*4), Y2; \
	VMULPS    Y15, Y2, Y2; \
	VCMPPS    $22, Y14, Y0, Y4; \
	VCMPPS    $17, Y13, Y0, Y5; \
	VSUBPS    Y0, Y1, Y1; \
	VBLENDVPS Y5, Y1, Y13, Y1; \
	VMULPS    Y1, Y2, Y1; \
	VANDPS    Y4, Y1, Y1; \
	VANDPS    Y5, Y4, Y4; \
	VANDPS    Y4, Y2, Y2; \
	VMOVUPS   Y2, o(DI)(AX*4); \
	SUM(o, R12, Y2, Y3); \
	SUM(o, R15, Y1, Y3)

// func rateForwardAVX2(a *rateArgs, n int)
TEXT ·rateForwardAVX2(SB), NOSPLIT, $8-16
	RATEFORWARDS

// func rateBackwardAVX2(a *rateArgs, n int)
TEXT ·rateBackwardAVX2(SB), NOSPLIT, $8-16
	RATEBACKS

// func adamAVX2(p, g, m, v []float32, a *adamArgs)
TEXT ·adamAVX2(SB), NOSPLIT, $8-104
	ADAM
