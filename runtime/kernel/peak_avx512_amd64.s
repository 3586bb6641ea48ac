//go:build !purego

#include "textflag.h"

#define A Z30
#define B Z31
#define CLEAR VPXORD
#define EACH(M) \
	M(Z0); M(Z1); M(Z2); M(Z3); M(Z4); M(Z5); \
	M(Z6); M(Z7); M(Z8); M(Z9); M(Z10); M(Z11); \
	M(Z12); M(Z13); M(Z14); M(Z15); M(Z16); M(Z17); \
	M(Z18); M(Z19); M(Z20); M(Z21); M(Z22); M(Z23)

#include "peak_amd64.h"

// func fmaChainsAVX512(n int)
TEXT ·fmaChainsAVX512(SB), NOSPLIT, $0-8
	CHAINS
