//go:build !purego

#include "go_asm.h"
#include "textflag.h"

// LOOK2 adds the sums of a column: o is its place, i and j are free, low and high its
// sums. Z16 and Z17 hold the table's lower plane, Z18 and Z19 the upper one.
#define LOOK2(o, i, j, low, high) \
	VMOVDQU64 o(AX), i; \
	VMOVDQA64 i, j; \
	VPERMI2W Z17, Z16, i; \
	VPERMI2W Z19, Z18, j; \
	VPADDW i, low, low; \
	VPADDW j, high, high

#define ZERO4(a, b, c, d) \
	VPXORD a, a, a; VPXORD b, b, b; VPXORD c, c, c; VPXORD d, d, d

// ROWSUMS leaves the sums of the row of cells at SI in Z0-Z7 (lower plane) and Z8-Z15
// (upper plane). DI holds the tables, R8 the offsets, R9 their number.
#define ROWSUMS(look, looked) \
	ZERO4(Z0, Z1, Z2, Z3) \
	ZERO4(Z4, Z5, Z6, Z7) \
	ZERO4(Z8, Z9, Z10, Z11) \
	ZERO4(Z12, Z13, Z14, Z15) \
	MOVQ DI, R10; \
	XORQ CX, CX; \
	TESTQ R9, R9; \
	JZ looked; \
look: \
	MOVLQSX (R8)(CX*4), AX; \
	LEAQ (SI)(AX*2), AX; \
	VMOVDQA64 (R10), Z16; \
	VMOVDQA64 64(R10), Z17; \
	VMOVDQA64 128(R10), Z18; \
	VMOVDQA64 192(R10), Z19; \
	LOOK2(0, Z20, Z21, Z0, Z8); \
	LOOK2(64, Z22, Z23, Z1, Z9); \
	LOOK2(128, Z24, Z25, Z2, Z10); \
	LOOK2(192, Z20, Z21, Z3, Z11); \
	LOOK2(256, Z22, Z23, Z4, Z12); \
	LOOK2(320, Z24, Z25, Z5, Z13); \
	LOOK2(384, Z20, Z21, Z6, Z14); \
	LOOK2(448, Z22, Z23, Z7, Z15); \
	ADDQ $256, R10; \
	INCQ CX; \
	CMPQ CX, R9; \
	JNE look; \
looked:

// EXACT adds the exact sums of a column's lanes to the potentials at o: those of lanes
// 0 to 15 in Z16, the others in Z17.
#define EXACT(o, low, lowY, high, highY) \
	VPSLLW $const_lookupShift, high, Z18; \
	VPSUBW Z18, low, low; \
	VPMOVSXWD lowY, Z16; \
	VPMOVSXWD highY, Z18; \
	VEXTRACTI64X4 $1, low, lowY; \
	VEXTRACTI64X4 $1, high, highY; \
	VPMOVSXWD lowY, Z17; \
	VPMOVSXWD highY, Z19; \
	VPSLLD $const_lookupShift, Z18, Z18; \
	VPSLLD $const_lookupShift, Z19, Z19; \
	VPADDD Z18, Z16, Z16; \
	VPADDD Z19, Z17, Z17; \
	VPADDD o(DX), Z16, Z16; \
	VPADDD (o+64)(DX), Z17, Z17

#define ADDTO(o, low, lowY, high, highY) \
	EXACT(o, low, lowY, high, highY); \
	VMOVDQU32 Z16, o(DX); \
	VMOVDQU32 Z17, (o+64)(DX)

// FIRETO advances the neurons of a column with the bias Z26, the threshold Z27 and the
// firing level Z28; the spikes go to s from R11.
#define FIRETO(o, s, low, lowY, high, highY) \
	EXACT(o, low, lowY, high, highY); \
	VPADDD Z26, Z16, Z16; \
	VPADDD Z26, Z17, Z17; \
	VPCMPD $5, Z28, Z16, K1; \
	VPCMPD $5, Z28, Z17, K2; \
	VPSUBD Z27, Z16, K1, Z16; \
	VPSUBD Z27, Z17, K2, Z17; \
	VMOVDQU32 Z16, o(DX); \
	VMOVDQU32 Z17, (o+64)(DX); \
	KUNPCKWD K1, K2, K1; \
	KMOVD K1, s(R11)

#define LOADARGS \
	MOVQ a+0(FP), BX; \
	MOVQ lookupArgs_index+0(BX), SI; \
	MOVQ lookupArgs_offsets+0(BX), R8; \
	MOVQ lookupArgs_offsets+8(BX), R9; \
	MOVQ lookupArgs_tables+0(BX), DI; \
	MOVQ lookupArgs_v+0(BX), DX; \
	MOVQ lookupArgs_rows(BX), R12; \
	MOVQ lookupArgs_pitch(BX), R13; \
	ADDQ R13, R13

// func lookupSumAVX512(a *lookupArgs)
TEXT ·lookupSumAVX512(SB), NOSPLIT, $0-8
	LOADARGS
row:
	ROWSUMS(look, looked)
	ADDTO(0, Z0, Y0, Z8, Y8)
	ADDTO(128, Z1, Y1, Z9, Y9)
	ADDTO(256, Z2, Y2, Z10, Y10)
	ADDTO(384, Z3, Y3, Z11, Y11)
	ADDTO(512, Z4, Y4, Z12, Y12)
	ADDTO(640, Z5, Y5, Z13, Y13)
	ADDTO(768, Z6, Y6, Z14, Y14)
	ADDTO(896, Z7, Y7, Z15, Y15)
	ADDQ $1024, DX
	ADDQ R13, SI
	DECQ R12
	JNZ row
	VZEROUPPER
	RET

// func lookupFireAVX512(a *lookupArgs)
TEXT ·lookupFireAVX512(SB), NOSPLIT, $0-8
	LOADARGS
	MOVQ lookupArgs_spikes+0(BX), R11
	VPBROADCASTD lookupArgs_bias(BX), Z26
	VPBROADCASTD lookupArgs_threshold(BX), Z27
	VPBROADCASTD lookupArgs_firing(BX), Z28
row:
	ROWSUMS(look, looked)
	FIRETO(0, 0, Z0, Y0, Z8, Y8)
	FIRETO(128, 4, Z1, Y1, Z9, Y9)
	FIRETO(256, 8, Z2, Y2, Z10, Y10)
	FIRETO(384, 12, Z3, Y3, Z11, Y11)
	FIRETO(512, 16, Z4, Y4, Z12, Y12)
	FIRETO(640, 20, Z5, Y5, Z13, Y13)
	FIRETO(768, 24, Z6, Y6, Z14, Y14)
	FIRETO(896, 28, Z7, Y7, Z15, Y15)
	ADDQ $1024, DX
	ADDQ $32, R11
	ADDQ R13, SI
	DECQ R12
	JNZ row
	VZEROUPPER
	RET

// HALF stores the sums Z of 16 entries to both planes, the rounding in Z15.
#define HALF(o, sums) \
	VPMOVDW sums, o(DI); \
	VPADDD Z15, sums, Z14; \
	VPSRAD $const_lookupShift, Z14, Z14; \
	VPMOVDW Z14, (o+128)(DI)

// func lookupTablesAVX512(tables []int16, weights []int32)
TEXT ·lookupTablesAVX512(SB), NOSPLIT, $0-48
	MOVQ tables_base+0(FP), DI
	MOVQ weights_base+24(FP), SI
	MOVQ weights_len+32(FP), CX
	SHRQ $3, CX
	JZ done
	MOVL $0xaaaa, AX
	KMOVW AX, K1
	MOVL $0xcccc, AX
	KMOVW AX, K2
	MOVL $0xf0f0, AX
	KMOVW AX, K3
	MOVL $0xff00, AX
	KMOVW AX, K4
	MOVL $(1<<(const_lookupShift-1)), AX
	VPBROADCASTD AX, Z15
loop:
	VPBROADCASTD.Z 0(SI), K1, Z0
	VPBROADCASTD.Z 4(SI), K2, Z1
	VPBROADCASTD.Z 8(SI), K3, Z2
	VPBROADCASTD.Z 12(SI), K4, Z3
	VPADDD Z1, Z0, Z0
	VPADDD Z3, Z2, Z2
	VPADDD Z2, Z0, Z0
	VPADDD.BCST 16(SI), Z0, Z1
	VPADDD.BCST 20(SI), Z0, Z2
	VPADDD.BCST 20(SI), Z1, Z3
	HALF(0, Z0)
	HALF(32, Z1)
	HALF(64, Z2)
	HALF(96, Z3)
	ADDQ $32, SI
	ADDQ $256, DI
	DECQ CX
	JNZ loop
done:
	VZEROUPPER
	RET

// func lookupMaskAVX512(dst []uint64, masks []uint16, shift uint)
TEXT ·lookupMaskAVX512(SB), NOSPLIT, $0-56
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), CX
	MOVQ masks_base+24(FP), SI
	VMOVQ shift+48(FP), X1
eight:
	SUBQ $8, CX
	JLT tail
	VPMOVZXWQ (SI), Z0
	VPSLLQ X1, Z0, Z0
	VPORQ (DI), Z0, Z0
	VMOVDQU64 Z0, (DI)
	ADDQ $16, SI
	ADDQ $64, DI
	JMP eight
tail:
	ADDQ $8, CX
	JZ done
	MOVL $1, AX
	SHLL CX, AX
	DECL AX
	KMOVW AX, K1
	VMOVDQU16.Z (SI), K1, X0
	VPMOVZXWQ X0, Z0
	VPSLLQ X1, Z0, Z0
	VPORQ.Z (DI), Z0, K1, Z0
	VMOVDQU64 Z0, K1, (DI)
done:
	VZEROUPPER
	RET

// func lookupIndexAVX512(a *indexArgs)
TEXT ·lookupIndexAVX512(SB), NOSPLIT, $0-8
	MOVQ a+0(FP), BX
	MOVQ indexArgs_dst+0(BX), DI
	MOVQ indexArgs_src+0(BX), SI
	MOVQ indexArgs_plane(BX), R8
	ADDQ R8, R8
	MOVQ indexArgs_planes(BX), R9
	MOVQ indexArgs_cols(BX), CX
	VMOVDQU64 (indexArgs_lanes+0)(BX), Z4
	VMOVDQU64 (indexArgs_lanes+64)(BX), Z5
	VMOVDQU64 (indexArgs_lanes+128)(BX), Z6
	VMOVDQU64 (indexArgs_lanes+192)(BX), Z7
col:
	KXNORW K1, K1, K1
	KXNORW K2, K2, K2
	KXNORW K3, K3, K3
	KXNORW K4, K4, K4
	VPGATHERQQ (SI)(Z4*8), K1, Z0
	VPGATHERQQ (SI)(Z5*8), K2, Z1
	VPGATHERQQ (SI)(Z6*8), K3, Z2
	VPGATHERQQ (SI)(Z7*8), K4, Z3
	MOVQ DI, DX
	MOVQ R9, AX
plane:
	VPMOVQW Z0, (DX)
	VPMOVQW Z1, 16(DX)
	VPMOVQW Z2, 32(DX)
	VPMOVQW Z3, 48(DX)
	VPSRLQ $const_lookupInputs, Z0, Z0
	VPSRLQ $const_lookupInputs, Z1, Z1
	VPSRLQ $const_lookupInputs, Z2, Z2
	VPSRLQ $const_lookupInputs, Z3, Z3
	ADDQ R8, DX
	DECQ AX
	JNZ plane
	ADDQ $8, SI
	ADDQ $64, DI
	DECQ CX
	JNZ col
	VZEROUPPER
	RET

// BLOCK collects the spikes of up to 16 of the AX channels left into a, channel by
// channel from the block's last one, and moves SI to the next block.
#define BLOCK(a, channel, none) \
	VPXORD a, a, a; \
	MOVQ $16, CX; \
	CMPQ CX, AX; \
	CMOVQGT AX, CX; \
	SUBQ CX, AX; \
	TESTQ CX, CX; \
	JZ none; \
	MOVQ CX, R10; \
	IMULQ R8, R10; \
	ADDQ R10, SI; \
	MOVQ SI, R11; \
channel: \
	SUBQ R8, R11; \
	KMOVD (R11), K1; \
	VPADDW a, a, a; \
	VPADDW Z15, a, K1, a; \
	DECQ CX; \
	JNZ channel; \
none:

// func lookupCollectAVX512(dst []uint64, spikes []uint32, channels, cells int)
TEXT ·lookupCollectAVX512(SB), NOSPLIT, $0-64
	MOVQ dst_base+0(FP), DI
	MOVQ spikes_base+24(FP), R12
	MOVQ cells+56(FP), R9
	MOVQ R9, R8
	SHLQ $2, R8
	MOVL $0x00010001, AX
	VPBROADCASTD AX, Z15
cell:
	MOVQ R12, SI
	MOVQ channels+48(FP), AX
	BLOCK(Z0, channel0, none0)
	BLOCK(Z1, channel1, none1)
	BLOCK(Z2, channel2, none2)
	BLOCK(Z3, channel3, none3)
	VPUNPCKLWD Z1, Z0, Z4
	VPUNPCKHWD Z1, Z0, Z5
	VPUNPCKLWD Z3, Z2, Z6
	VPUNPCKHWD Z3, Z2, Z7
	VPUNPCKLDQ Z6, Z4, Z0
	VPUNPCKHDQ Z6, Z4, Z1
	VPUNPCKLDQ Z7, Z5, Z2
	VPUNPCKHDQ Z7, Z5, Z3
	VMOVDQU X0, (DI)
	VMOVDQU X1, 16(DI)
	VMOVDQU X2, 32(DI)
	VMOVDQU X3, 48(DI)
	VEXTRACTI32X4 $1, Z0, 64(DI)
	VEXTRACTI32X4 $1, Z1, 80(DI)
	VEXTRACTI32X4 $1, Z2, 96(DI)
	VEXTRACTI32X4 $1, Z3, 112(DI)
	VEXTRACTI32X4 $2, Z0, 128(DI)
	VEXTRACTI32X4 $2, Z1, 144(DI)
	VEXTRACTI32X4 $2, Z2, 160(DI)
	VEXTRACTI32X4 $2, Z3, 176(DI)
	VEXTRACTI32X4 $3, Z0, 192(DI)
	VEXTRACTI32X4 $3, Z1, 208(DI)
	VEXTRACTI32X4 $3, Z2, 224(DI)
	VEXTRACTI32X4 $3, Z3, 240(DI)
	ADDQ $256, DI
	ADDQ $4, R12
	DECQ R9
	JNZ cell
	VZEROUPPER
	RET

// func lookupPeakAVX512(n int) (ops int)
TEXT ·lookupPeakAVX512(SB), NOSPLIT, $0-16
	MOVQ n+0(FP), CX
	MOVQ CX, AX
	IMULQ $(8*2*const_lookupInputs*const_lookupLanes), AX
	MOVQ AX, ops+8(FP)
	VPXORD Z26, Z26, Z26
#define PEAK2(i, j, low, high) \
	VMOVDQA64 Z26, i; \
	VMOVDQA64 Z26, j; \
	VPERMI2W Z17, Z16, i; \
	VPERMI2W Z19, Z18, j; \
	VPADDW i, low, low; \
	VPADDW j, high, high
loop:
	PEAK2(Z20, Z21, Z0, Z8)
	PEAK2(Z22, Z23, Z1, Z9)
	PEAK2(Z24, Z25, Z2, Z10)
	PEAK2(Z20, Z21, Z3, Z11)
	PEAK2(Z22, Z23, Z4, Z12)
	PEAK2(Z24, Z25, Z5, Z13)
	PEAK2(Z20, Z21, Z6, Z14)
	PEAK2(Z22, Z23, Z7, Z15)
	DECQ CX
	JNZ loop
	VZEROUPPER
	RET
