// lanes holds 8 lanes that are set, then 8 that are not: a mask of the first n is at
// byte 32-4*n.
DATA lanes<>+0(SB)/8, $-1
DATA lanes<>+8(SB)/8, $-1
DATA lanes<>+16(SB)/8, $-1
DATA lanes<>+24(SB)/8, $-1
DATA lanes<>+32(SB)/8, $0
DATA lanes<>+40(SB)/8, $0
DATA lanes<>+48(SB)/8, $0
DATA lanes<>+56(SB)/8, $0
GLOBL lanes<>(SB), RODATA|NOPTR, $64

// LANES makes m a mask of the first n of 8 lanes, 0 <= n <= 8; n is lost.
#define LANES(n, m) LEAQ lanes<>+32(SB), AX; SHLQ $2, n; SUBQ n, AX; VMOVDQU (AX), m
