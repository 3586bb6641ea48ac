//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"
#include "avx512_amd64.h"

#define COUNT 8
#define CLEAR VPXORD
#define W0 Z24
#define W1 Z25
#define W2 Z26
#define EACH(M) \
	M(0, Z27, Z0, Z1, Z2); M(1, Z28, Z3, Z4, Z5); M(2, Z27, Z6, Z7, Z8); M(3, Z28, Z9, Z10, Z11); \
	M(4, Z27, Z12, Z13, Z14); M(5, Z28, Z15, Z16, Z17); M(6, Z27, Z18, Z19, Z20); M(7, Z28, Z21, Z22, Z23)
#define EACHROW(M) \
	M(0, R8); M(1, R9); M(2, R10); M(3, R11); \
	M(4, R12); M(5, R13); M(6, R14); M(7, R15)
#define EACHDOT(M) \
	M(R8, Z27, Z0, Z1, Z2); M(R9, Z28, Z3, Z4, Z5); M(R10, Z27, Z6, Z7, Z8); M(R11, Z28, Z9, Z10, Z11); \
	M(R12, Z27, Z12, Z13, Z14); M(R13, Z28, Z15, Z16, Z17); M(R14, Z27, Z18, Z19, Z20); M(R15, Z28, Z21, Z22, Z23)

#include "planes_amd64.h"

// func planesAVX512(a *planeArgs)
TEXT ·planesAVX512(SB), NOSPLIT, $16-8
	PLANES

// func dotsAVX512(a *dotArgs)
TEXT ·dotsAVX512(SB), NOSPLIT, $32-8
	DOTS
