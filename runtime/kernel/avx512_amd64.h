// Vectors of avx512: 16 floats, VB bytes.
#define VB 64
#define VL 16
#define V0 Z0
#define V1 Z1
#define V2 Z2
#define V3 Z3
#define V4 Z4
