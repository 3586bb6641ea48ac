// What the row kernels share. A file that includes this defines, beside the macros of a
// channel that TILE names, STARTED, which ends START, and what differs by masks: TILEMASK,
// RESUMEMASK and STOREMASK make one of the last vector where they must; AHEAD readies the
// prefetching that FETCH does for a channel.

#define START \
	MOVQ a+0(FP), BX; \
	MOVQ rowArgs_dst(BX), DI; \
	MOVQ rowArgs_src(BX), SI; \
	MOVQ rowArgs_dstStride(BX), R9; \
	SHLQ $2, R9; \
	MOVQ rowArgs_weightStep(BX), AX; \
	SHLQ $2, AX; \
	MOVQ rowArgs_n(BX), R8; \
	STARTED

// TILE computes one tile of full + VL cells, or of the R8 left if they are fewer.
#define TILE(full, CHANNELS, ZERO, RESUME, CELLS, TAP, BIAS, STORE, zero, sum, chan, tap, end) \
	TILEMASK(full); \
	CMPB rowArgs_resume(BX), $0; \
	JEQ zero; \
	RESUMEMASK(full); \
	MOVQ DI, R10; \
	CHANNELS(RESUME); \
	JMP sum; \
zero: \
	CHANNELS(ZERO); \
sum: \
	MOVQ rowArgs_weights(BX), DX; \
	MOVQ rowArgs_channels(BX), R11; \
	MOVQ SI, R10; \
	AHEAD; \
chan: \
	FETCH; \
	MOVQ rowArgs_offsets(BX), R12; \
	MOVQ rowArgs_offsets+8(BX), CX; \
tap: \
	MOVQ (R12), R13; \
	LEAQ (R10)(R13*4), R13; \
	CELLS; \
	CHANNELS(TAP); \
	ADDQ $8, R12; \
	ADDQ AX, DX; \
	DECQ CX; \
	JNE tap; \
	MOVQ rowArgs_channelStride(BX), R13; \
	LEAQ (R10)(R13*4), R10; \
	DECQ R11; \
	JNE chan; \
	MOVQ rowArgs_bias(BX), R13; \
	TESTQ R13, R13; \
	JEQ end; \
	CHANNELS(BIAS); \
end: \
	STOREMASK(full); \
	MOVQ DI, R10; \
	CHANNELS(STORE); \
	ADDQ $(4*(full+VL)), DI; \
	ADDQ $(4*(full+VL)), SI; \
	SUBQ $(full+VL), R8

// TILEn is a TILE n vectors wide, with labels of its own.
#define TILE1(CHANNELS) \
	TILE(0, CHANNELS, ZERO1, RESUME1, CELLS1, TAP1, BIAS1, STORE1, zero1, sum1, chan1, tap1, end1)
#define TILE2(CHANNELS) \
	TILE((1*VL), CHANNELS, ZERO2, RESUME2, CELLS2, TAP2, BIAS2, STORE2, zero2, sum2, chan2, tap2, end2)
#define TILE3(CHANNELS) \
	TILE((2*VL), CHANNELS, ZERO3, RESUME3, CELLS3, TAP3, BIAS3, STORE3, zero3, sum3, chan3, tap3, end3)
#define TILE6(CHANNELS) \
	TILE((5*VL), CHANNELS, ZERO6, RESUME6, CELLS6, TAP6, BIAS6, STORE6, zero6, sum6, chan6, tap6, end6)
