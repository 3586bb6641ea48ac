//go:build !purego

#include "go_asm.h"
#include "textflag.h"

#define VB 32
#define MOV VMOVDQU
#define V0 Y0
#define V1 Y1
#define V2 Y2
#define V3 Y3
#define V4 Y4
#define V5 Y5
#define V6 Y6
#define V7 Y7
#define V8 Y8
#define V9 Y9
#define V10 Y10
#define H0 X0
#define H1 X1
#define H2 X2
#define H3 X3

#include "tiles_amd64.h"

// func toTilesAVX2(a *tileArgs)
TEXT ·toTilesAVX2(SB), NOSPLIT, $24-8
	TOTILES

// func fromTilesAVX2(a *tileArgs)
TEXT ·fromTilesAVX2(SB), NOSPLIT, $8-8
	FROMTILES
