package grad

import (
	"strings"

	"spikingir/graph/op"
)

// binders lists the operators that have gradients, by type.
var binders = map[string]binder{
	// layers
	"Conv":                  bindConv,
	"ConvTranspose":         bindConvTranspose,
	"Gemm":                  bindGemm,
	"MatMul":                always(matMul),
	"BatchNormalization":    bindBatchNorm,
	"InstanceNormalization": bindInstanceNorm,
	"LayerNormalization":    bindLayerNorm,
	"AveragePool":           bindPool((*pooling).average),
	"MaxPool":               bindPool((*pooling).largest),
	"LpPool":                bindPool((*pooling).norm),
	"GlobalAveragePool":     always(globalPool(meanOf)),
	"GlobalMaxPool":         always(globalPool(extremeOf)),
	"Resize":                bindResize,
	"Upsample":              bindResize,
	"Dropout":               always(pass),

	// activations
	"Relu":            plain(relu),
	"LeakyRelu":       activation(op.ActivationOf, leakyRelu),
	"PRelu":           pair(prelu),
	"Clip":            bindClip,
	"Elu":             activation(op.ActivationOf, elu),
	"Selu":            activation(op.ActivationOf, selu),
	"Celu":            activation(op.ActivationOf, celu),
	"HardSigmoid":     activation(op.ActivationOf, hardSigmoid),
	"HardSwish":       plain(hardSwish),
	"Softplus":        plain(softplus),
	"Softsign":        plain(softsign),
	"Gelu":            activation(op.GeluOf, gelu),
	"Mish":            plain(mish),
	"ThresholdedRelu": activation(op.ActivationOf, thresholdedRelu),
	"Sigmoid":         plain(sigmoid),
	"Tanh":            plain(tanh),
	"Softmax":         bindSoftmax,

	// functions of one tensor
	"Erf":        plain(erf),
	"Exp":        plain(exp),
	"Log":        plain(log),
	"Sqrt":       plain(sqrt),
	"Floor":      always(nothing),
	"Ceil":       always(nothing),
	"Round":      always(nothing),
	"Sign":       always(nothing),
	"Sin":        plain(sin),
	"Cos":        plain(cos),
	"Reciprocal": plain(reciprocal),
	"Abs":        plain(abs),
	"Neg":        plain(neg),

	// functions of several tensors
	"Add":   pair(addition),
	"Sub":   pair(subtraction),
	"Mul":   pair(multiplication),
	"Div":   pair(division),
	"Pow":   pair(power),
	"Mod":   pair(remainder),
	"Sum":   always(sum),
	"Mean":  always(mean),
	"Max":   always(extreme),
	"Min":   always(extreme),
	"Where": always(where),

	// reductions
	"ReduceSum":  bindReduce(sumOf),
	"ReduceMean": bindReduce(meanOf),
	"ReduceMax":  bindReduce(extremeOf),
	"ReduceMin":  bindReduce(extremeOf),
	"ReduceProd": bindReduce(productOf),
	"ReduceL2":   bindReduce(normOf),

	// shapes
	"Identity":     always(pass),
	"Reshape":      always(pass),
	"Flatten":      always(pass),
	"Squeeze":      always(pass),
	"Unsqueeze":    always(pass),
	"Cast":         bindCast,
	"Expand":       always(sum),
	"Transpose":    bindMove,
	"Concat":       bindMove,
	"Split":        bindMove,
	"Slice":        bindMove,
	"Pad":          bindMove,
	"Tile":         bindMove,
	"Gather":       bindMove,
	"DepthToSpace": bindMove,
	"SpaceToDepth": bindMove,
	"Range":        always(sequence),
}

// differentiable is the number of inputs that have gradients, the first ones; an
// operator that is not listed has those of all its floating point inputs.
var differentiable = map[string]int{"Resize": 1, "Upsample": 1, "Dropout": 1, "Expand": 1}

// without says why operators of package ops have no gradient.
var without = map[string]string{
	"Not":             logic,
	"And":             logic,
	"Or":              logic,
	"Equal":           logic,
	"Less":            logic,
	"LessOrEqual":     logic,
	"Greater":         logic,
	"GreaterOrEqual":  logic,
	"ArgMax":          "its result is an index",
	"Shape":           "its result is a list of dimensions",
	"Size":            "its result is a number of elements",
	"Constant":        "it has no input",
	"ConstantOfShape": "its input is a list of dimensions",

	"QuantizeLinear":   "its result is integers",
	"DequantizeLinear": "its input is integers",
}

const logic = "its result is bool"

// Operators that only analog parts of foreign models have are run and not trained.
func init() {
	for name := range strings.FieldsSeq(untrained) {
		without[name] = "no gradient of it is known here"
	}
}

const untrained = `Acos Acosh Asin Asinh Atan Atanh Cosh Sinh Tan Shrink Swish IsNaN IsInf BitwiseNot BitwiseAnd BitwiseOr
BitwiseXor BitShift Xor CastLike LogSoftmax Hardmax ReduceL1 ReduceSumSquare ReduceLogSum ReduceLogSumExp ArgMin CumSum TopK
GatherElements GatherND Scatter ScatterElements ScatterND OneHot Compress NonZero EyeLike Trilu ReverseSequence Einsum
GridSample GroupNormalization LpNormalization LRN MeanVarianceNormalization RMSNormalization GlobalLpPool DeformConv
DynamicQuantizeLinear MatMulInteger ConvInteger QLinearMatMul QLinearConv If Loop Scan
SequenceConstruct SequenceEmpty SequenceAt SequenceInsert SequenceErase SequenceLength SplitToSequence ConcatFromSequence`
