//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"
#include "avx2_amd64.h"

#define COUNT 4
#define CLEAR VXORPS
#define W0 Y12
#define W1 Y13
#define W2 Y14
#define EACH(M) \
	M(0, Y15, Y0, Y1, Y2); M(1, Y15, Y3, Y4, Y5); M(2, Y15, Y6, Y7, Y8); M(3, Y15, Y9, Y10, Y11)
#define EACHROW(M) \
	M(0, R8); M(1, R9); M(2, R10); M(3, R11)
#define EACHDOT(M) \
	M(R8, Y15, Y0, Y1, Y2); M(R9, Y15, Y3, Y4, Y5); M(R10, Y15, Y6, Y7, Y8); M(R11, Y15, Y9, Y10, Y11)

#include "planes_amd64.h"

// func planesAVX2(a *planeArgs)
TEXT ·planesAVX2(SB), NOSPLIT, $16-8
	PLANES

// func dotsAVX2(a *dotArgs)
TEXT ·dotsAVX2(SB), NOSPLIT, $32-8
	DOTS
