// Instructions on tiles of terms. The assembler knows no AMX instruction: these are their
// bytes.

#define LDTILECFG_R11 BYTE $0xc4; BYTE $0xc2; BYTE $0x78; BYTE $0x49; BYTE $0x03
#define TILERELEASE BYTE $0xc4; BYTE $0xe2; BYTE $0x78; BYTE $0x49; BYTE $0xc0
#define TILEZERO(t) BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x49; BYTE $(0xc0+8*t)

// TILELOADD Tt, [DX+R9], the right factor; [DI+R8], the left; [AX+SI], sums
#define LOAD_RIGHT(t) BYTE $0xc4; BYTE $0xa2; BYTE $0x7b; BYTE $0x4b; BYTE $(0x04+8*t); BYTE $0x0a
#define LOAD_LEFT(t) BYTE $0xc4; BYTE $0xa2; BYTE $0x7b; BYTE $0x4b; BYTE $(0x04+8*t); BYTE $0x07
#define LOAD_SUMS(t) BYTE $0xc4; BYTE $0xe2; BYTE $0x7b; BYTE $0x4b; BYTE $(0x04+8*t); BYTE $0x30
// TILESTORED [AX+SI], Tt
#define STORE_SUMS(t) BYTE $0xc4; BYTE $0xe2; BYTE $0x7a; BYTE $0x4b; BYTE $(0x04+8*t); BYTE $0x30
// TDPBF16PS: Tc += Ta x Tb
#define PRODUCT(c, a, b) BYTE $0xc4; BYTE $0xe2; BYTE $(0x7a-8*b); BYTE $0x5c; BYTE $(0xc0+8*c+a)

// TILELOADD Tt, [DI+R9], the right factor
#define LOAD_RIGHT_DI(t) BYTE $0xc4; BYTE $0xa2; BYTE $0x7b; BYTE $0x4b; BYTE $(0x04+8*t); BYTE $0x0f
