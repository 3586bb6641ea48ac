// CHAINS runs n rounds of EACH(FMA), whose constants are zeros.
#define FMA(a) VFMADD231PS A, B, a
#define ZERO(a) CLEAR a, a, a
#define CHAINS \
	MOVQ n+0(FP), CX; \
	EACH(ZERO); \
	ZERO(A); \
	ZERO(B); \
loop: \
	EACH(FMA); \
	DECQ CX; \
	JNE  loop; \
	VZEROUPPER; \
	RET
