// FLUSH_SUBNORMALS makes the processor take subnormal operands and results for zeros
// (FTZ and DAZ of MXCSR); old and new are places in the frame. RESTORE undoes it.
#define FLUSH_SUBNORMALS(old, new) \
	STMXCSR old; \
	MOVL old, AX; \
	ORL $0x8040, AX; \
	MOVL AX, new; \
	LDMXCSR new
#define RESTORE(old) LDMXCSR old
