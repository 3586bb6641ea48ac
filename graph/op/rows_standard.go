package op

import "spikingir/graph"

// rows is the table by domain. A form is stated where the standard changed the
// number of inputs or outputs or the attributes.
var rows = map[string][]row{
	"":            joined(layerRows, activationRows, arithmeticRows, shapeRows, otherRows, analogRows),
	graph.Spiking: spikingRows,
}

// omissible names the inputs that may be omitted though later ones are there.
var omissible = map[string][]int{"Resize": {1, 2}, "Loop": {0, 1}, "IF": {1}, "MPRN": {1},
	"TwoPhaseIF": {1}, "TwoPhaseMPRN": {1}, "BurstIF": {1}, "MultiThresholdIF": {1}, "SignedIF": {1}}

func joined(lists ...[]row) (all []row) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

var layerRows = []row{
	{"Conv", []form{{6, twoThree, one, convAttrs}}, 0, LinearConst, foldable,
		"convolution over the spatial axes"},
	{"ConvTranspose", []form{{6, twoThree, one,
		convAttrs + " output_padding=ints output_shape=ints"}}, 0, LinearConst, foldable,
		"transposed convolution"},
	{"Gemm", []form{
		{7, three, one, "alpha=float beta=float transA=int transB=int"},
		{11, twoThree, one, "alpha=float beta=float transA=int transB=int"},
	}, 0, LinearConst, foldable, "matrix product with scale and bias"},
	{"MatMul", []form{{6, two, one, ""}}, 0, LinearConst, foldable, "matrix product of stacks"},
	{"Einsum", []form{{12, variadic, one, "equation=string!"}}, 0, LinearConst, foldable,
		"sums of products by the letters of axes"},
	{"BatchNormalization", []form{
		{6, Arity{5, 5}, Arity{1, 5}, "epsilon=float is_test=int momentum=float spatial=int"},
		{7, Arity{5, 5}, Arity{1, 5}, "epsilon=float momentum=float spatial=int"},
		{9, Arity{5, 5}, Arity{1, 5}, "epsilon=float momentum=float"},
		{14, Arity{5, 5}, oneThree, "epsilon=float momentum=float training_mode=int"},
	}, 0, LinearConst, foldable, "normalisation per channel by stored statistics"},
	{"InstanceNormalization", []form{{6, three, one, "epsilon=float"}}, 0, Nonlinear, foldable,
		"normalisation of each channel of each image"},
	{"LayerNormalization", []form{{17, twoThree, oneThree,
		"axis=int epsilon=float stash_type=int"}}, 0, Nonlinear, foldable,
		"normalisation over the last axes"},
	{"AveragePool", []form{
		{6, one, one, poolAttrs}, {7, one, one, poolAttrs + "count_include_pad=int"},
		{10, one, one, pool10}, {19, one, one, pool10 + "dilations=ints"},
	}, 0, Linear, foldable, "mean of each window"},
	{"MaxPool", []form{
		{6, one, one, poolAttrs}, {8, one, oneTwo, max8},
		{10, one, oneTwo, max8 + "ceil_mode=int dilations=ints"},
	}, 0, Nonlinear, foldable, "largest element of each window"},
	{"LpPool", []form{
		{6, one, one, poolAttrs + "p=int"},
		{18, one, one, poolAttrs + "p=int ceil_mode=int dilations=ints"},
	}, 0, Nonlinear, foldable, "norm of each window"},
	{"GlobalAveragePool", []form{{1, one, one, ""}}, 0, Linear, foldable, "mean of each channel"},
	{"GlobalMaxPool", []form{{1, one, one, ""}}, 0, Nonlinear, foldable,
		"largest element of each channel"},
	{"Resize", []form{
		{10, two, one, "mode=string"}, {11, Arity{3, 4}, one, resize11}, {13, Arity{1, 4}, one, resize11},
		{18, Arity{1, 4}, one, resize11 + "antialias=int axes=ints keep_aspect_ratio_policy=string"},
	}, 0, LinearConst, foldable, "resampling to other sizes"},
	{"Upsample", []form{
		{7, one, one, "mode=string scales=floats!"}, {9, two, one, "mode=string"},
	}, 9, LinearConst, foldable, "resampling by factors; Resize took its place"},
	{"Dropout", []form{
		{6, one, oneTwo, "is_test=int ratio=float"}, {7, one, oneTwo, "ratio=float"},
		{12, oneThree, oneTwo, "seed=int"},
	}, 0, Linear, elementwise, "identity, except in training"},
}

var activationRows = []row{
	unary("Relu", 6, "", "max(x, 0)"),
	unary("LeakyRelu", 6, "alpha=float", "x or alpha*x"),
	binary("PRelu", 7, Nonlinear, "x or slope*x, the slope a tensor"),
	{"Clip", []form{{6, one, one, "max=float min=float"}, {11, oneThree, one, ""}},
		0, Nonlinear, elementwise | foldable, "x limited to a range"},
	unary("Elu", 6, "alpha=float", "x or alpha*(exp(x)-1)"),
	unary("Selu", 6, "alpha=float gamma=float", "gamma times Elu"),
	unary("Celu", 12, "alpha=float", "x or alpha*(exp(x/alpha)-1)"),
	unary("HardSigmoid", 6, "alpha=float beta=float", "alpha*x + beta limited to [0, 1]"),
	unary("HardSwish", 14, "", "x times HardSigmoid with alpha 1/6, beta 1/2"),
	unary("Softplus", 1, "", "log(exp(x)+1)"),
	unary("Softsign", 1, "", "x/(1+|x|)"),
	unary("Gelu", 20, "approximate=string", "x times the normal distribution function"),
	unary("Mish", 18, "", "x times tanh of Softplus"),
	unary("ThresholdedRelu", 10, "alpha=float", "x where it is above alpha, else 0"),
	unary("Sigmoid", 6, "", "1/(1+exp(-x))"),
	unary("Tanh", 6, "", "hyperbolic tangent"),
	{"Softmax", []form{{6, one, one, "axis=int"}}, 0, Nonlinear, foldable,
		"exp(x) over its sum along an axis"},
}

var arithmeticRows = []row{
	unary("Erf", 9, "", "error function"),
	unary("Exp", 6, "", "exponential"),
	unary("Log", 6, "", "natural logarithm"),
	unary("Sqrt", 6, "", "square root"),
	unary("Abs", 6, "", "absolute value"),
	{"Neg", []form{{6, one, one, ""}}, 0, Linear, elementwise | foldable, "-x"},
	unary("Floor", 6, "", "largest integer not above x"),
	unary("Ceil", 6, "", "smallest integer not below x"),
	unary("Round", 11, "", "nearest integer, halves to even"),
	unary("Sign", 9, "", "-1, 0 or 1"),
	unary("Reciprocal", 6, "", "1/x"),
	unary("Sin", 7, "", "sine"),
	unary("Cos", 7, "", "cosine"),
	unary("Not", 1, "", "logical not"),
	binary("Add", 7, Linear, "sum"),
	binary("Sub", 7, Linear, "difference"),
	binary("Mul", 7, LinearConst, "product"),
	binary("Div", 7, LinearConst, "quotient, linear in the numerator; of integers towards zero"),
	binary("Pow", 7, Nonlinear, "power"),
	{"Mod", []form{{10, two, one, "fmod=int"}}, 0, Nonlinear, elementwise | foldable, "remainder"},
	binary("Equal", 7, Nonlinear, "comparison"),
	binary("Less", 7, Nonlinear, "comparison"),
	binary("LessOrEqual", 12, Nonlinear, "comparison"),
	binary("Greater", 7, Nonlinear, "comparison"),
	binary("GreaterOrEqual", 12, Nonlinear, "comparison"),
	binary("And", 7, Nonlinear, "logical and"),
	binary("Or", 7, Nonlinear, "logical or"),
	manyToOne("Min", Nonlinear, "smallest"),
	manyToOne("Max", Nonlinear, "largest"),
	manyToOne("Sum", Linear, "sum"),
	manyToOne("Mean", Linear, "mean"),
	{"Where", []form{{9, three, one, ""}}, 0, LinearConst, elementwise | foldable,
		"one of two tensors by a condition"},
	reduction("ReduceMean", 18, Linear, "mean over axes"),
	reduction("ReduceSum", 13, Linear, "sum over axes"),
	reduction("ReduceMax", 18, Nonlinear, "largest over axes"),
	reduction("ReduceMin", 18, Nonlinear, "smallest over axes"),
	reduction("ReduceProd", 18, Nonlinear, "product over axes"),
	reduction("ReduceL2", 18, Nonlinear, "Euclidean norm over axes"),
	{"ArgMax", []form{
		{6, one, one, "axis=int keepdims=int"},
		{12, one, one, "axis=int keepdims=int select_last_index=int"},
	}, 0, Nonlinear, foldable, "index of the largest along an axis"},
}

var shapeRows = []row{
	{"Concat", []form{{6, variadic, one, "axis=int!"}}, 0, Linear, foldable, "joined along an axis"},
	{"Split", []form{
		{6, one, variadic, "axis=int split=ints"}, {13, oneTwo, variadic, "axis=int"},
		{18, oneTwo, variadic, "axis=int num_outputs=int"},
	}, 0, LinearConst, foldable, "cut along an axis"},
	{"Slice", []form{
		{6, one, one, "axes=ints ends=ints! starts=ints!"}, {10, Arity{3, 5}, one, ""},
	}, 0, LinearConst, foldable, "range of each axis"},
	{"Reshape", []form{{6, two, one, ""}, {14, two, one, "allowzero=int"}}, 0, LinearConst,
		foldable, "the same elements under another shape"},
	{"Flatten", []form{{6, one, one, "axis=int"}}, 0, Linear, foldable, "the elements as a matrix"},
	{"Transpose", []form{{6, one, one, "perm=ints"}}, 0, Linear, foldable, "axes permuted"},
	{"Squeeze", []form{{6, one, one, "axes=ints"}, {13, oneTwo, one, ""}}, 0, LinearConst,
		foldable, "axes of size 1 dropped"},
	{"Unsqueeze", []form{{6, one, one, "axes=ints!"}, {13, two, one, ""}}, 0, LinearConst,
		foldable, "axes of size 1 inserted"},
	{"Pad", []form{
		{6, one, one, "mode=string pads=ints! value=float"}, {11, twoThree, one, "mode=string"},
		{18, Arity{2, 4}, one, "mode=string"},
	}, 0, LinearConst, foldable, "elements added around"},
	{"DepthToSpace", []form{
		{6, one, one, "blocksize=int!"}, {11, one, one, "blocksize=int! mode=string"},
	}, 0, Linear, foldable, "channels to blocks of pixels"},
	{"SpaceToDepth", []form{{6, one, one, "blocksize=int!"}}, 0, Linear, foldable,
		"blocks of pixels to channels"},
	{"Gather", []form{{6, two, one, "axis=int"}}, 0, LinearConst, foldable, "slices by index"},
	{"Expand", []form{{8, two, one, ""}}, 0, LinearConst, foldable, "broadcast to a shape"},
	{"Tile", []form{{6, two, one, ""}}, 0, LinearConst, foldable, "repeated along axes"},
}

var otherRows = []row{
	{"Identity", []form{{6, one, one, ""}}, 0, Linear, elementwise | foldable, "the input"},
	{"Cast", []form{{6, one, one, "to=int!"}, {19, one, one, "saturate=int to=int!"},
		{24, one, one, "round_mode=string saturate=int to=int!"}}, 0,
		Nonlinear, elementwise | foldable, "another element type"},
	{"QuantizeLinear", []form{
		{10, twoThree, one, ""}, {13, twoThree, one, "axis=int"}, {19, twoThree, one, "axis=int saturate=int"},
		{21, twoThree, one, "axis=int block_size=int output_dtype=int saturate=int"},
		{23, twoThree, one, "axis=int block_size=int output_dtype=int precision=int saturate=int"},
	}, 0, Nonlinear, foldable, "x/scale + zero, rounded to an integer type"},
	{"DequantizeLinear", []form{
		{10, twoThree, one, ""}, {13, twoThree, one, "axis=int"}, {21, twoThree, one, "axis=int block_size=int"},
		{23, twoThree, one, "axis=int block_size=int output_dtype=int"},
	}, 0, Nonlinear, foldable, "(x - zero) * scale"},
	{"Constant", []form{
		{6, Arity{0, 0}, one, "value=tensor!"}, {11, Arity{0, 0}, one, valueAttrs},
		{12, Arity{0, 0}, one, valueAttrs + "value_float=float value_floats=floats value_int=int " +
			"value_ints=ints value_string=string value_strings=strings"},
	}, 0, Nonlinear, foldable, "the tensor stated"},
	{"ConstantOfShape", []form{{9, one, one, "value=tensor"}}, 0, Nonlinear, foldable,
		"one number in every place"},
	{"Shape", []form{{6, one, one, ""}, {15, one, one, "end=int start=int"}}, 0, Nonlinear,
		foldable, "dimensions of the input"},
	{"Size", []form{{6, one, one, ""}}, 0, Nonlinear, foldable, "number of elements"},
	{"Range", []form{{11, three, one, ""}}, 0, Nonlinear, foldable, "arithmetic sequence"},
	{"If", []form{{6, one, variadic, "else_branch=graph! then_branch=graph!"}}, 0, Nonlinear, 0,
		"one of two subgraphs"},
	{"Loop", []form{
		{6, Arity{3, -1}, variadic, "body=graph!"}, {11, Arity{2, -1}, variadic, "body=graph!"},
	}, 0, Nonlinear, 0, "a subgraph repeated"},
	{"Scan", []form{{9, variadic, variadic, scan9}}, 0, Nonlinear, 0,
		"a subgraph over slices of its inputs"},
}

var spikingRows = []row{
	{"Encode", []form{{1, one, one, steps}}, 0, Timed, 0, "the input at the main timesteps"},
	{"Bias", []form{{1, two, one, steps}}, 0, Timed, 0, "a current of the main timesteps"},
	{"IF", []form{{1, three, oneTwo, steps + "v0=float"}}, 0, Timed, 0,
		"integrate-and-fire neuron, soft reset"},
	{"MPRN", []form{{1, Arity{4, 4}, oneTwo, steps + "v0=float"}}, 0, Timed, 0,
		"membrane-potential reuse neuron: IF with a post step"},
	{"TwoPhaseIF", []form{{2, three, oneTwo, steps + "v0=float"}}, 0, Timed, 0,
		"IF that integrates all slices before it fires"},
	{"TwoPhaseMPRN", []form{{2, Arity{4, 4}, oneTwo, steps + "v0=float"}}, 0, Timed, 0,
		"MPRN that integrates all slices before it fires"},
	{"BurstIF", []form{{3, three, oneTwo, steps + "v0=float burst=int"}}, 0, Timed, 0,
		"IF that fires several times a step"},
	{"MultiThresholdIF", []form{{3, three, oneTwo, steps + "v0=float finest=float"}}, 0, Timed, 0,
		"IF with several thresholds, each half of the one before"},
	{"SignedIF", []form{{3, three, oneTwo, steps + "v0=float"}}, 0, Timed, 0,
		"IF that takes spikes back by negative ones"},
	{"Decode", []form{{1, one, one, steps}}, 0, Timed, 0, "rate over the main timesteps"},
	{"CPM", []form{{1, Arity{3, 4}, one, steps + convAttrs}}, 0, Timed, 0,
		"convolution of the rate plus the residual potential"},
}
