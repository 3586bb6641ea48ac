//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// func largestBitsAVX512(src []float32) uint32
TEXT ·largestBitsAVX512(SB), NOSPLIT, $0-28
	MOVQ src_base+0(FP), SI
	MOVQ src_len+8(FP), CX
	MOVL $0x7fffffff, AX
	VPBROADCASTD AX, Z2
	VPXORD Z0, Z0, Z0
	JMP test
vector:
	VPANDD (SI), Z2, Z1
	VPMAXUD Z1, Z0, Z0
	ADDQ $64, SI
test:
	SUBQ $16, CX
	JGE vector
	VEXTRACTI64X4 $1, Z0, Y1
	VPMAXUD Y1, Y0, Y0
	VEXTRACTI128 $1, Y0, X1
	VPMAXUD X1, X0, X0
	VPSHUFD $0x4e, X0, X1
	VPMAXUD X1, X0, X0
	VPSHUFD $0xb1, X0, X1
	VPMAXUD X1, X0, X0
	VMOVD X0, AX
	MOVL AX, ret+24(FP)
	VZEROUPPER
	RET

// The numbers from 0 to 15.
DATA numbers<>+0(SB)/8, $0x0000000100000000
DATA numbers<>+8(SB)/8, $0x0000000300000002
DATA numbers<>+16(SB)/8, $0x0000000500000004
DATA numbers<>+24(SB)/8, $0x0000000700000006
DATA numbers<>+32(SB)/8, $0x0000000900000008
DATA numbers<>+40(SB)/8, $0x0000000b0000000a
DATA numbers<>+48(SB)/8, $0x0000000d0000000c
DATA numbers<>+56(SB)/8, $0x0000000f0000000e
GLOBL numbers<>(SB), RODATA|NOPTR, $64

// The last byte of each number of 4 bytes, 4 times.
DATA lastbytes<>+0(SB)/8, $0x0404040400000000
DATA lastbytes<>+8(SB)/8, $0x0c0c0c0c08080808
GLOBL lastbytes<>(SB), RODATA|NOPTR, $16

// WEIGHTS sets z to the digits of the weights i of a row, in the low three bytes.
#define WEIGHTS(i, z, none) \
	VPXORD z, z, z; \
	MOVLQSX (4*i)(R8), AX; \
	TESTQ AX, AX; \
	JLT none; \
	LEAQ (SI)(AX*4), DX; \
	KXNORW K5, K5, K5; \
	VGATHERDPS (DX)(Z31*1), K5, z; \
	VMULPS Z30, z, z; \
	VCVTPS2DQ z, z; \
none: \
	VPADDD Z29, z, z; \
	VPXORD Z29, z, z

// DIGITS stores a digit of the four weights in Z0 to Z3, whose bytes bytes takes.
#define DIGITS(bytes, at) \
	VPSHUFB bytes, Z0, Z4; \
	VPSHUFB bytes, Z1, K2, Z4; \
	VPSHUFB bytes, Z2, K3, Z4; \
	VPSHUFB bytes, Z3, K4, Z4; \
	VMOVDQU32 Z4, at(DI)

// func digitsAVX512(a *digitArgs)
TEXT ·digitsAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), BX
	MOVQ digitArgs_dst(BX), DI
	MOVQ digitArgs_w(BX), SI
	MOVQ digitArgs_at(BX), R8
	MOVQ digitArgs_at+8(BX), CX
	MOVQ digitArgs_inverse(BX), AX
	VMOVUPS (AX), Z30
	MOVQ digitArgs_stride(BX), AX
	SHLQ $2, AX
	VPBROADCASTD AX, Z31
	VPMULLD numbers<>(SB), Z31, Z31
	MOVL $const_digitBias, AX
	VPBROADCASTD AX, Z29
	MOVL $0x01010101, AX
	VPBROADCASTD AX, Z0
	VBROADCASTI32X4 lastbytes<>(SB), Z28
	VPADDB Z0, Z28, Z27
	VPADDB Z0, Z27, Z26
	MOVQ $0x2222222222222222, AX
	KMOVQ AX, K2
	KADDQ K2, K2, K3
	KADDQ K3, K3, K4
	JMP test
tile:
	MOVQ $const_tileRows, R9
row:
	WEIGHTS(0, Z0, none0)
	WEIGHTS(1, Z1, none1)
	WEIGHTS(2, Z2, none2)
	WEIGHTS(3, Z3, none3)
	DIGITS(Z26, 0)
	DIGITS(Z27, const_byteSize)
	DIGITS(Z28, (2*const_byteSize))
	ADDQ $16, R8
	ADDQ $64, DI
	DECQ R9
	JNE row
	ADDQ $(2*const_byteSize), DI
test:
	SUBQ $const_byteDeep, CX
	JGE tile
	VZEROUPPER
	RET
