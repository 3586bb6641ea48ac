//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neuron_amd64.h"
#include "avx2_amd64.h"

#define CLEAR VXORPS
#define PREFETCH2(p) PREFETCHT0 64(p)
#define PREFETCH4(p) PREFETCHT0 128(p); PREFETCHT0 192(p)

// Forwards what belongs to the period stays in memory: the bias at CX, the threshold at
// R14, the level at R15.
#define N0 V4
#define N1 V5
#define N2 V6
#define N3 V7
#define ONES VMOVUPS ONE, Y15
#define MAINS \
	AT(neuronForward_bias+0, R13, CX); \
	AT(neuronForward_theta+0, R13, R14); \
	MOVQ R14, R15
#define POSTS \
	AT(neuronForward_none+0, R13, CX); \
	AT(neuronForward_fire+0, R13, R15)

// INTEGRATE advances vector i. 29 is "greater or equal, ordered, quiet". A neuron that
// does not fire has +0 subtracted.
#define INTEGRATE(i, v, count, silent) \
	VMOVUPS   (i*VB)(SI), Y8; \
	VADDPS    (i*VB)(CX), Y8, Y8; \
	VADDPS    Y8, v, v; \
	VMOVUPS   v, (i*VB)(DI); \
	VCMPPS    $29, (i*VB)(R15), v, Y9; \
	VANDPS    (i*VB)(R14), Y9, Y10; \
	VSUBPS    Y10, v, v; \
	VANDPS    Y15, Y9, Y8; \
	VADDPS    Y8, count, count; \
	VMOVMSKPS Y9, R11; \
	MOVB      R11, i(R9); \
	TESTQ     R12, R12; \
	JEQ       silent; \
	VMOVUPS   Y10, (i*VB)(R12); \
silent:

#define INTEGRATES \
	INTEGRATE(0, V0, N0, silent0); \
	INTEGRATE(1, V1, N1, silent1); \
	INTEGRATE(2, V2, N2, silent2); \
	INTEGRATE(3, V3, N3, silent3); \
	TESTQ R12, R12; \
	JEQ   stepped; \
	ADDQ  R8, R12; \
stepped:

// Backwards the gain is at R10, the inverse at R12, the centre at R14, the level at R15.
// Y15 is all bits when the reset is attached. 21 is "not less, unordered, quiet".
#define U Y6
#define X Y7
#define T0 Y8
#define T1 Y9
#define T2 Y13
#define T3 Y14
#define SCALE Y10
#define HEIGHT Y11
#define ROUNDS Y12
#define UNIT ONE
#define SURROGATE neuronBackward_surrogate(BX)
#define MAIN neuronBackward_main(BX)
#define ABS \
	VPCMPEQD T0, T0, T0; \
	VPSRLD   $1, T0, T0; \
	VANDPS   T0, X, X
#define FIRED(level)
#define ADDFIRED(o, level, theta) \
	VMOVUPS o(SI), X; \
	VCMPPS  $21, level, X, X; \
	VANDPS  X, T1, T1; \
	VADDPS  T1, theta, theta
#define DETACHED(gv) \
	VANDPS Y15, gv, T3; \
	VSUBPS T3, T0, T0
#define NOTLEAST \
	VMULPS X, T0, T0; \
	VCMPPS $21, LEAST, X, X; \
	VANDPS X, T0, T0
#define READY \
	VPCMPEQD Y15, Y15, Y15; \
	CMPQ neuronBackward_detach(BX), $0; \
	JEQ  attached; \
	VXORPS Y15, Y15, Y15; \
attached:
#define PARAMS \
	LOAD2(CX, Y6, Y7); \
	VADDPS (DX), Y6, Y6; \
	VADDPS VB(DX), Y7, Y7; \
	AT(neuronBackward_inverse+0, R13, R12); \
	VMULPS (R12), Y6, Y6; \
	VMULPS VB(R12), Y7, Y7; \
	VMOVUPS Y6, common0-72(SP); \
	VMOVUPS Y7, common1-40(SP); \
	AT(neuronBackward_gain+0, R13, R10)
#define LEVELS(center, level) \
	AT(center, R13, R14); \
	AT(level, R13, R15)
#define BACKS \
	BACK(0, V0, V2, V4, 0(R10), 0(R12), 0(R14), common0-72(SP), 0(R15), triangle0, arctan0, done0, main0, next0) \
	BACK(VB, V1, V3, V5, VB(R10), VB(R12), VB(R14), common1-40(SP), VB(R15), triangle1, arctan1, done1, main1, next1)

#include "neuronsteps_amd64.h"

// func neuronForwardAVX2(a *neuronForward, n int)
TEXT ·neuronForwardAVX2(SB), NOSPLIT, $16-16
	FORWARD

// func neuronBackwardAVX2(a *neuronBackward, n int)
TEXT ·neuronBackwardAVX2(SB), NOSPLIT, $72-16
	BACKWARD

// laneBits holds, for each lane, the bit of its spike in a byte.
DATA laneBits<>+0(SB)/8, $0x0000000200000001
DATA laneBits<>+8(SB)/8, $0x0000000800000004
DATA laneBits<>+16(SB)/8, $0x0000002000000010
DATA laneBits<>+24(SB)/8, $0x0000008000000040
GLOBL laneBits<>(SB), RODATA|NOPTR, $32

#define EACH(STEP) STEP(0); STEP(1); STEP(2); STEP(3); STEP(4); STEP(5); STEP(6); STEP(7)
#define ADDWORD(i) \
	VPBROADCASTB i(SI), Y2; \
	VPAND        Y2, Y1, Y2; \
	VPCMPEQD     Y2, Y1, Y2; \
	VMOVUPS      VB*i(DI)(AX*4), Y4; \
	VADDPS       Y15, Y4, Y3; \
	VBLENDVPS    Y2, Y3, Y4, Y4; \
	VMOVUPS      Y4, VB*i(DI)(AX*4)

// func addSpikesAVX2(dst []float32, spikes []uint64)
TEXT ·addSpikesAVX2(SB), NOSPLIT, $0-48
	VMOVUPS laneBits<>(SB), Y1
	ADDSPIKES
