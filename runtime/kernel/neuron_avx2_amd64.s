//go:build !purego

#include "textflag.h"
#include "avx2_amd64.h"
#include "neuron_amd64.h"

#define EACH(STEP) STEP(0); STEP(1); STEP(2); STEP(3); STEP(4); STEP(5); STEP(6); STEP(7)

// laneBits holds, for each lane, the bit of its spike in a byte.
DATA laneBits<>+0(SB)/8, $0x0000000200000001
DATA laneBits<>+8(SB)/8, $0x0000000800000004
DATA laneBits<>+16(SB)/8, $0x0000002000000010
DATA laneBits<>+24(SB)/8, $0x0000008000000040
GLOBL laneBits<>(SB), RODATA|NOPTR, $32

// 29 is "greater or equal, ordered, quiet". A neuron that does not fire has +0
// subtracted, which leaves every number as it is, -0 included.
#define IFSTEP(i) \
	VADDPS    VB*i(DX)(AX*4), Y0, Y3; \
	VADDPS    VB*i(SI)(AX*4), Y3, Y3; \
	VCMPPS    $29, Y2, Y3, Y4; \
	VANDPS    Y4, Y1, Y5; \
	VSUBPS    Y5, Y3, Y3; \
	VMOVUPS   Y3, VB*i(SI)(AX*4); \
	VMOVMSKPS Y4, R9; \
	SHLQ      $(VL*i), R9; \
	ORQ       R9, R8

// SPIKES sets Y2 to the lanes that spike, from byte i of the word.
#define SPIKES(i) \
	VPBROADCASTB i(SI), Y2; \
	VPAND        Y2, Y1, Y2; \
	VPCMPEQD     Y2, Y1, Y2

#define EXPAND(i) \
	SPIKES(i); \
	VANDPS  Y2, Y0, Y3; \
	VMOVUPS Y3, VB*i(DI)(AX*4)

// func ifStepAVX2(spikes []uint64, v, current []float32, bias, threshold, fire float32)
TEXT ·ifStepAVX2(SB), NOSPLIT, $0-84
	IFSTEPS

// func expandSpikesAVX2(dst []float32, spikes []uint64, amplitude float32)
TEXT ·expandSpikesAVX2(SB), NOSPLIT, $0-52
	VBROADCASTSS amplitude+48(FP), V0
	VMOVUPS laneBits<>(SB), Y1
	WORDS(EXPAND)
