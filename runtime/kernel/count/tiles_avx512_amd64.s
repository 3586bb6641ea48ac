//go:build !purego

#include "go_asm.h"
#include "textflag.h"

#define VB 64
#define MOV VMOVDQU32
#define V0 Z0
#define V1 Z1
#define V2 Z2
#define V3 Z3
#define V4 Z4
#define V5 Z5
#define V6 Z6
#define V7 Z7
#define V8 Z8
#define V9 Z9
#define V10 Z10
#define H0 Y0
#define H1 Y1
#define H2 Y2
#define H3 Y3

#include "tiles_amd64.h"

// func toTilesAVX512(a *tileArgs)
TEXT ·toTilesAVX512(SB), NOSPLIT, $24-8
	TOTILES

// func fromTilesAVX512(a *tileArgs)
TEXT ·fromTilesAVX512(SB), NOSPLIT, $8-8
	FROMTILES
