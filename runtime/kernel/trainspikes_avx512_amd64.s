//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "trainconv_amd64.h"

DATA numbers<>+0(SB)/8, $0x0000000100000000
DATA numbers<>+8(SB)/8, $0x0000000300000002
DATA numbers<>+16(SB)/8, $0x0000000500000004
DATA numbers<>+24(SB)/8, $0x0000000700000006
DATA numbers<>+32(SB)/8, $0x0000000900000008
DATA numbers<>+40(SB)/8, $0x0000000b0000000a
DATA numbers<>+48(SB)/8, $0x0000000d0000000c
DATA numbers<>+56(SB)/8, $0x0000000f0000000e
GLOBL numbers<>(SB), RODATA|NOPTR, $64

// func listSpikesAVX512(counts, numbers []int32, pieces []uint16, perPixel int)
TEXT ·listSpikesAVX512(SB), NOSPLIT, $0-80
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

// Registers of sumSpikesAVX512:
//
//	BX   arguments             DI   out of the pixel
//	R8   pixels                R9   pixels left
//	R10  bytes of the padded pixel's numbers
//	R11  padded pixel          R12, R13 taps and their end
//	R14  bytes of a row of weights
//	SI   terms                 DX   weights or counts
//	Z30  first row of the tap  Z31  rows of a tap

#define TERM(V0) MOVL (SI), AX; IMULQ R14, AX; VADDPS (DX)(AX*1), V0, V0
#define PAIR(V0, V1) TERM(V0); VADDPS 64(DX)(AX*1), V1, V1
#define TRIPLE(V0, V1, V2) PAIR(V0, V1); VADDPS 128(DX)(AX*1), V2, V2
#define QUAD(V0, V1, V2, V3) TRIPLE(V0, V1, V2); VADDPS 192(DX)(AX*1), V3, V3

// func sumSpikesAVX512(a *spikeSumArgs)
TEXT ·sumSpikesAVX512(SB), NOSPLIT, $32-8
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP))
	MOVQ a+0(FP), BX
	MOVQ spikeSumArgs_out(BX), DI
	MOVQ spikeSumArgs_pixels(BX), R8
	MOVQ spikeSumArgs_pixels+8(BX), R9
	MOVQ spikeSumArgs_room(BX), R10
	SHLQ $2, R10
	MOVQ spikeSumArgs_lanes(BX), R14
	SHLQ $2, R14
	MOVQ spikeSumArgs_channels(BX), AX
	VPBROADCASTD AX, Z31
	MOVQ spikeSumArgs_taps+8(BX), AX
	MULQ spikeSumArgs_channels(BX)
	VPBROADCASTD AX, Z29 // the row of zeros
	MOVQ spikeSumArgs_width(BX), AX
	DECQ AX
	MOVQ AX, R15
	SHRQ $4, R15 // vectors less one
	ANDQ $15, AX
	MOVQ AX, CX
	MOVL $2, AX
	SHLL CX, AX
	DECL AX
	KMOVW AX, K1
pixel:
	MOVLQSX (R8), R11
	ADDQ $4, R8
	MOVQ spikeSumArgs_taps(BX), R12
	MOVQ spikeSumArgs_taps+8(BX), R13
	LEAQ (R12)(R13*4), R13
	MOVQ spikeSumArgs_counts(BX), DX
	MOVQ spikeSumArgs_terms(BX), SI
	VPXORD Z30, Z30, Z30
tap:
	MOVLQSX (R12), AX
	ADDQ R11, AX
	MOVL (DX)(AX*4), CX
	IMULQ R10, AX
	ADDQ spikeSumArgs_numbers(BX), AX
	VPADDD (AX), Z30, Z0
	VMOVDQU32 Z0, (SI)
	CMPL CX, $16
	JLE listed
	VPADDD 64(AX), Z30, Z0
	VMOVDQU32 Z0, 64(SI)
	CMPL CX, $32
	JLE listed
	MOVQ CX, old2-24(SP)
	MOVQ SI, old3-32(SP)
	SUBQ $32, CX
more:
	ADDQ $64, AX
	ADDQ $64, SI
	VPADDD 64(AX), Z30, Z0
	VMOVDQU32 Z0, 64(SI)
	SUBQ $16, CX
	JGT more
	MOVQ old2-24(SP), CX
	MOVQ old3-32(SP), SI
listed:
	LEAQ (SI)(CX*4), SI
	VPADDD Z31, Z30, Z30
	ADDQ $4, R12
	CMPQ R12, R13
	JNE tap
	VMOVDQU32 Z29, (SI)
	MOVQ SI, CX
	MOVQ spikeSumArgs_terms(BX), SI
	MOVQ spikeSumArgs_weights(BX), DX
	VPXORD Z0, Z0, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	CMPQ R15, $2
	JGT quads
	JEQ triples
	CMPQ R15, $0
	JGT pairs
	JMP singletest
single:
	TERM(Z0)
	ADDQ $4, SI
	TERM(Z1)
	ADDQ $4, SI
	TERM(Z2)
	ADDQ $4, SI
	TERM(Z3)
	ADDQ $4, SI
singletest:
	CMPQ SI, CX
	JLT single
	VADDPS Z1, Z0, Z0
	VADDPS Z3, Z2, Z2
	VADDPS Z2, Z0, Z0
	VMOVUPS Z0, K1, (DI)
	JMP next
pair:
	PAIR(Z0, Z1)
	ADDQ $4, SI
	PAIR(Z2, Z3)
	ADDQ $4, SI
pairs:
	CMPQ SI, CX
	JLT pair
	VADDPS Z2, Z0, Z0
	VADDPS Z3, Z1, Z1
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, K1, 64(DI)
	JMP next
triple:
	TRIPLE(Z0, Z1, Z2)
	ADDQ $4, SI
triples:
	CMPQ SI, CX
	JLT triple
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	VMOVUPS Z2, K1, 128(DI)
	JMP next
quad:
	QUAD(Z0, Z1, Z2, Z3)
	ADDQ $4, SI
quads:
	CMPQ SI, CX
	JLT quad
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, 64(DI)
	VMOVUPS Z2, 128(DI)
	VMOVUPS Z3, K1, 192(DI)
next:
	MOVQ spikeSumArgs_outStride(BX), AX
	LEAQ (DI)(AX*4), DI
	DECQ R9
	JNE pixel
	RESTORE(old-8(SP))
	VZEROUPPER
	RET

// func copyLanesAVX512(dst, src []float32, stride, width int)
TEXT ·copyLanesAVX512(SB), NOSPLIT, $0-64
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), DX
	MOVQ src_base+24(FP), SI
	MOVQ stride+48(FP), R8
	MOVQ width+56(FP), CX
	MOVL $1, AX
	SHLL CX, AX
	DECL AX
	KMOVW AX, K1
	JMP test
pixel:
	VMOVUPS.Z (SI), K1, Z0
	VMOVUPS Z0, (DI)
	LEAQ (SI)(R8*4), SI
	ADDQ $64, DI
test:
	SUBQ $16, DX
	JGE pixel
	VZEROUPPER
	RET

// Registers of sumGradientsAVX512:
//
//	DI   sums of the channel   R8-R15, BX gradients of the taps
//	SI   pixels                CX  pixels left
//	AX   offset of the pixel   DX  arguments
//	Z0-Z8 sums of the taps

#define TAP(i, p) MOVLQSX (spikeGradientArgs_taps+i*4)(DX), p; SHLQ $6, p; ADDQ AX, p
#define ADDTAP(p, v) VADDPS (p)(AX*1), v, v
#define ADDSUM(i, v) VADDPS (i*64)(DI), v, v; VMOVUPS v, (i*64)(DI)
#define ZERO(v) VPXORD v, v, v

// func sumGradientsAVX512(a *spikeGradientArgs)
TEXT ·sumGradientsAVX512(SB), NOSPLIT, $32-8
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP))
	MOVQ a+0(FP), DX
	MOVQ spikeGradientArgs_sums(DX), DI
	MOVQ spikeGradientArgs_gradients(DX), AX
	TAP(0, R8); TAP(1, R9); TAP(2, R10); TAP(3, R11); TAP(4, R12)
	TAP(5, R13); TAP(6, R14); TAP(7, R15); TAP(8, BX)
	MOVQ $0, channel-24(SP)
channel:
	MOVQ channel-24(SP), AX
	CMPQ AX, spikeGradientArgs_counts+8(DX)
	JGE done
	MOVQ spikeGradientArgs_counts(DX), SI
	MOVL (SI)(AX*4), CX
	MOVQ AX, SI
	INCQ AX
	MOVQ AX, channel-24(SP)
	TESTQ CX, CX
	JEQ next
	IMULQ spikeGradientArgs_room(DX), SI
	SHLQ $2, SI
	ADDQ spikeGradientArgs_pixels(DX), SI
	ZERO(Z0); ZERO(Z1); ZERO(Z2); ZERO(Z3); ZERO(Z4)
	ZERO(Z5); ZERO(Z6); ZERO(Z7); ZERO(Z8)
spike:
	MOVL (SI), AX
	SHLQ $6, AX
	ADDTAP(R8, Z0); ADDTAP(R9, Z1); ADDTAP(R10, Z2); ADDTAP(R11, Z3); ADDTAP(R12, Z4)
	ADDTAP(R13, Z5); ADDTAP(R14, Z6); ADDTAP(R15, Z7); ADDTAP(BX, Z8)
	ADDQ $4, SI
	DECQ CX
	JNE spike
	ADDSUM(0, Z0); ADDSUM(1, Z1); ADDSUM(2, Z2); ADDSUM(3, Z3); ADDSUM(4, Z4)
	ADDSUM(5, Z5); ADDSUM(6, Z6); ADDSUM(7, Z7); ADDSUM(8, Z8)
next:
	ADDQ $(9*64), DI
	JMP channel
done:
	RESTORE(old-8(SP))
	VZEROUPPER
	RET
