//go:build !purego

#include "go_asm.h"
#include "textflag.h"

DATA numbers<>+0(SB)/8, $0x0000000100000000
DATA numbers<>+8(SB)/8, $0x0000000300000002
DATA numbers<>+16(SB)/8, $0x0000000500000004
DATA numbers<>+24(SB)/8, $0x0000000700000006
DATA numbers<>+32(SB)/8, $0x0000000900000008
DATA numbers<>+40(SB)/8, $0x0000000b0000000a
DATA numbers<>+48(SB)/8, $0x0000000d0000000c
DATA numbers<>+56(SB)/8, $0x0000000f0000000e
GLOBL numbers<>(SB), RODATA|NOPTR, $64

// func listAVX512(counts, numbers []int32, pieces []uint16, perPixel int)
TEXT ·listAVX512(SB), NOSPLIT, $0-80
	MOVQ counts_base+0(FP), DI
	MOVQ counts_len+8(FP), CX
	MOVQ numbers_base+24(FP), DX
	MOVQ pieces_base+48(FP), SI
	MOVQ perPixel+72(FP), R8
	MOVQ R8, R9
	SHLQ $6, R9 // bytes of a pixel's numbers
	MOVL $16, AX
	VPBROADCASTD AX, Z2
	VMOVDQU32 numbers<>(SB), Z3
pixel:
	MOVQ DX, R10 // next number
	MOVQ R8, R11
	VMOVDQA32 Z3, Z0
piece:
	MOVWLZX (SI), AX
	KMOVW AX, K1
	VPCOMPRESSD Z0, K1, Z1
	VMOVDQU32 Z1, (R10)
	POPCNTL AX, AX
	LEAQ (R10)(AX*4), R10
	VPADDD Z2, Z0, Z0
	ADDQ $2, SI
	DECQ R11
	JNE piece
	SUBQ DX, R10
	SHRQ $2, R10
	MOVL R10, (DI)
	ADDQ $4, DI
	ADDQ R9, DX
	DECQ CX
	JNE pixel
	VZEROUPPER
	RET

// Registers of joinAVX512:
//
//	BX   arguments             DI   starts
//	SI   entries               DX   counts
//	R8   first pixel           R9   places left
//	R10  bytes of a pixel's numbers, R15 numbers
//	R11  step                  R12, R13 taps and their end
//	R14  first entry
//	Z30  first row of the tap  Z31  rows of a tap  Z29 the row of zeros

// func joinAVX512(a *Join)
TEXT ·joinAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), BX
	MOVQ Join_Starts(BX), DI
	MOVQ Join_Entries(BX), SI
	MOVQ SI, R14
	MOVQ Join_Counts(BX), DX
	MOVQ Join_Numbers(BX), R15
	MOVQ Join_First(BX), R8
	MOVQ Join_N(BX), R9
	MOVQ Join_Room(BX), R10
	SHLQ $2, R10
	MOVQ Join_Step(BX), R11
	MOVQ Join_Channels(BX), AX
	VPBROADCASTD AX, Z31
	MOVQ Join_Zero(BX), AX
	VPBROADCASTD AX, Z29
	MOVQ Join_Taps(BX), R13
	MOVQ Join_Taps+8(BX), AX
	LEAQ (R13)(AX*4), R13
place:
	MOVQ SI, AX
	SUBQ R14, AX
	SHRQ $2, AX
	MOVL AX, (DI)
	ADDQ $4, DI
	MOVQ Join_Taps(BX), R12
	VPXORD Z30, Z30, Z30
tap:
	MOVLQSX (R12), AX
	ADDQ R8, AX
	MOVL (DX)(AX*4), CX
	IMULQ R10, AX
	ADDQ R15, AX
	VPADDD (AX), Z30, Z0
	VMOVDQU32 Z0, (SI)
	LEAQ (SI)(CX*4), SI
	CMPL CX, $16
	JGT long
joined:
	VPADDD Z31, Z30, Z30
	ADDQ $4, R12
	CMPQ R12, R13
	JNE tap
	VMOVDQU32 Z29, (SI)
	MOVQ SI, AX
	SUBQ R14, AX
	NEGQ AX
	ANDQ $12, AX // bytes to a whole unit
	ADDQ AX, SI
	ADDQ R11, R8
	DECQ R9
	JNE place
	SUBQ R14, SI
	SHRQ $2, SI
	MOVL SI, (DI)
	VZEROUPPER
	RET
long: // SI is behind the numbers; so shall be AX
	SHLQ $2, CX
	ADDQ CX, AX
	NEGQ CX
more:
	ADDQ $64, CX
	VPADDD (AX)(CX*1), Z30, Z0
	VMOVDQU32 Z0, (SI)(CX*1)
	CMPQ CX, $-64
	JLT more
	JMP joined
