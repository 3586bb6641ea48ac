package upgradeopset

import (
	"strings"

	"spikingir/graph"
)

// A rewriter brings a node from the form of opset v-1 to that of v, or refuses
// it.
type rewriter func(u *upgrade, n *graph.Node, v int64) error

// changes is what each opset changed in operators that older ones had, as far
// as a node must change too. A change that only admits more (types, negative
// axes, new optional attributes whose default is the old meaning) needs nothing.
var changes = map[int64]map[string]rewriter{
	9: {
		"BatchNormalization": dropSpatial,
		"Scan":               never("its form of opset 8 has no later one; export at opset 9 or later"),
		"Upsample":           floatsToInput("scales", 1),
	},
	10: {
		"Dropout":  refuseMask,
		"Slice":    sliceToInputs,
		"TopK":     intToInput("k", 1),
		"Upsample": rename("Resize"),
	},
	11: {
		"Clip":    clipToInputs,
		"Pad":     padToInputs,
		"Resize":  resizeTo11,
		"Scatter": rename("ScatterElements"),
	},
	12: {
		"Dropout": ratioToInput,
	},
	13: {
		"Hardmax":    softmaxToOneAxis,
		"LogSoftmax": softmaxToOneAxis,
		"ReduceSum":  intsToInput("axes", 1),
		"Resize":     resizeTo13,
		"Softmax":    softmaxToOneAxis,
		"Split":      intsToInput("split", 1),
		"Squeeze":    intsToInput("axes", 1),
		"Unsqueeze":  intsToInput("axes", 1),
	},
	14: {
		"BatchNormalization": refuseTraining,
	},
	16: {
		"RoiAlign": setDefault("coordinate_transformation_mode", graph.String("output_half_pixel")),
	},
	18: {
		"ReduceL1":        intsToInput("axes", 1),
		"ReduceL2":        intsToInput("axes", 1),
		"ReduceLogSum":    intsToInput("axes", 1),
		"ReduceLogSumExp": intsToInput("axes", 1),
		"ReduceMax":       intsToInput("axes", 1),
		"ReduceMean":      intsToInput("axes", 1),
		"ReduceMin":       intsToInput("axes", 1),
		"ReduceProd":      intsToInput("axes", 1),
		"ReduceSumSquare": intsToInput("axes", 1),
		"Split":           countParts,
	},
	20: {
		"DFT":        dftAxisToInput,
		"GridSample": renameModes,
	},
	21: {
		"GroupNormalization": never("its scale and bias are per channel from opset 21 on, not per group"),
	},
}

// known is the standard operators from opset 7 to 24.
var known = func() map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(names) {
		m[name] = true
	}
	return m
}()

const names = `
Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool
BatchNormalization Bernoulli BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor
BlackmanWindow Cast CastLike Ceil Celu CenterCropPad Clip Col2Im Compress Concat
ConcatFromSequence Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh
CumSum DFT DeformConv DepthToSpace DequantizeLinear Det Div Dropout
DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike Flatten Floor GRU
Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool
Greater GreaterOrEqual GridSample GroupNormalization HammingWindow HannWindow
HardSigmoid HardSwish Hardmax Identity If ImageDecoder InstanceNormalization IsInf
IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax Loop
LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean
MeanVarianceNormalization MelWeightMatrix Min Mish Mod Mul Multinomial Neg
NegativeLogLikelihoodLoss NonMaxSuppression NonZero Not OneHot Optional
OptionalGetElement OptionalHasElement Or PRelu Pad Pow QLinearConv QLinearMatMul
QuantizeLinear RMSNormalization RNN RandomNormal RandomNormalLike RandomUniform RandomUniformLike
Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean
ReduceMin ReduceProd ReduceSum ReduceSumSquare RegexFullMatch Relu Reshape Resize
ReverseSequence RoiAlign RotaryEmbedding Round STFT Scan Scatter ScatterElements ScatterND Selu
SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert
SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size Slice Softmax
SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt
Squeeze StringConcat StringNormalizer StringSplit Sub Sum Swish Tan Tanh TensorScatter TfIdfVectorizer
ThresholdedRelu Tile TopK Transpose Trilu Unique Unsqueeze Upsample Where Xor`
