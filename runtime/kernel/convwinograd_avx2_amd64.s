//go:build !purego

#include "go_asm.h"
#include "textflag.h"

#define VB 32
#define V0 Y0
#define V1 Y1
#define V2 Y2
#define V3 Y3
#define V4 Y4
#define V5 Y5
#define V6 Y6
#define V7 Y7
#define C2 Y8
#define C4 Y9
#define C8 Y10
#define BIAS Y11
#define OFFSET Y12
#define SCALE Y13
#define SHIFT Y14
#define NONE Y15

#include "convwinograd_amd64.h"

// SPREAD gives columns 0-5 of 8 tiles in Y0, Y1, Y2, Y3, Y4, Y6. It begins with tiles
// i and i+4 in one vector, so that halves stay apart.
#define SPREAD(p) \
	VMOVUPS (p), X0; VINSERTF128 $1, 64(p), Y0, Y0; \
	VMOVUPS 16(p), X1; VINSERTF128 $1, 80(p), Y1, Y1; \
	VMOVUPS 32(p), X2; VINSERTF128 $1, 96(p), Y2, Y2; \
	VMOVUPS 48(p), X3; VINSERTF128 $1, 112(p), Y3, Y3; \
	VMOVUPS 64(p), X4; VINSERTF128 $1, 128(p), Y4, Y4; \
	VUNPCKLPS Y2, Y1, Y5; VUNPCKLPS Y4, Y3, Y6; \
	VUNPCKLPD Y6, Y5, Y4; VUNPCKHPD Y6, Y5, Y6; \
	VUNPCKLPS Y1, Y0, Y5; VUNPCKLPS Y3, Y2, Y7; \
	VUNPCKHPS Y1, Y0, Y0; VUNPCKHPS Y3, Y2, Y2; \
	VUNPCKHPD Y2, Y0, Y3; VUNPCKLPD Y2, Y0, Y2; \
	VUNPCKLPD Y7, Y5, Y0; VUNPCKHPD Y7, Y5, Y1

// JOIN stores columns 0-3 of 8 tiles from Y0, Y2, Y6, Y5.
#define JOIN(p) \
	VUNPCKLPS Y2, Y0, Y1; VUNPCKHPS Y2, Y0, Y3; \
	VUNPCKLPS Y5, Y6, Y4; VUNPCKHPS Y5, Y6, Y7; \
	VUNPCKLPD Y4, Y1, Y0; VUNPCKHPD Y4, Y1, Y2; \
	VUNPCKLPD Y7, Y3, Y5; VUNPCKHPD Y7, Y3, Y6; \
	VPERM2F128 $0x20, Y2, Y0, Y1; VPERM2F128 $0x20, Y6, Y5, Y3; \
	VPERM2F128 $0x31, Y2, Y0, Y4; VPERM2F128 $0x31, Y6, Y5, Y7; \
	VMOVUPS Y1, (p); VMOVUPS Y3, 32(p); VMOVUPS Y4, 64(p); VMOVUPS Y7, 96(p)

// func filterInAVX2(a *filterArgs)
TEXT ·filterInAVX2(SB), NOSPLIT, $0-8
	NUMBER(0x40000000, X0, C2)
	NUMBER(0x40800000, X0, C4)
	BEGIN
	WINOGRAD_IN
	VZEROUPPER
	RET

// func filterOutAVX2(a *filterArgs)
TEXT ·filterOutAVX2(SB), NOSPLIT, $0-8
	NUMBER(0x40000000, X0, C2)
	NUMBER(0x40800000, X0, C4)
	NUMBER(0x41000000, X0, C8)
	VXORPS NONE, NONE, NONE
	BEGIN
	TAIL
	WINOGRAD_OUT
	VZEROUPPER
	RET
