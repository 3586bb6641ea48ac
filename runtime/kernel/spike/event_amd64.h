// Registers of the event kernels:
//
//	BX   arguments             R8   starts
//	R9   entries               DI   weights
//	SI   potentials            DX   masks
//	R10  cell                  R11  run
//	R12  weights of the run    R13  entry, R14 the end of the run's

#define SETUP \
	MOVQ a+0(FP), BX; \
	MOVQ eventArgs_starts(BX), R8; \
	MOVQ eventArgs_entries(BX), R9; \
	MOVQ eventArgs_v(BX), SI; \
	MOVQ eventArgs_masks(BX), DX; \
	MOVQ eventArgs_params(BX), AX; \
	MOVQ eventArgs_weights(BX), DI; \
	XORQ R10, R10

// RUN sets R13 and R14 to the entries of run R11 and cell R10, R12 to its weights, or
// goes on to next when it has none.
#define RUN(next) \
	MOVQ eventArgs_startOffsets(BX), AX; \
	MOVQ (AX)(R11*8), AX; \
	ADDQ R10, AX; \
	MOVLQSX (R8)(AX*4), R13; \
	MOVLQSX 4(R8)(AX*4), R14; \
	CMPQ R13, R14; \
	JEQ next; \
	MOVQ eventArgs_entryOffsets(BX), AX; \
	MOVQ (AX)(R11*8), AX; \
	ADDQ AX, R13; \
	ADDQ AX, R14; \
	LEAQ (R9)(R13*4), R13; \
	LEAQ (R9)(R14*4), R14
