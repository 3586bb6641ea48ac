// Vectors of avx2: 8 floats, VB bytes.
#define VB 32
#define VL 8
#define V0 Y0
#define V1 Y1
#define V2 Y2
#define V3 Y3
#define V4 Y4
