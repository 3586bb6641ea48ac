//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "trainconv_amd64.h"
#include "traintile_amx_amd64.h"

// T0 to T2 are the
// digits of the sums of 16 pixels, T3 to T5 those of the next 16, T6 spikes, T7 weights.

// The assembler knows no AMX instruction: these are their bytes, beside those of
// traintile_amx_amd64.h.
//
// TILELOADD T6, [DI+R8]; T7, [DX+R9+at]
#define LOAD_SPIKES BYTE $0xc4; BYTE $0xa2; BYTE $0x7b; BYTE $0x4b; BYTE $0x34; BYTE $0x07
#define LOAD_DIGIT(at) BYTE $0xc4; BYTE $0xa2; BYTE $0x7b; BYTE $0x4b; BYTE $0xbc; BYTE $0x0a; LONG $at
// TILESTORED [R13+R9+at], Tt
#define STORE_DIGITS(at, t) BYTE $0xc4; BYTE $0x82; BYTE $0x7a; BYTE $0x4b; BYTE $(0x84+8*t); BYTE $0x0d; LONG $at
// TDPBSSD: Tt += T6 x T7
#define DIGITS(t) BYTE $0xc4; BYTE $0xe2; BYTE $0x43; BYTE $0x5e; BYTE $(0xc6+8*t)

// joinDigits sets the pixels whose places begin at R12 from the sums at R13, with the
// other arguments of BX. It needs AX, CX, DX, SI, DI, R11 and Z0 to Z4.
TEXT joinDigits<>(SB), NOSPLIT|NOFRAME, $0-0
	MOVQ byteArgs_dst(BX), DI
	MOVQ byteArgs_unit(BX), AX
	VMOVUPS (AX), Z3
	MOVL $0x3b800000, AX // 1/256
	VPBROADCASTD AX, Z4
	MOVQ R13, SI
	MOVQ R12, DX
	MOVQ $const_byteGroup, R11
tile:
	MOVQ $const_tileRows, CX
pixel:
	MOVLQSX (DX), AX
	TESTQ AX, AX
	JLT none
	VCVTDQ2PS (2*4*const_tileSums)(SI), Z0
	VCVTDQ2PS (4*const_tileSums)(SI), Z1
	VCVTDQ2PS (SI), Z2
	VFMADD231PS Z4, Z0, Z1
	VFMADD231PS Z4, Z1, Z2
	VMULPS Z3, Z2, Z2
	VMOVUPS Z2, (DI)(AX*4)
none:
	ADDQ $64, SI
	ADDQ $4, DX
	DECQ CX
	JNE pixel
	ADDQ $(2*4*const_tileSums), SI
	DECQ R11
	JNE tile
	RET

// func joinDigitsAVX512(a *byteArgs)
TEXT ·joinDigitsAVX512(SB), NOSPLIT, $16-8
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP))
	MOVQ a+0(FP), BX
	MOVQ byteArgs_sums(BX), R13
	MOVQ byteArgs_places(BX), R12
	CALL joinDigits<>(SB)
	RESTORE(old-8(SP))
	VZEROUPPER
	RET

// Registers:
//
//	BX   arguments             R10, R11  spikes of the two tiles
//	R8   bytes between pixels  R12  places of the group before
//	R9   64                    R13  sums
//	SI   steps                 R14  groups left
//	CX   steps left            DX   weights
//
// The digits of a group are joined while the products of the next one are on their
// way. A step takes the digits of the weights back and forth, so that the last of one
// tile of pixels is the first of the other.

// func byteProductAMX(a *byteArgs)
TEXT ·byteProductAMX(SB), NOSPLIT, $16-8
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP))
	MOVQ a+0(FP), BX
	LEAQ ·termTiles(SB), R11
	LDTILECFG_R11
	MOVQ byteArgs_a(BX), R10
	MOVQ byteArgs_aStride(BX), R8
	MOVQ $64, R9
	MOVQ byteArgs_sums(BX), R13
	MOVQ byteArgs_places+8(BX), R14
	SHRQ $5, R14
	MOVQ byteArgs_places(BX), R12
	SUBQ $(4*const_bytePixels), R12
group:
	MOVQ R8, R11
	SHLQ $4, R11
	ADDQ R10, R11
	TILEZERO(0)
	TILEZERO(1)
	TILEZERO(2)
	TILEZERO(3)
	TILEZERO(4)
	TILEZERO(5)
	MOVQ byteArgs_steps(BX), SI
	MOVQ byteArgs_steps+8(BX), CX
	MOVQ byteArgs_b(BX), DX
step:
	MOVLQSX (SI), AX
	LEAQ (R10)(AX*1), DI
	LOAD_SPIKES
	LOAD_DIGIT(0)
	DIGITS(0)
	LOAD_DIGIT(1024)
	DIGITS(1)
	LOAD_DIGIT(2048)
	DIGITS(2)
	LEAQ (R11)(AX*1), DI
	LOAD_SPIKES
	DIGITS(5)
	LOAD_DIGIT(1024)
	DIGITS(4)
	LOAD_DIGIT(0)
	DIGITS(3)
	ADDQ $(3*1024), DX
	ADDQ $4, SI
	DECQ CX
	JNE step
	CMPQ R12, byteArgs_places(BX)
	JCS first
	CALL joinDigits<>(SB)
first:
	STORE_DIGITS(0x000, 0)
	STORE_DIGITS(0x400, 1)
	STORE_DIGITS(0x800, 2)
	STORE_DIGITS(0xc00, 3)
	STORE_DIGITS(0x1000, 4)
	STORE_DIGITS(0x1400, 5)
	ADDQ $(4*const_bytePixels), R12
	MOVQ R8, AX
	SHLQ $5, AX
	ADDQ AX, R10
	DECQ R14
	JNE group
	CALL joinDigits<>(SB)
	TILERELEASE
	RESTORE(old-8(SP))
	VZEROUPPER
	RET
