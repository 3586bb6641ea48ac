// Sums of listed spikes. Registers of the sums of runs:
//
//	BX   arguments             DI   out of the run
//	R8   starts                R9   runs left
//	R10  bytes from out to out R11  entries
//	SI   entry                 CX   end of the run
//	DX   weights               R12-R15 rows of weights

// RUNS begins, CX becomes the number of lanes of the last 16, less 1. RUN goes on to the
// next run, and RUNEND ends one.
#define RUNS \
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP)); \
	MOVQ a+0(FP), BX; \
	MOVQ runArgs_out(BX), DI; \
	MOVQ runArgs_weights(BX), DX; \
	MOVQ runArgs_starts(BX), R8; \
	MOVQ runArgs_n(BX), R9; \
	MOVQ runArgs_outStride(BX), R10; \
	SHLQ $2, R10; \
	MOVQ runArgs_entries(BX), R11; \
	MOVL (R8), SI; \
	LEAQ (R11)(SI*4), SI; \
	MOVQ runArgs_width(BX), CX; \
	DECQ CX; \
	ANDQ $15, CX

#define RUN \
	ADDQ $4, R8; \
	MOVL (R8), CX; \
	LEAQ (R11)(CX*4), CX

#define RUNEND(run) \
	ADDQ R10, DI; \
	DECQ R9; \
	JNE  run

// ENTRIES adds the entries of a run, four at a time, by ROWS.
#define ENTRIES(shift, entry, ROWS) \
entry: \
	MOVL (SI), R12; \
	MOVL 4(SI), R13; \
	MOVL 8(SI), R14; \
	MOVL 12(SI), R15; \
	SHLQ $shift, R12; \
	SHLQ $shift, R13; \
	SHLQ $shift, R14; \
	SHLQ $shift, R15; \
	ROWS; \
	ADDQ $16, SI; \
	CMPQ SI, CX; \
	JNE entry

// COPYLANES copies pixels of 16 lanes by COPY16, whose masks LANES16 makes of the width
// CX.
#define COPYLANES \
	MOVQ dst_base+0(FP), DI; \
	MOVQ dst_len+8(FP), DX; \
	MOVQ src_base+24(FP), SI; \
	MOVQ stride+48(FP), R8; \
	MOVQ width+56(FP), CX; \
	LANES16; \
	JMP test; \
pixel: \
	COPY16; \
	LEAQ (SI)(R8*4), SI; \
	ADDQ $64, DI; \
test: \
	SUBQ $16, DX; \
	JGE pixel; \
	VZEROUPPER; \
	RET

// Registers of the sums of gradients, of VB bytes of all 64 after the other:
//
//	DI   sums of the channel   R8-R15, BX gradients of the taps
//	SI   pixels                CX  pixels left
//	AX   offset of the pixel   DX  arguments
//	V0-V8 sums of the taps
//
// Frame: 8 and 16 MXCSR, 24 channel, 32 offset of the part.

#define TAP(i, p) MOVLQSX (spikeGradientArgs_taps+i*4)(DX), p; SHLQ $6, p; ADDQ AX, p
#define ADDTAP(p, v) VADDPS (p)(AX*1), v, v
#define ADDSUM(i, v) VADDPS (i*64)(DI), v, v; VMOVUPS v, (i*64)(DI)

#define SUMGRADIENTS \
	FLUSH_SUBNORMALS(old-8(SP), new-16(SP)); \
	MOVQ a+0(FP), DX; \
	MOVQ $0, part-32(SP); \
again: \
	MOVQ spikeGradientArgs_sums(DX), DI; \
	MOVQ spikeGradientArgs_gradients(DX), AX; \
	ADDQ part-32(SP), DI; \
	ADDQ part-32(SP), AX; \
	TAP(0, R8); TAP(1, R9); TAP(2, R10); TAP(3, R11); TAP(4, R12); \
	TAP(5, R13); TAP(6, R14); TAP(7, R15); TAP(8, BX); \
	MOVQ $0, channel-24(SP); \
channel: \
	MOVQ channel-24(SP), AX; \
	CMPQ AX, spikeGradientArgs_counts+8(DX); \
	JGE done; \
	MOVQ spikeGradientArgs_counts(DX), SI; \
	MOVL (SI)(AX*4), CX; \
	MOVQ AX, SI; \
	INCQ AX; \
	MOVQ AX, channel-24(SP); \
	TESTQ CX, CX; \
	JEQ next; \
	IMULQ spikeGradientArgs_room(DX), SI; \
	SHLQ $2, SI; \
	ADDQ spikeGradientArgs_pixels(DX), SI; \
	CLEAR V0, V0, V0; CLEAR V1, V1, V1; CLEAR V2, V2, V2; CLEAR V3, V3, V3; CLEAR V4, V4, V4; \
	CLEAR V5, V5, V5; CLEAR V6, V6, V6; CLEAR V7, V7, V7; CLEAR V8, V8, V8; \
spike: \
	MOVL (SI), AX; \
	SHLQ $6, AX; \
	ADDTAP(R8, V0); ADDTAP(R9, V1); ADDTAP(R10, V2); ADDTAP(R11, V3); ADDTAP(R12, V4); \
	ADDTAP(R13, V5); ADDTAP(R14, V6); ADDTAP(R15, V7); ADDTAP(BX, V8); \
	ADDQ $4, SI; \
	DECQ CX; \
	JNE spike; \
	ADDSUM(0, V0); ADDSUM(1, V1); ADDSUM(2, V2); ADDSUM(3, V3); ADDSUM(4, V4); \
	ADDSUM(5, V5); ADDSUM(6, V6); ADDSUM(7, V7); ADDSUM(8, V8); \
next: \
	ADDQ $(9*64), DI; \
	JMP channel; \
done: \
	ADDQ $VB, part-32(SP); \
	CMPQ part-32(SP), $64; \
	JLT again; \
	RESTORE(old-8(SP)); \
	VZEROUPPER; \
	RET
