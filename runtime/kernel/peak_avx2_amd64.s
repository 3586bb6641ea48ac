//go:build !purego

#include "textflag.h"

#define A Y14
#define B Y15
#define CLEAR VXORPS
#define EACH(M) \
	M(Y0); M(Y1); M(Y2); M(Y3); M(Y4); M(Y5); \
	M(Y6); M(Y7); M(Y8); M(Y9); M(Y10); M(Y11)

#include "peak_amd64.h"

// func fmaChainsAVX2(n int)
TEXT ·fmaChainsAVX2(SB), NOSPLIT, $0-8
	CHAINS
