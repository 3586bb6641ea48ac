// All loops here run over slices whose length is a multiple of VL. AX is the
// index, CX the length, DI, SI and DX are dst, x and y.

// UNARY is the body of a loop over x whose step turns V0 into the result.
#define UNARY(STEP) \
	MOVQ dst_base+0(FP), DI; \
	MOVQ dst_len+8(FP), CX; \
	MOVQ x_base+24(FP), SI; \
	XORQ AX, AX; \
	JMP  test; \
loop: \
	VMOVUPS (SI)(AX*4), V0; \
	STEP; \
	VMOVUPS V0, (DI)(AX*4); \
	ADDQ    $VL, AX; \
test: \
	CMPQ AX, CX; \
	JLT  loop; \
	VZEROUPPER; \
	RET

// BINARY is the body of dst = x OP y.
#define BINARY(OP) \
	MOVQ y_base+48(FP), DX; \
	UNARY(WITHY(OP))
#define WITHY(OP) OP (DX)(AX*4), V0, V0

#define ADDSCALAR VADDPS V1, V0, V0
#define MULSCALAR VMULPS V1, V0, V0
#define AXPY VMULPS V1, V0, V0; VADDPS (DI)(AX*4), V0, V0

// The first operand of the maximum and minimum is the bound: x is kept when it is
// a NaN or equal.
#define CLIP VMAXPS V0, V1, V0; VMINPS V0, V2, V0
