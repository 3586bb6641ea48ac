// What the kernels of neurons in training share. AX is the index of the first element
// of a block, R13 its index in the period, BX the arguments.

// NEXT goes on to the next block of size elements.
#define NEXT(size, period, loop) \
	ADDQ    $size, AX; \
	ADDQ    $size, R13; \
	XORQ    R11, R11; \
	CMPQ    R13, period; \
	CMOVQEQ R11, R13; \
	CMPQ    AX, n+8(FP); \
	JLT     loop

// FLUSH makes the CPU take subnormal operands and results as 0 (DAZ and FTZ), and
// keeps the mode before in mxcsr.
#define FLUSH \
	STMXCSR mxcsr-8(SP); \
	MOVL    mxcsr-8(SP), CX; \
	ORL     $0x8040, CX; \
	MOVL    CX, flushing-4(SP); \
	LDMXCSR flushing-4(SP)

#define UNFLUSH \
	LDMXCSR mxcsr-8(SP)

#define ONE       ·neuronConstants+0(SB)
#define ROUNDING  ·neuronConstants+64(SB)
#define FARTHEST  ·neuronConstants+128(SB)
#define LEAST     ·neuronConstants+192(SB)
#define C6        ·neuronConstants+256(SB)
#define C5        ·neuronConstants+320(SB)
#define C4        ·neuronConstants+384(SB)
#define C3        ·neuronConstants+448(SB)
#define C2        ·neuronConstants+512(SB)
#define C1        ·neuronConstants+576(SB)
