//go:build !purego

#include "textflag.h"
#include "trainconv_amd64.h"

// The assembler does not know AVX512-BF16: VCVTNE2PS2BF16 sets the low half of Z2 to
// the terms of Z0 and the high half to those of Z1.
#define TERMS_Z2 BYTE $0x62; BYTE $0xf2; BYTE $0x77; BYTE $0x48; BYTE $0x72; BYTE $0xd0

// REST takes the terms in Z2 from the numbers in Z0 and Z1.
#define REST \
	VEXTRACTI64X4 $1, Z2, Y4; \
	VPMOVZXWD Y2, Z3; \
	VPMOVZXWD Y4, Z4; \
	VPSLLD $16, Z3, Z3; \
	VPSLLD $16, Z4, Z4; \
	VSUBPS Z3, Z0, Z0; \
	VSUBPS Z4, Z1, Z1

// func splitTermsAVX512(dst []uint16, plane, terms int, src []float32)
TEXT ·splitTermsAVX512(SB), NOSPLIT, $16-64
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP))
	MOVQ dst_base+0(FP), DI
	MOVQ plane+24(FP), R8
	ADDQ R8, R8
	MOVQ terms+32(FP), R9
	MOVQ src_base+40(FP), SI
	MOVQ src_len+48(FP), CX
	JMP test
split:
	VMOVUPS (SI), Z0
	VMOVUPS 64(SI), Z1
	TERMS_Z2
	VMOVDQU16 Z2, (DI)
	REST
	TERMS_Z2
	VMOVDQU16 Z2, (DI)(R8*1)
	CMPQ R9, $2
	JLE next
	REST
	TERMS_Z2
	VMOVDQU16 Z2, (DI)(R8*2)
next:
	ADDQ $128, SI
	ADDQ $64, DI
test:
	SUBQ $32, CX
	JGE split
	RESTORE(old-8(SP))
	VZEROUPPER
	RET

// The words of two halves by turns.
DATA byturns<>+0(SB)/8, $0x0011000100100000
DATA byturns<>+8(SB)/8, $0x0013000300120002
DATA byturns<>+16(SB)/8, $0x0015000500140004
DATA byturns<>+24(SB)/8, $0x0017000700160006
DATA byturns<>+32(SB)/8, $0x0019000900180008
DATA byturns<>+40(SB)/8, $0x001b000b001a000a
DATA byturns<>+48(SB)/8, $0x001d000d001c000c
DATA byturns<>+56(SB)/8, $0x001f000f001e000e
GLOBL byturns<>(SB), RODATA|NOPTR, $64

// func pairTermsAVX512(dst []uint16, plane int, src []float32, stride, pixels int)
TEXT ·pairTermsAVX512(SB), NOSPLIT, $16-72
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP))
	MOVQ dst_base+0(FP), DI
	MOVQ plane+24(FP), R8
	ADDQ R8, R8
	MOVQ src_base+32(FP), SI
	MOVQ stride+56(FP), R9
	SHLQ $2, R9
	MOVQ pixels+64(FP), CX
	VMOVDQU16 byturns<>(SB), Z5
	MOVL $0xffff0000, AX
	VPBROADCASTD AX, Z6
pair:
	VMOVUPS (SI), Z0
	VPXORD Z1, Z1, Z1
	CMPQ CX, $1
	JLE last
	VMOVUPS (SI)(R9*1), Z1
last:
	TERMS_Z2
	VPERMW Z2, Z5, Z2
	VMOVDQU16 Z2, (DI)
	VPSLLD $16, Z2, Z3
	VPANDD Z6, Z2, Z4
	VSUBPS Z3, Z0, Z0
	VSUBPS Z4, Z1, Z1
	TERMS_Z2
	VPERMW Z2, Z5, Z2
	VMOVDQU16 Z2, (DI)(R8*1)
	LEAQ (SI)(R9*2), SI
	ADDQ $64, DI
	SUBQ $2, CX
	JGT pair
	RESTORE(old-8(SP))
	VZEROUPPER
	RET

// func turnMasksAVX512(dst []uint16, stride int, masks []uint16)
TEXT ·turnMasksAVX512(SB), NOSPLIT, $0-56
	MOVQ dst_base+0(FP), DI
	MOVQ stride+24(FP), R8
	ADDQ R8, R8
	MOVQ masks_base+32(FP), SI
	MOVQ masks_len+40(FP), CX
	MOVL $0x3f803f80, AX // two ones
	VPBROADCASTD AX, Z0
	MOVQ R8, AX
	SHLQ $4, AX
	SUBQ R8, AX
	ADDQ AX, DI // the last row
	JMP test
turn:
	VMOVDQU16 (SI), Z2
	MOVQ DI, DX
	MOVQ $16, AX
row:
	VPMOVW2M Z2, K1
	VPADDW Z2, Z2, Z2
	VMOVDQU16.Z Z0, K1, Z1
	VMOVDQU16 Z1, (DX)
	SUBQ R8, DX
	DECQ AX
	JNE row
	ADDQ $64, SI
	ADDQ $64, DI
test:
	SUBQ $32, CX
	JGE turn
	VZEROUPPER
	RET

// FOUR loads rows a to d from row i on and turns their 4 x 4 numbers: lane l of a, b,
// c and d is then columns 4l, 4l+1, 4l+2 and 4l+3. It needs Z16 to Z19.
#define FOUR(i, a, b, c, d) \
	VMOVDQU32 (i*64)(SI), Z16; \
	VMOVDQU32 (i*64+64)(SI), Z17; \
	VMOVDQU32 (i*64+128)(SI), Z18; \
	VMOVDQU32 (i*64+192)(SI), Z19; \
	VPUNPCKLDQ Z17, Z16, d; \
	VPUNPCKHDQ Z17, Z16, Z16; \
	VPUNPCKLDQ Z19, Z18, Z17; \
	VPUNPCKHDQ Z19, Z18, Z18; \
	VPUNPCKLQDQ Z17, d, a; \
	VPUNPCKHQDQ Z17, d, b; \
	VPUNPCKLQDQ Z18, Z16, c; \
	VPUNPCKHQDQ Z18, Z16, d

// STORE stores the columns of lanes 0 to 3 of four rows each.
#define STORE(a, b, c, d) \
	VSHUFI32X4 $0x88, b, a, Z16; \
	VSHUFI32X4 $0xdd, b, a, Z17; \
	VSHUFI32X4 $0x88, d, c, Z18; \
	VSHUFI32X4 $0xdd, d, c, Z19; \
	VSHUFI32X4 $0x88, Z18, Z16, a; \
	VSHUFI32X4 $0xdd, Z18, Z16, b; \
	VSHUFI32X4 $0x88, Z19, Z17, c; \
	VSHUFI32X4 $0xdd, Z19, Z17, d; \
	VMOVDQU32 a, (DX); \
	VMOVDQU32 c, (DX)(R9*1); \
	VMOVDQU32 b, (DX)(R9*2); \
	VMOVDQU32 d, (DX)(R10*1)

// func turnPairsAVX512(dst []uint16, stride int, pairs []uint16)
TEXT ·turnPairsAVX512(SB), NOSPLIT, $0-56
	MOVQ dst_base+0(FP), DI
	MOVQ stride+24(FP), R8
	ADDQ R8, R8
	LEAQ (R8*4), R9
	LEAQ (R9)(R9*2), R10
	MOVQ pairs_base+32(FP), SI
	MOVQ pairs_len+40(FP), CX
	JMP test
turn:
	FOUR(0, Z0, Z1, Z2, Z3)
	FOUR(4, Z4, Z5, Z6, Z7)
	FOUR(8, Z8, Z9, Z10, Z11)
	FOUR(12, Z12, Z13, Z14, Z15)
	MOVQ DI, DX
	STORE(Z0, Z4, Z8, Z12)
	ADDQ R8, DX
	STORE(Z1, Z5, Z9, Z13)
	ADDQ R8, DX
	STORE(Z2, Z6, Z10, Z14)
	ADDQ R8, DX
	STORE(Z3, Z7, Z11, Z15)
	ADDQ $1024, SI
	ADDQ $64, DI
test:
	SUBQ $512, CX
	JGE turn
	VZEROUPPER
	RET
