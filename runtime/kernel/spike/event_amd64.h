// Registers of the event kernels:
//
//	BX   arguments             R8   starts
//	R9   entries               DI   weights
//	SI   potentials            DX   masks
//	R10  cell                  R11  run
//	R12  weights of the run    R13  entry, R14 the end of the run's
//	CX   bytes from a block's potentials to the next one's
//	R15  bytes of a run's weights

// CELLS is the loop over the cells of a row whose sums are of one or four blocks, of
// 1<<shift bytes of weights for an entry. START sets the sums to potentials and bias, ADD
// adds an entry or more at R13 and moves on, FIRE stores the neurons' potentials and
// masks.
#define CELLS(shift, START, ADD, FIRE, cell, run, entry, next) \
	SHLQ $shift, R15; \
cell: \
	START; \
	MOVQ DI, R12; \
	XORQ R11, R11; \
run: \
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
	LEAQ (R9)(R14*4), R14; \
entry: \
	ADD; \
	CMPQ R13, R14; \
	JNE entry; \
next: \
	ADDQ R15, R12; \
	INCQ R11; \
	CMPQ R11, eventArgs_startOffsets+8(BX); \
	JNE run; \
	FIRE; \
	ADDQ $64, SI; \
	MOVQ eventArgs_maskCell(BX), AX; \
	LEAQ (DX)(AX*2), DX; \
	INCQ R10; \
	CMPQ R10, eventArgs_cols(BX); \
	JNE cell; \
	VZEROUPPER; \
	RET

#define EVENTROW \
	MOVQ a+0(FP), BX; \
	MOVQ eventArgs_starts(BX), R8; \
	MOVQ eventArgs_entries(BX), R9; \
	MOVQ eventArgs_v(BX), SI; \
	MOVQ eventArgs_masks(BX), DX; \
	MOVQ eventArgs_weights(BX), DI; \
	XORQ R10, R10; \
	MOVQ eventArgs_rows(BX), R15; \
	MOVQ eventArgs_vBlock(BX), CX; \
	SHLQ $2, CX; \
	MOVQ eventArgs_params(BX), AX; \
	CMPQ eventArgs_blocks(BX), $1; \
	JEQ one; \
	PARAMS4; \
	CELLS(7, START4, ADD4, FIRE4, cell4, run4, entry4, next4); \
one: \
	PARAMS1; \
	CELLS(5, START1, ADD1, FIRE1, cell1, run1, entry1, next1)
