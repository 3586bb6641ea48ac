package grad

// cases lists small models for every operator and its variants.
var cases = joined(layerCases, poolCases, functionCases, arithmeticCases, reductionCases,
	moveCases, resizeCases)

func joined(lists ...[]testCase) (all []testCase) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

var layerCases = []testCase{
	{17, linear, `(float[2,3,5,4] x, float[4,3,3,3] w, float[4] b) => (float y) { y = Conv <pads = [1, 1, 1, 1]> (x, w, b) }`},
	{17, linear, `(float[1,2,6,7] x, float[3,2,3,2] w) => (float y) { y = Conv <strides = [2, 3], pads = [0, 1, 2, 0]> (x, w) }`},
	{17, linear, `(float[1,2,7,6] x, float[3,2,2,3] w) => (float y) { y = Conv <dilations = [3, 2], pads = [1, 0, 1, 2]> (x, w) }`},
	{17, linear, `(float[1,4,4,5] x, float[6,2,3,3] w, float[6] b) => (float y) { y = Conv <group = 2, pads = [1, 1, 1, 1]> (x, w, b) }`},
	{17, linear, `(float[2,3,4,4] x, float[3,1,3,3] w) => (float y) { y = Conv <group = 3> (x, w) }`},
	{17, linear, `(float[1,2,5,6] x, float[2,2,3,2] w) => (float y) { y = Conv <auto_pad = "SAME_UPPER", strides = [2, 2]> (x, w) }`},
	{17, linear, `(float[1,2,5,6] x, float[2,2,2,4] w) => (float y) { y = Conv <auto_pad = "SAME_LOWER"> (x, w) }`},
	{17, linear, `(float[1,2,5,6] x, float[2,2,2,3] w) => (float y) { y = Conv <auto_pad = "VALID"> (x, w) }`},
	{17, linear, `(float[2,2,9] x, float[3,2,4] w, float[3] b) => (float y) { y = Conv <strides = [2], dilations = [2], pads = [3, 1]> (x, w, b) }`},
	{17, linear, `(float[1,2,3,4,3] x, float[2,1,2,3,2] w, float[2] b) => (float y) { y = Conv <group = 2, strides = [1, 2, 1], pads = [1, 1, 0, 0, 1, 1]> (x, w, b) }`},
	{17, linear, `(float[1,2,5,5] x) => (float y) <float[2,2,3,3] w = ["location": "seed:3"]> { y = Conv (x, w) }`},
	{17, linear, `(float[2,3,4,3] x, float[3,2,3,3] w, float[2] b) => (float y) { y = ConvTranspose (x, w, b) }`},
	{17, linear, `(float[1,2,3,4] x, float[2,3,4,3] w) => (float y) { y = ConvTranspose <strides = [2, 3], pads = [1, 0, 2, 1], output_padding = [1, 2]> (x, w) }`},
	{17, linear, `(float[1,4,3,3] x, float[4,2,2,3] w, float[4] b) => (float y) { y = ConvTranspose <group = 2, dilations = [2, 1], strides = [1, 2]> (x, w, b) }`},
	{17, linear, `(float[1,2,3,3] x, float[2,1,3,3] w, float[1] b) => (float y) { y = ConvTranspose <strides = [2, 2], output_shape = [9, 6]> (x, w, b) }`},
	{17, linear, `(float[1,2,3,3] x, float[2,1,3,4] w) => (float y) { y = ConvTranspose <strides = [2, 2], auto_pad = "SAME_UPPER"> (x, w) }`},
	{17, linear, `(float[1,2,3,3] x, float[2,1,4,3] w) => (float y) { y = ConvTranspose <strides = [2, 1], auto_pad = "SAME_LOWER"> (x, w) }`},
	{17, linear, `(float[2,2,4] x, float[2,3,3] w, float[3] b) => (float y) { y = ConvTranspose <strides = [3], pads = [1, 1]> (x, w, b) }`},
	{17, linear, `(float[1,2,2,3,2] x, float[2,2,2,2,3] w) => (float y) { y = ConvTranspose <strides = [2, 1, 2], pads = [0, 1, 0, 1, 0, 1]> (x, w) }`},
	{17, linear, `(float[3,4] a, float[4,5] b, float[5] c) => (float y) { y = Gemm (a, b, c) }`},
	{17, linear, `(float[4,3] a, float[5,4] b, float[3,1] c) => (float y) { y = Gemm <alpha = 0.5, beta = 2.0, transA = 1, transB = 1> (a, b, c) }`},
	{17, linear, `(float[4,3] a, float[4,5] b) => (float y) { y = Gemm <alpha = 2.0, transA = 1> (a, b) }`},
	{17, linear, `(float[3,4] a, float[5,4] b, float c) => (float y) { y = Gemm <beta = -1.0, transB = 1> (a, b, c) }`},
	{17, linear, `(float[3,4] a, float[4,5] b) => (float y) { y = MatMul (a, b) }`},
	{17, linear, `(float[2,3,4] a, float[4,2] b) => (float y) { y = MatMul (a, b) }`},
	{17, linear, `(float[2,1,3,4] a, float[3,4,2] b) => (float y) { y = MatMul (a, b) }`},
	{17, linear, `(float[4] a, float[2,4,3] b) => (float y) { y = MatMul (a, b) }`},
	{17, linear, `(float[2,3,4] a, float[4] b) => (float y) { y = MatMul (a, b) }`},
	{17, linear, `(float[4] a, float[4] b) => (float y) { y = MatMul (a, b) }`},
	{17, positive, `(float[2,3,2,2] x, float[3] s, float[3] b, float[3] m, float[3] v) => (float y) { y = BatchNormalization <epsilon = 0.01> (x, s, b, m, v) }`},
	{8, positive, `(float[4,3] x, float[3] s, float[3] b, float[3] m, float[3] v) => (float y) { y = BatchNormalization (x, s, b, m, v) }`},
	{17, smooth, `(float[2,3,4,3] x, float[3] s, float[3] b) => (float y) { y = InstanceNormalization <epsilon = 0.1> (x, s, b) }`},
	{17, smooth, `(float[2,2,9] x, float[2] s, float[2] b) => (float y) { y = InstanceNormalization (x, s, b) }`},
	{17, smooth, `(float[2,3,6] x, float[6] s, float[6] b) => (float y) { y = LayerNormalization (x, s, b) }`},
	{17, smooth, `(float[2,3,4] x, float[3,4] s) => (float y) { y = LayerNormalization <axis = 1, epsilon = 0.1> (x, s) }`},
	{17, smooth, `(float[3,5] x, float s, float[1] b) => (float y, float m, float d) { y, m, d = LayerNormalization (x, s, b) }`},
	{17, linear, `(float[3,5] x) => (float y) { y = Dropout (x) }`},
	{17, linear, `(float[3,5] x) => (float y, bool m) <float r = {0.5}> { y, m = Dropout (x, r) }`},
	{7, linear, `(float[3,5] x) => (float y) { y = Dropout <ratio = 0.25> (x) }`},
}

var poolCases = []testCase{
	{17, linear, `(float[2,2,5,6] x) => (float y) { y = AveragePool <kernel_shape = [2, 3]> (x) }`},
	{17, linear, `(float[1,2,6,5] x) => (float y) { y = AveragePool <kernel_shape = [3, 2], strides = [2, 2], pads = [1, 1, 1, 0]> (x) }`},
	{17, linear, `(float[1,2,6,5] x) => (float y) { y = AveragePool <kernel_shape = [3, 2], strides = [2, 3], pads = [1, 1, 1, 0], count_include_pad = 1, ceil_mode = 1> (x) }`},
	{17, linear, `(float[1,2,6,5] x) => (float y) { y = AveragePool <kernel_shape = [3, 3], strides = [2, 2], auto_pad = "SAME_UPPER"> (x) }`},
	{19, linear, `(float[1,1,7,7] x) => (float y) { y = AveragePool <kernel_shape = [2, 3], dilations = [3, 2], count_include_pad = 1, pads = [0, 1, 0, 1]> (x) }`},
	{17, linear, `(float[1,2,7] x) => (float y) { y = AveragePool <kernel_shape = [3], strides = [2]> (x) }`},
	{17, linear, `(float[1,1,3,4,3] x) => (float y) { y = AveragePool <kernel_shape = [2, 2, 2], pads = [0, 1, 0, 0, 0, 1]> (x) }`},
	{17, apart, `(float[2,2,5,6] x) => (float y) { y = MaxPool <kernel_shape = [2, 2], strides = [2, 2]> (x) }`},
	{17, apart, `(float[1,2,5,6] x) => (float y, int64 i) { y, i = MaxPool <kernel_shape = [3, 3], pads = [1, 1, 1, 1], ceil_mode = 1, strides = [2, 2]> (x) }`},
	{17, apart, `(float[1,2,7,6] x) => (float y) { y = MaxPool <kernel_shape = [2, 3], dilations = [2, 2], auto_pad = "VALID"> (x) }`},
	{17, apart, `(float[1,2,9] x) => (float y) { y = MaxPool <kernel_shape = [4], auto_pad = "SAME_LOWER"> (x) }`},
	{17, apart, `(float[1,1,4,3,4] x) => (float y) { y = MaxPool <kernel_shape = [2, 2, 3]> (x) }`},
	{17, apart, `(float[1,2,5,4] x) => (float y) { y = LpPool <kernel_shape = [2, 2]> (x) }`},
	{17, apart, `(float[1,2,5,4] x) => (float y) { y = LpPool <kernel_shape = [3, 2], p = 3, strides = [2, 1], pads = [1, 0, 0, 1]> (x) }`},
	{18, apart, `(float[1,2,5,4] x) => (float y) { y = LpPool <kernel_shape = [2, 2], p = 1, dilations = [2, 1]> (x) }`},
	{17, linear, `(float[2,3,4,2] x) => (float y) { y = GlobalAveragePool (x) }`},
	{17, linear, `(float[2,3,5] x) => (float y) { y = GlobalAveragePool (x) }`},
	{17, apart, `(float[2,3,4,2] x) => (float y) { y = GlobalMaxPool (x) }`},
}

var functionCases = []testCase{
	{17, apart, `(float[3,4] x) => (float y) { y = Relu (x) }`},
	{17, apart, `(float[3,4] x) => (float y) { y = LeakyRelu <alpha = 0.3> (x) }`},
	{17, apart, `(float[2,3,4] x, float[3,1] s) => (float y) { y = PRelu (x, s) }`},
	{17, apart, `(float[2,3,4] x, float[1] s) => (float y) { y = PRelu (x, s) }`},
	{17, apart, `(float[3,4] x, float[3,4] s) => (float y) { y = PRelu (x, s) }`},
	{17, apart, `(float[3,4] x, float[1] s) => (float y) { y = PRelu (x, s) }`},
	{17, apart, `(float[3,4] x) => (float y) <float l = {-0.68}, float h = {1.02}> { y = Clip (x, l, h) }`},
	{17, apart, `(float[3,4] x, float h) => (float y) { y = Clip (x, , h) }`},
	{17, apart, `(float[3,4] x, float[1] l) => (float y) { y = Clip (x, l) }`},
	{17, apart, `(float[3,4] x, float l = {-0.3}, float h = {0.4}) => (float y) { y = Clip (x, l, h) }`},
	{6, apart, `(float[3,4] x) => (float y) { y = Clip <min = -1.36, max = 0.68> (x) }`},
	{17, apart, `(float[3,4] x) => (float y) { y = Elu <alpha = 0.7> (x) }`},
	{17, apart, `(float[3,4] x) => (float y) { y = Selu (x) }`},
	{17, apart, `(float[3,4] x) => (float y) { y = Selu <alpha = 0.5, gamma = 2.0> (x) }`},
	{17, apart, `(float[3,4] x) => (float y) { y = Celu <alpha = 0.6> (x) }`},
	{17, apart, `(float[3,4] x) => (float y) { y = Celu <alpha = -1.5> (x) }`},
	{17, apart, `(float[3,4] x) => (float y) { y = HardSigmoid (x) }`},
	{17, apart, `(float[3,4] x) => (float y) { y = HardSigmoid <alpha = 1.0, beta = 0.32> (x) }`},
	{17, apart, `(float[5,6] x) => (float y) { y = HardSwish (x) }`},
	{17, smooth, `(float[5,6] x) => (float y) { y = Softplus (x) }`},
	{17, apart, `(float[3,4] x) => (float y) { y = Softsign (x) }`},
	{20, smooth, `(float[5,6] x) => (float y) { y = Gelu (x) }`},
	{20, smooth, `(float[5,6] x) => (float y) { y = Gelu <approximate = "tanh"> (x) }`},
	{18, smooth, `(float[5,6] x) => (float y) { y = Mish (x) }`},
	{17, apart, `(float[3,4] x) => (float y) { y = ThresholdedRelu <alpha = 0.35> (x) }`},
	{17, smooth, `(float[5,6] x) => (float y) { y = Sigmoid (x) }`},
	{17, smooth, `(float[5,6] x) => (float y) { y = Tanh (x) }`},
	{17, smooth, `(float[3,4] x) => (float y) { y = Softmax (x) }`},
	{17, smooth, `(float[2,5,3] x) => (float y) { y = Softmax <axis = 1> (x) }`},
	{17, smooth, `(float[2,5,3] x) => (float y) { y = Softmax <axis = -3> (x) }`},
	{11, smooth, `(float[2,3,2] x) => (float y) { y = Softmax (x) }`},
	{17, smooth, `(float[5,6] x) => (float y) { y = Erf (x) }`},
	{17, smooth, `(float[5,6] x) => (float y) { y = Exp (x) }`},
	{17, positive, `(float[5,6] x) => (float y) { y = Log (x) }`},
	{17, positive, `(float[5,6] x) => (float y) { y = Sqrt (x) }`},
	{17, frozen, `(float[3,4] x) => (float y) <float one = {1}> { y = Sign (x) }`},
	{17, frozen, `(float[2,1] x) => (float y) { y = Floor (x) }`},
	{17, frozen, `(float[2,1] x) => (float y) { y = Ceil (x) }`},
	{17, frozen, `(float[2,1] x) => (float y) { y = Round (x) }`},
	{17, smooth, `(float[5,6] x) => (float y) { y = Sin (x) }`},
	{17, smooth, `(float[5,6] x) => (float y) { y = Cos (x) }`},
	{17, positive, `(float[5,6] x) => (float y) { y = Reciprocal (x) }`},
	{17, apart, `(float[5,6] x) => (float y) { y = Abs (x) }`},
	{17, linear, `(float[5,6] x) => (float y) { y = Neg (x) }`},
}

var arithmeticCases = []testCase{
	{17, linear, `(float[2,3,4] x, float[2,3,4] y) => (float z) { z = Add (x, y) }`},
	{17, linear, `(float[2,3,4] x, float[3,1] y) => (float z) { z = Add (x, y) }`},
	{17, linear, `(float[3,1] x, float[2,1,4] y) => (float z) { z = Add (x, y) }`},
	{17, linear, `(float x, float[2,3] y) => (float z) { z = Add (x, y) }`},
	{17, linear, `(float[2,3,4] x, float[4] y) => (float z) { z = Sub (x, y) }`},
	{17, linear, `(float[1,3,1] x, float[2,3,4] y) => (float z) { z = Sub (x, y) }`},
	{17, linear, `(float[2,3,4] x, float[2,3,4] y) => (float z) { z = Mul (x, y) }`},
	{17, linear, `(float[2,3,4,2] x, float[3,1,1] y) => (float z) { z = Mul (x, y) }`},
	{17, linear, `(float[1] x, float[2,3] y) => (float z) { z = Mul (x, y) }`},
	{17, positive, `(float[2,3,4] x, float[3,1] y) => (float z) { z = Div (x, y) }`},
	{17, positive, `(float[4] x, float[2,3,4] y) => (float z) { z = Div (x, y) }`},
	{17, positive, `(float[2,3] x, float[2,3] y) => (float z) { z = Pow (x, y) }`},
	{17, positive, `(float[2,3] x, float[1,3] y) => (float z) { z = Pow (x, y) }`},
	{17, smooth, `(float[5,6] x) => (float z) <float two = {2}> { z = Pow (x, two) }`},
	{17, apart, `(float[3,2] x) => (float z) <int64 three = {3}> { z = Pow (x, three) }`},
	{17, apart, `(float[4] x = {7.5, -6.25, 0.4, 2.5}, float[4] y = {2, -1.5, 3, 1}) => (float z) { z = Mod <fmod = 1> (x, y) }`},
	{17, linear, `(float[2,3] x, float[3] y, float z) => (float s) { s = Sum (x, y, z) }`},
	{17, linear, `(float[2,3] x) => (float s) { s = Sum (x) }`},
	{17, linear, `(float[2,3] x, float[3] y, float z, float[2,1] u) => (float s) { s = Mean (x, y, z, u) }`},
	{17, apart, `(float[4,5] x, float[4,5] y, float[5] z) => (float s) { s = Max (x, y, z) }`},
	{17, apart, `(float[4,5] x, float[4,1] y) => (float s) { s = Min (x, y) }`},
	{17, linear, `(bool[2,3,4] c, float[2,3,4] x, float[2,3,4] y) => (float z) { z = Where (c, x, y) }`},
	{17, linear, `(bool[3,1] c, float[4] x, float[2,1,1] y) => (float z) { z = Where (c, x, y) }`},
	{17, linear, `(float[3,4] x) => (float y) { y = Identity (x) }`},
	{17, linear, `(float[3,4] x) => (double y) { y = Cast <to = 11> (x) }`},
	{17, linear, `(float16[3,4] x) => (float y) { y = Cast <to = 1> (x) }`},
	{17, smooth, `(float s = {0.5}, float d = {1}) => (float y) <float l = {4}> { y = Range (s, l, d) }`},
}

var reductionCases = []testCase{
	{17, linear, `(float[2,3,4] x) => (float y) <int64[2] a = {0, 2}> { y = ReduceSum (x, a) }`},
	{17, linear, `(float[2,3,4] x) => (float y) <int64[1] a = {-2}> { y = ReduceSum <keepdims = 0> (x, a) }`},
	{17, linear, `(float[2,3,4] x) => (float y) { y = ReduceSum <keepdims = 0> (x) }`},
	{17, linear, `(float[2,3,4] x) => (float y) { y = ReduceSum <noop_with_empty_axes = 1> (x) }`},
	{17, linear, `(float[2,3,4] x) => (float y) { y = ReduceMean <axes = [1], keepdims = 0> (x) }`},
	{18, linear, `(float[2,3,4] x) => (float y) <int64[2] a = {1, 2}> { y = ReduceMean (x, a) }`},
	{17, apart, `(float[2,3,4] x) => (float y) { y = ReduceMax <axes = [1, 2], keepdims = 0> (x) }`},
	{17, apart, `(float[2,3,4] x) => (float y) { y = ReduceMax (x) }`},
	{17, apart, `(float[2,3,4] x) => (float y) { y = ReduceMin <axes = [0, 2]> (x) }`},
	{17, positive, `(float[2,3,4] x) => (float y) { y = ReduceProd <axes = [1]> (x) }`},
	{17, whole, `(float[3,4] x = {1, 0, 0, -3, 2, 5, 0, 1, -4, 2, 3, 2}) => (float y) { y = ReduceProd <axes = [0], keepdims = 0> (x) }`},
	{17, apart, `(float[2,3,4] x) => (float y) { y = ReduceL2 <axes = [1]> (x) }`},
	{18, positive, `(float[2,3] x) => (float y) { y = ReduceL2 <noop_with_empty_axes = 1> (x) }`},
}

var moveCases = []testCase{
	{17, linear, `(float[2,3,4] x) => (float y) <int64[2] s = {0, -1}> { y = Reshape (x, s) }`},
	{17, linear, `(float[2,3,4] x) => (float y) { y = Flatten <axis = 2> (x) }`},
	{17, linear, `(float[1,3,1,4] x) => (float y) <int64[1] a = {0}> { y = Squeeze (x, a) }`},
	{11, linear, `(float[1,3,1,4] x) => (float y) { y = Squeeze (x) }`},
	{17, linear, `(float[3,4] x) => (float y) <int64[2] a = {0, 3}> { y = Unsqueeze (x, a) }`},
	{17, linear, `(float[2,3,4] x) => (float y) { y = Transpose (x) }`},
	{17, linear, `(float[2,3,4,2] x) => (float y) { y = Transpose <perm = [0, 2, 3, 1]> (x) }`},
	{17, linear, `(float[2,3,4] x, float[2,1,4] y, float[2,2,4] z) => (float u) { u = Concat <axis = 1> (x, y, z) }`},
	{17, linear, `(float[3,2] x, float[3,1] y) => (float u) { u = Concat <axis = -1> (x, y) }`},
	{17, linear, `(float[2,30] x, float[2,40] y) => (float u) { u = Concat <axis = 1> (x, y) }`},
	{17, linear, `(float[2,7,2] x) => (float a, float b, float c) <int64[3] s = {2, 4, 1}> { a, b, c = Split <axis = 1> (x, s) }`},
	{17, linear, `(float[60,2] x) => (float a, float b) { a, b = Split (x) }`},
	{11, linear, `(float[2,5] x) => (float a, float b) { a, b = Split <axis = 1, split = [2, 3]> (x) }`},
	{17, linear, `(float[4,5,3] x) => (float y) <int64[2] s = {1, -1}, int64[2] e = {4, 0}, int64[2] a = {0, 1}, int64[2] d = {1, -2}> { y = Slice (x, s, e, a, d) }`},
	{17, linear, `(float[4,30] x) => (float y) <int64[1] s = {1}, int64[1] e = {3}> { y = Slice (x, s, e) }`},
	{9, linear, `(float[4,5] x) => (float y) { y = Slice <starts = [1], ends = [3], axes = [1]> (x) }`},
	{17, linear, `(float[2,3,4] x) => (float y) <int64[6] p = {0, 1, 2, 1, 0, 1}> { y = Pad (x, p) }`},
	{17, linear, `(float[3,4] x, float v) => (float y) <int64[4] p = {1, -1, 0, 2}> { y = Pad (x, p, v) }`},
	{17, linear, `(float[3,40] x, float v) => (float y) <int64[4] p = {1, 20, 0, 10}> { y = Pad (x, p, v) }`},
	{17, linear, `(float[3,4] x) => (float y) <int64[4] p = {2, 3, 1, 2}> { y = Pad <mode = "reflect"> (x, p) }`},
	{17, linear, `(float[3,4] x) => (float y) <int64[4] p = {4, 1, 6, 2}> { y = Pad <mode = "edge"> (x, p) }`},
	{19, linear, `(float[3,4] x) => (float y) <int64[4] p = {2, 1, 4, 5}> { y = Pad <mode = "wrap"> (x, p) }`},
	{18, linear, `(float[3,4] x) => (float y) <int64[2] p = {2, 1}, int64[1] a = {-1}> { y = Pad (x, p, , a) }`},
	{10, linear, `(float[3,4] x) => (float y) { y = Pad <pads = [1, 0, 0, 2], value = 13.0> (x) }`},
	{17, linear, `(float[2,3] x) => (float y) <int64[2] r = {3, 2}> { y = Tile (x, r) }`},
	{17, linear, `(float[2,3] x) => (float y) <int64[2] r = {5, 4}> { y = Tile (x, r) }`},
	{17, linear, `(float[2,20] x) => (float y) <int64[2] r = {12, 1}> { y = Tile (x, r) }`},
	{17, linear, `(float[3,1] x) => (float y) <int64[3] s = {2, 1, 4}> { y = Expand (x, s) }`},
	{17, linear, `(float x) => (float y) <int64[2] s = {2, 3}> { y = Expand (x, s) }`},
	{17, linear, `(float[4,3] x) => (float y) <int64[2,2] i = {0, 3, -1, 0}> { y = Gather (x, i) }`},
	{17, linear, `(float[2,4,3] x) => (float y) <int64 i = {2}> { y = Gather <axis = 1> (x, i) }`},
	{17, linear, `(float[2,3] x) => (float y) <int32[12] i = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0}> { y = Gather <axis = 1> (x, i) }`},
	{17, linear, `(float[1,8,2,3] x) => (float y) { y = DepthToSpace <blocksize = 2> (x) }`},
	{17, linear, `(float[2,4,2,3] x) => (float y) { y = DepthToSpace <blocksize = 2, mode = "CRD"> (x) }`},
	{17, linear, `(float[2,1,6,3] x) => (float y) { y = SpaceToDepth <blocksize = 3> (x) }`},
}

var resizeCases = append(resizeModes(), []testCase{
	{19, linear, `(float[1,2,4,5] x) => (float y) <float[4] s = {1, 1, 0.6, 0.5}> { y = Resize <mode = "cubic", antialias = 1> (x, , s) }`},
	{19, linear, `(float[1,2,7,6] x) => (float y) <int64[2] s = {3, 4}> { y = Resize <mode = "linear", antialias = 1, axes = [2, 3]> (x, , , s) }`},
	{19, linear, `(float[1,2,4,5] x) => (float y) <int64[2] s = {6, 6}> { y = Resize <mode = "linear", axes = [3, 2], keep_aspect_ratio_policy = "not_larger"> (x, , , s) }`},
	{13, linear, `(float[1,1,4,5] x) => (float y) <float[4] s = {1, 1, 1.6, 2.5}> { y = Resize <mode = "cubic", cubic_coeff_a = -0.5, exclude_outside = 1> (x, , s) }`},
	{13, linear, `(float[1,2,4,5] x) => (float y) <float[4] s = {1, 1, 2, 1}> { y = Resize <mode = "nearest", nearest_mode = "ceil"> (x, , s) }`},
	{13, linear, `(float[1,2,4,5] x) => (float y) <float[4] s = {1, 1, 1.5, 0.7}> { y = Resize <nearest_mode = "round_prefer_ceil"> (x, , s) }`},
	{13, linear, `(float[1,2,4,5] x) => (float y) <float[4] s = {1, 2, 1, 1.5}> { y = Resize <mode = "linear"> (x, , s) }`},
	{13, linear, `(float[3,4] x) => (float y) <int64[2] s = {3, 4}> { y = Resize <mode = "linear"> (x, , , s) }`},
	{10, linear, `(float[1,2,3,4] x) => (float y) <float[4] s = {1, 1, 2, 3}> { y = Resize (x, s) }`},
	{9, linear, `(float[1,2,3,4] x) => (float y) <float[4] s = {1, 1, 2, 1.5}> { y = Upsample <mode = "linear"> (x, s) }`},
	{7, linear, `(float[1,2,3,4] x) => (float y) { y = Upsample <scales = [1.0, 1.0, 2.0, 2.0]> (x) }`},
}...)

// resizeModes is every mode with every coordinate transformation, up and down.
func resizeModes() (list []testCase) {
	const sizes = `<int64[4] s = {1, 1, 6, 3}>`
	for _, mode := range []string{"nearest", "linear", "cubic"} {
		for _, coordinate := range []string{"half_pixel", "half_pixel_symmetric", "pytorch_half_pixel",
			"align_corners", "asymmetric", "tf_half_pixel_for_nn"} {
			list = append(list, testCase{19, linear, `(float[1,1,4,5] x) => (float y) ` + sizes +
				` { y = Resize <mode = "` + mode + `", coordinate_transformation_mode = "` + coordinate +
				`"> (x, , , s) }`})
		}
		list = append(list, testCase{13, linear, `(float[1,1,4,5] x) => (float y)
			<int64[4] s = {1, 1, 6, 3}, float[8] r = {0, 0, -0.2, 0.1, 1, 1, 0.8, 1.3}> { y = Resize <mode = "` + mode +
			`", coordinate_transformation_mode = "tf_crop_and_resize", extrapolation_value = 3.0> (x, r, , s) }`})
	}
	return list
}

// larger lists linear models with sums over many stretches.
var larger = []testCase{
	{17, linear, `(float[2,8,19,23] x, float[6,4,3,3] w, float[6] b) => (float y) { y = Conv <group = 2, pads = [1, 1, 1, 1]> (x, w, b) }`},
	{17, linear, `(float[2,6,13,11] x, float[6,5,4,4] w, float[5] b) => (float y) { y = ConvTranspose <strides = [2, 2], pads = [1, 1, 1, 1]> (x, w, b) }`},
	{17, linear, `(float[2,150,90] x, float[90,70] w) => (float y) { y = MatMul (x, w) }`},
	{17, linear, `(float[150,90] x, float[70,150] w, float[70] b) => (float y) { y = Gemm <transA = 1, transB = 1> (x, w, b) }`},
	{17, linear, `(float[2,16,30,31] x, float[16,1,1] y) => (float z) { z = Mul (x, y) }`},
	{17, linear, `(float[2,16,21,20] x) => (float y) { y = DepthToSpace <blocksize = 4> (x) }`},
	{17, linear, `(float[2,3,21,20] x) => (float y) <float[4] s = {1, 1, 4, 0.5}> { y = Resize <mode = "cubic"> (x, , s) }`},
}
