// All loops here run over words of 64 spikes. AX is the index of the element, CX
// their number, R8 the word. IFSTEP and EXPAND take vector i of a word.

#define IFSTEPS \
	MOVQ spikes_base+0(FP), DI; \
	MOVQ v_base+24(FP), SI; \
	MOVQ v_len+32(FP), CX; \
	MOVQ current_base+48(FP), DX; \
	VBROADCASTSS bias+72(FP), V0; \
	VBROADCASTSS threshold+76(FP), V1; \
	VBROADCASTSS fire+80(FP), V2; \
	XORQ AX, AX; \
	JMP  test; \
loop: \
	XORQ R8, R8; \
	EACH(IFSTEP); \
	MOVQ R8, (DI); \
	ADDQ $8, DI; \
	ADDQ $64, AX; \
test: \
	CMPQ AX, CX; \
	JLT  loop; \
	VZEROUPPER; \
	RET

// WORDS is the loop over the words of spikes at SI.
#define WORDS(STEP) \
	MOVQ dst_base+0(FP), DI; \
	MOVQ dst_len+8(FP), CX; \
	MOVQ spikes_base+24(FP), SI; \
	XORQ AX, AX; \
	JMP  test; \
loop: \
	MOVQ (SI), R8; \
	EACH(STEP); \
	ADDQ $8, SI; \
	ADDQ $64, AX; \
test: \
	CMPQ AX, CX; \
	JLT  loop; \
	VZEROUPPER; \
	RET
