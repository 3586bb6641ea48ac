// SPIKECOUNTS loops over the neurons, 16 at a time: AX is the index of the first, CX their
// number. Vectors: 0 gain, 1 bias, 2 v0, 3 threshold, 4 fire, 5 top, 6 zeros.
#define SPIKECOUNTS \
	MOVQ counts_base+0(FP), DI; \
	MOVQ counts_len+8(FP), CX; \
	MOVQ residual_base+24(FP), DX; \
	MOVQ current_base+48(FP), SI; \
	MOVQ p+72(FP), R8; \
	VBROADCASTSS 0(R8), V0; \
	VBROADCASTSS 4(R8), V1; \
	VBROADCASTSS 8(R8), V2; \
	VBROADCASTSS 12(R8), V3; \
	VBROADCASTSS 16(R8), V4; \
	VBROADCASTSS 20(R8), V5; \
	VPXOR X6, X6, X6; \
	XORQ AX, AX; \
	JMP  test; \
loop: \
	COUNT; \
	ADDQ $16, AX; \
test: \
	CMPQ AX, CX; \
	JLT  loop; \
	VZEROUPPER; \
	RET
