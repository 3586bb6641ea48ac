//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"

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
