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

// Registers of joinSpikesAVX512:
//
//	BX   arguments             DI   starts
//	SI   entries               DX   counts
//	R8   first pixel           R9   places left
//	R10  bytes of a pixel's numbers, R15 numbers
//	R11  step                  R12, R13 taps and their end
//	R14  first entry
//	Z30  first row of the tap  Z31  rows of a tap  Z29 the row of zeros

// func joinSpikesAVX512(a *joinArgs)
TEXT ·joinSpikesAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), BX
	MOVQ joinArgs_starts(BX), DI
	MOVQ joinArgs_entries(BX), SI
	MOVQ SI, R14
	MOVQ joinArgs_counts(BX), DX
	MOVQ joinArgs_numbers(BX), R15
	MOVQ joinArgs_first(BX), R8
	MOVQ joinArgs_n(BX), R9
	MOVQ joinArgs_room(BX), R10
	SHLQ $2, R10
	MOVQ joinArgs_step(BX), R11
	MOVQ joinArgs_channels(BX), AX
	VPBROADCASTD AX, Z31
	MOVQ joinArgs_zero(BX), AX
	VPBROADCASTD AX, Z29
	MOVQ joinArgs_taps(BX), R13
	MOVQ joinArgs_taps+8(BX), AX
	LEAQ (R13)(AX*4), R13
place:
	MOVQ SI, AX
	SUBQ R14, AX
	SHRQ $2, AX
	MOVL AX, (DI)
	ADDQ $4, DI
	MOVQ joinArgs_taps(BX), R12
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

// Registers of sumRunsAVX512:
//
//	BX   arguments             DI   out of the run
//	R8   starts                R9   runs left
//	R10  bytes from out to out R11  entries
//	SI   entry                 CX   end of the run
//	DX   weights
//	K1   lanes of the last vector

// func sumRunsAVX512(a *runArgs)
TEXT ·sumRunsAVX512(SB), NOSPLIT, $16-8
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP))
	MOVQ a+0(FP), BX
	MOVQ runArgs_out(BX), DI
	MOVQ runArgs_weights(BX), DX
	MOVQ runArgs_starts(BX), R8
	MOVQ runArgs_n(BX), R9
	MOVQ runArgs_outStride(BX), R10
	SHLQ $2, R10
	MOVQ runArgs_entries(BX), R11
	MOVQ runArgs_width(BX), CX
	DECQ CX
	ANDQ $15, CX
	MOVL $2, AX
	SHLL CX, AX
	DECL AX
	KMOVW AX, K1
	KXORW K2, K2, K2 // lanes of out that are added
	CMPB runArgs_add(BX), $0
	JEQ fresh
	KXNORW K2, K2, K2
fresh:
	KANDW K1, K2, K3
	MOVL (R8), SI
	LEAQ (R11)(SI*4), SI
	CMPQ runArgs_lanes(BX), $16
	JEQ narrow

run2:
	ADDQ $4, R8
	MOVL (R8), CX
	LEAQ (R11)(CX*4), CX
	VMOVUPS.Z (DI), K2, Z0
	VMOVUPS.Z 64(DI), K3, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	CMPQ SI, CX
	JEQ end2
entry2:
	MOVL (SI), R12
	MOVL 4(SI), R13
	MOVL 8(SI), R14
	MOVL 12(SI), R15
	SHLQ $7, R12
	SHLQ $7, R13
	SHLQ $7, R14
	SHLQ $7, R15
	VADDPS (DX)(R12*1), Z0, Z0
	VADDPS 64(DX)(R12*1), Z1, Z1
	VADDPS (DX)(R13*1), Z2, Z2
	VADDPS 64(DX)(R13*1), Z3, Z3
	VADDPS (DX)(R14*1), Z0, Z0
	VADDPS 64(DX)(R14*1), Z1, Z1
	VADDPS (DX)(R15*1), Z2, Z2
	VADDPS 64(DX)(R15*1), Z3, Z3
	ADDQ $16, SI
	CMPQ SI, CX
	JNE entry2
end2:
	VADDPS Z2, Z0, Z0
	VADDPS Z3, Z1, Z1
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, K1, 64(DI)
	ADDQ R10, DI
	DECQ R9
	JNE run2
	JMP done

narrow:
run1:
	ADDQ $4, R8
	MOVL (R8), CX
	LEAQ (R11)(CX*4), CX
	VMOVUPS.Z (DI), K3, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	CMPQ SI, CX
	JEQ end1
entry1:
	MOVL (SI), R12
	MOVL 4(SI), R13
	MOVL 8(SI), R14
	MOVL 12(SI), R15
	SHLQ $6, R12
	SHLQ $6, R13
	SHLQ $6, R14
	SHLQ $6, R15
	VADDPS (DX)(R12*1), Z0, Z0
	VADDPS (DX)(R13*1), Z1, Z1
	VADDPS (DX)(R14*1), Z2, Z2
	VADDPS (DX)(R15*1), Z3, Z3
	ADDQ $16, SI
	CMPQ SI, CX
	JNE entry1
end1:
	VADDPS Z1, Z0, Z0
	VADDPS Z3, Z2, Z2
	VADDPS Z2, Z0, Z0
	VMOVUPS Z0, K1, (DI)
	ADDQ R10, DI
	DECQ R9
	JNE run1
done:
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
