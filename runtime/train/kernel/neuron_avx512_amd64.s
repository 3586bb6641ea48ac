//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "neuron_amd64.h"
#include "avx512_amd64.h"

#define CLEAR VPXORD
#define PREFETCH2(p) PREFETCHT0 128(p); PREFETCHT0 192(p)
#define PREFETCH4(p) PREFETCHT0 256(p); PREFETCHT0 320(p); PREFETCHT0 384(p); PREFETCHT0 448(p)

// Forwards all is in registers: threshold, bias and level from Z4, Z8 and Z12 on.
#define N0 Z16
#define N1 Z17
#define N2 Z18
#define N3 Z19
#define ONES VBROADCASTSS ONE, Z20
#define MAINS \
	AT(neuronForward_theta+0, R13, CX); \
	LOAD4(CX, Z4, Z5, Z6, Z7); \
	LOAD4(CX, Z12, Z13, Z14, Z15); \
	AT(neuronForward_bias+0, R13, CX); \
	LOAD4(CX, Z8, Z9, Z10, Z11)
#define POSTS \
	AT(neuronForward_none+0, R13, CX); \
	LOAD4(CX, Z8, Z9, Z10, Z11); \
	AT(neuronForward_fire+0, R13, CX); \
	LOAD4(CX, Z12, Z13, Z14, Z15)

// INTEGRATE advances vector i. 29 is "greater or equal, ordered, quiet".
#define INTEGRATE(i, v, theta, bias, level, count, k) \
	VADDPS  (i*VB)(SI), bias, Z21; \
	VADDPS  Z21, v, v; \
	VMOVUPS v, (i*VB)(DI); \
	VCMPPS  $29, level, v, k; \
	VSUBPS  theta, v, k, v; \
	VADDPS  Z20, count, k, count; \
	KMOVW   k, (2*i)(R9)

#define EMIT(i, theta, k) \
	VMOVUPS.Z theta, k, Z21; \
	VMOVUPS   Z21, (i*VB)(R12)

#define INTEGRATES \
	INTEGRATE(0, V0, Z4, Z8, Z12, N0, K1); \
	INTEGRATE(1, V1, Z5, Z9, Z13, N1, K2); \
	INTEGRATE(2, V2, Z6, Z10, Z14, N2, K3); \
	INTEGRATE(3, V3, Z7, Z11, Z15, N3, K4); \
	TESTQ R12, R12; \
	JEQ   stepped; \
	EMIT(0, Z4, K1); \
	EMIT(1, Z5, K2); \
	EMIT(2, Z6, K3); \
	EMIT(3, Z7, K4); \
	ADDQ  R8, R12; \
stepped:

// Backwards gain, inverse, centre, what is common and level are from Z6, Z8, Z10, Z12 and
// Z14 on, Z31 the sign-free bits. K1 is the spikes (21 is "not less, unordered, quiet"),
// K3 all lanes when the reset is attached.
#define U Z16
#define X Z18
#define T0 Z20
#define T1 Z22
#define T2 Z21
#define T3 Z23
#define SCALE Z24
#define HEIGHT Z25
#define ROUNDS Z26
#define UNIT Z27
#define SURROGATE R12
#define MAIN R10
#define ABS VANDPS Z31, X, X
#define FIRED(level) VCMPPS $21, level, U, K1
#define ADDFIRED(o, level, theta) VADDPS T1, theta, K1, theta
#define DETACHED(gv) VMOVAPS T1, K3, T0
#define NOTLEAST \
	VCMPPS   $21, LEAST, X, K2; \
	VMULPS.Z X, T0, K2, T0
#define READY \
	VBROADCASTSS ONE, UNIT; \
	VPTERNLOGD $255, Z31, Z31, Z31; \
	VPSRLD $1, Z31, Z31; \
	MOVQ neuronBackward_main(BX), MAIN; \
	MOVQ neuronBackward_surrogate(BX), SURROGATE; \
	KXNORW K3, K3, K3; \
	CMPQ neuronBackward_detach(BX), $0; \
	JEQ  attached; \
	KXORW K3, K3, K3; \
attached:
#define PARAMS \
	LOAD2(CX, Z12, Z13); \
	VADDPS (DX), Z12, Z12; \
	VADDPS VB(DX), Z13, Z13; \
	AT(neuronBackward_inverse+0, R13, CX); \
	LOAD2(CX, Z8, Z9); \
	VMULPS Z8, Z12, Z12; \
	VMULPS Z9, Z13, Z13; \
	AT(neuronBackward_gain+0, R13, CX); \
	LOAD2(CX, Z6, Z7)
#define LEVELS(center, level) \
	AT(center, R13, CX); \
	LOAD2(CX, Z10, Z11); \
	AT(level, R13, CX); \
	LOAD2(CX, Z14, Z15)
#define BACKS \
	BACK(0, V0, V2, V4, Z6, Z8, Z10, Z12, Z14, triangle0, arctan0, done0, main0, next0) \
	BACK(VB, V1, V3, V5, Z7, Z9, Z11, Z13, Z15, triangle1, arctan1, done1, main1, next1)

#include "neuronsteps_amd64.h"

// func neuronForwardAVX512(a *neuronForward, n int)
TEXT ·neuronForwardAVX512(SB), NOSPLIT, $16-16
	FORWARD

// func neuronBackwardAVX512(a *neuronBackward, n int)
TEXT ·neuronBackwardAVX512(SB), NOSPLIT, $8-16
	BACKWARD

#define EACH(STEP) STEP(0); STEP(1); STEP(2); STEP(3)
#define ADDWORD(i) \
	KMOVW   R8, K1; \
	VMOVUPS VB*i(DI)(AX*4), Z1; \
	VADDPS  Z20, Z1, K1, Z1; \
	VMOVUPS Z1, VB*i(DI)(AX*4); \
	SHRQ    $16, R8

// func addSpikesAVX512(dst []float32, spikes []uint64)
TEXT ·addSpikesAVX512(SB), NOSPLIT, $0-48
	ADDSPIKES
