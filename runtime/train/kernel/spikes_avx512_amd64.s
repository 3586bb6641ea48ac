//go:build !purego

#include "go_asm.h"
#include "textflag.h"
#include "conv_amd64.h"
#include "avx512_amd64.h"
#include "spikes_amd64.h"

#define CLEAR VPXORD

// K1 are the lanes of the last 16, K2 those of out that are added, K3 both.

#define ROWS2 \
	VADDPS (DX)(R12*1), Z0, Z0; VADDPS 64(DX)(R12*1), Z1, Z1; \
	VADDPS (DX)(R13*1), Z2, Z2; VADDPS 64(DX)(R13*1), Z3, Z3; \
	VADDPS (DX)(R14*1), Z0, Z0; VADDPS 64(DX)(R14*1), Z1, Z1; \
	VADDPS (DX)(R15*1), Z2, Z2; VADDPS 64(DX)(R15*1), Z3, Z3
#define ROWS1 \
	VADDPS (DX)(R12*1), Z0, Z0; VADDPS (DX)(R13*1), Z1, Z1; \
	VADDPS (DX)(R14*1), Z2, Z2; VADDPS (DX)(R15*1), Z3, Z3

// func sumRunsAVX512(a *runArgs)
TEXT ·sumRunsAVX512(SB), NOSPLIT, $16-8
	RUNS
	MOVL $2, AX
	SHLL CX, AX
	DECL AX
	KMOVW AX, K1
	KXORW K2, K2, K2
	CMPB runArgs_add(BX), $0
	JEQ fresh
	KXNORW K2, K2, K2
fresh:
	KANDW K1, K2, K3
	CMPQ runArgs_lanes(BX), $16
	JEQ run1
run2:
	RUN
	VMOVUPS.Z (DI), K2, Z0
	VMOVUPS.Z 64(DI), K3, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	CMPQ SI, CX
	JEQ end2
	ENTRIES(7, entry2, ROWS2)
end2:
	VADDPS Z2, Z0, Z0
	VADDPS Z3, Z1, Z1
	VMOVUPS Z0, (DI)
	VMOVUPS Z1, K1, 64(DI)
	RUNEND(run2)
	JMP done
run1:
	RUN
	VMOVUPS.Z (DI), K3, Z0
	VPXORD Z1, Z1, Z1
	VPXORD Z2, Z2, Z2
	VPXORD Z3, Z3, Z3
	CMPQ SI, CX
	JEQ end1
	ENTRIES(6, entry1, ROWS1)
end1:
	VADDPS Z1, Z0, Z0
	VADDPS Z3, Z2, Z2
	VADDPS Z2, Z0, Z0
	VMOVUPS Z0, K1, (DI)
	RUNEND(run1)
done:
	RESTORE(old-8(SP))
	VZEROUPPER
	RET

#define LANES16 MOVL $1, AX; SHLL CX, AX; DECL AX; KMOVW AX, K1
#define COPY16 VMOVUPS.Z (SI), K1, Z0; VMOVUPS Z0, (DI)

// func copyLanesAVX512(dst, src []float32, stride, width int)
TEXT ·copyLanesAVX512(SB), NOSPLIT, $0-64
	COPYLANES

// func sumGradientsAVX512(a *spikeGradientArgs)
TEXT ·sumGradientsAVX512(SB), NOSPLIT, $32-8
	SUMGRADIENTS
