//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"
#include "avx2_amd64.h"
#include "masks_amd64.h"
#include "spikes_amd64.h"

#define CLEAR VXORPS
#define ZERO2(a, b) VXORPS a, a, a; VXORPS b, b, b

// Y14 and Y15 are the lanes of the last two vectors.

#define ADDROW2(p, a, b, c, d) \
	VADDPS (DX)(p*1), a, a; VADDPS 32(DX)(p*1), b, b; \
	VADDPS 64(DX)(p*1), c, c; VADDPS 96(DX)(p*1), d, d
#define ROWS2 \
	ADDROW2(R12, Y0, Y1, Y2, Y3); ADDROW2(R13, Y4, Y5, Y6, Y7); \
	ADDROW2(R14, Y0, Y1, Y2, Y3); ADDROW2(R15, Y4, Y5, Y6, Y7)
#define ADDROW1(p, a, b) VADDPS (DX)(p*1), a, a; VADDPS 32(DX)(p*1), b, b
#define ROWS1 ADDROW1(R12, Y0, Y1); ADDROW1(R13, Y2, Y3); ADDROW1(R14, Y0, Y1); ADDROW1(R15, Y2, Y3)

// func sumRunsAVX2(a *runArgs)
TEXT ·sumRunsAVX2(SB), NOSPLIT, $16-8
	RUNS
	INCQ CX // lanes of the last 16
	MOVQ $8, R12
	CMPQ CX, $8
	CMOVQLT CX, R12
	SUBQ R12, CX
	LANES(R12, Y14)
	LANES(CX, Y15)
	CMPQ runArgs_lanes(BX), $16
	JEQ run1

run2:
	RUN
	ZERO2(Y0, Y1)
	ZERO2(Y2, Y3)
	ZERO2(Y4, Y5)
	ZERO2(Y6, Y7)
	CMPB runArgs_add(BX), $0
	JEQ sum2
	VMOVUPS (DI), Y0
	VMOVUPS 32(DI), Y1
	VMASKMOVPS 64(DI), Y14, Y2
	VMASKMOVPS 96(DI), Y15, Y3
sum2:
	CMPQ SI, CX
	JEQ end2
	ENTRIES(7, entry2, ROWS2)
end2:
	VADDPS Y4, Y0, Y0
	VADDPS Y5, Y1, Y1
	VADDPS Y6, Y2, Y2
	VADDPS Y7, Y3, Y3
	VMOVUPS Y0, (DI)
	VMOVUPS Y1, 32(DI)
	CMPQ runArgs_width(BX), $32
	JNE part2
	VMOVUPS Y2, 64(DI)
	VMOVUPS Y3, 96(DI)
	JMP next2
part2:
	VMASKMOVPS Y2, Y14, 64(DI)
	VMASKMOVPS Y3, Y15, 96(DI)
next2:
	RUNEND(run2)
	JMP done

run1:
	RUN
	ZERO2(Y0, Y1)
	ZERO2(Y2, Y3)
	CMPB runArgs_add(BX), $0
	JEQ sum1
	VMASKMOVPS (DI), Y14, Y0
	VMASKMOVPS 32(DI), Y15, Y1
sum1:
	CMPQ SI, CX
	JEQ end1
	ENTRIES(6, entry1, ROWS1)
end1:
	VADDPS Y2, Y0, Y0
	VADDPS Y3, Y1, Y1
	VMASKMOVPS Y0, Y14, (DI)
	VMASKMOVPS Y1, Y15, 32(DI)
	RUNEND(run1)
done:
	RESTORE(old-8(SP))
	VZEROUPPER
	RET

#define LANES16 \
	MOVQ $8, R9; \
	CMPQ CX, $8; \
	CMOVQLT CX, R9; \
	SUBQ R9, CX; \
	LANES(R9, Y2); \
	LANES(CX, Y3)
#define COPY16 \
	VMASKMOVPS (SI), Y2, Y0; \
	VMASKMOVPS 32(SI), Y3, Y1; \
	VMOVUPS Y0, (DI); \
	VMOVUPS Y1, 32(DI)

// func copyLanesAVX2(dst, src []float32, stride, width int)
TEXT ·copyLanesAVX2(SB), NOSPLIT, $0-64
	COPYLANES

// func sumGradientsAVX2(a *spikeGradientArgs)
TEXT ·sumGradientsAVX2(SB), NOSPLIT, $32-8
	SUMGRADIENTS
