package ops

import (
	"math"

	"spikingir/graph/op"
	"spikingir/runtime/kernel"
)

// binders lists the operators that can be run, by type.
var binders = map[string]binder{
	// layers
	"Conv":                  bindConv,
	"ConvTranspose":         bindConvTranspose,
	"DeformConv":            bindDeformConv,
	"Gemm":                  viewed(op.GemmOf, runGemm),
	"MatMul":                plain(matMulVectors),
	"BatchNormalization":    bindBatchNorm,
	"InstanceNormalization": viewed(op.InstanceNormOf, runInstanceNorm),
	"LayerNormalization":    viewed(op.LayerNormOf, runLayerNorm),
	"AveragePool":           bindPool((*pooling).average),
	"MaxPool":               bindPool((*pooling).largest),
	"LpPool":                bindPool((*pooling).norm),
	"GlobalAveragePool":     globalPool(meanOf),
	"GlobalMaxPool":         globalPool(largestOf),
	"GlobalLpPool":          viewed(op.GlobalLpPoolOf, runGlobalLpPool),
	"GroupNormalization":    viewedAt(op.GroupNormOf, runGroupNorm),
	"LpNormalization":       viewed(op.LpNormOf, runLpNorm),
	"LRN":                   viewed(op.LRNOf, runLRN),
	"RMSNormalization":      viewed(op.RMSNormOf, runRMSNorm),
	"Resize":                bindResize,
	"Upsample":              bindResize,
	"Dropout":               bindDropout,
	"GridSample":            viewed(op.GridSampleOf, runGridSample),
	"Einsum":                viewed(op.EinsumOf, runEinsum),

	"MeanVarianceNormalization": viewed(op.MeanVarianceNormOf, runMeanVarianceNorm),

	// activations
	"Relu":            plain(numberUnary(kernel.Relu, func(x int64) int64 { return max(x, 0) })),
	"LeakyRelu":       activation(leakyRelu),
	"PRelu":           plain(runPRelu),
	"Clip":            bindClip,
	"Elu":             activation(elu),
	"Selu":            activation(selu),
	"Celu":            activation(celu),
	"HardSigmoid":     activation(hardSigmoid),
	"HardSwish":       mathOp(hardSwish),
	"Softplus":        mathOp(softplus),
	"Softsign":        mathOp(softsign),
	"Gelu":            bindGelu,
	"Mish":            mathOp(mish),
	"ThresholdedRelu": activation(thresholdedRelu),
	"Sigmoid":         mathOp(sigmoid),
	"Tanh":            mathOp(math.Tanh),
	"Softmax":         softmaxLike(softmax),
	"LogSoftmax":      softmaxLike(logSoftmax),
	"Hardmax":         softmaxLike(hardmax),
	"Shrink":          viewed(op.ShrinkOf, runShrink),
	"Swish":           activation(swish),

	// functions of one tensor
	"Erf":        mathOp(math.Erf),
	"Exp":        mathOp(math.Exp),
	"Log":        mathOp(math.Log),
	"Sqrt":       mathOp(math.Sqrt),
	"Floor":      mathOp(math.Floor),
	"Ceil":       mathOp(math.Ceil),
	"Round":      mathOp(math.RoundToEven),
	"Sin":        mathOp(math.Sin),
	"Cos":        mathOp(math.Cos),
	"Reciprocal": plain(floatUnary(reciprocal)),
	"Abs":        plain(numberUnary(rounded(math.Abs), absInt)),
	"Neg":        plain(numberUnary(negate, func(x int64) int64 { return -x })),
	"Sign":       plain(numberUnary(rounded(sign), signInt)),
	"Not":        plain(logicalNot),
	"Tan":        mathOp(math.Tan),
	"Sinh":       mathOp(math.Sinh),
	"Cosh":       mathOp(math.Cosh),
	"Asin":       mathOp(math.Asin),
	"Acos":       mathOp(math.Acos),
	"Atan":       mathOp(math.Atan),
	"Asinh":      mathOp(math.Asinh),
	"Acosh":      mathOp(math.Acosh),
	"Atanh":      mathOp(math.Atanh),
	"IsNaN":      plain(tells(math.IsNaN)),
	"IsInf":      viewed(op.IsInfOf, runIsInf),
	"BitwiseNot": plain(bitwiseNot),

	// functions of several tensors
	"Add":            binaryOp(addition),
	"Sub":            binaryOp(subtraction),
	"Mul":            binaryOp(multiplication),
	"Div":            binaryOp(division),
	"Pow":            plain(runPow),
	"Mod":            viewed(op.ModOf, runMod),
	"Sum":            variadicOp(addition, false),
	"Mean":           variadicOp(addition, true),
	"Max":            variadicOp(maximum, false),
	"Min":            variadicOp(minimum, false),
	"Where":          plain(where),
	"Equal":          plain(equal),
	"Less":           compare(less, func(order int) bool { return order < 0 }),
	"LessOrEqual":    compare(lessOrEqual, func(order int) bool { return order <= 0 }),
	"Greater":        compare(greater, func(order int) bool { return order > 0 }),
	"GreaterOrEqual": compare(greaterOrEqual, func(order int) bool { return order >= 0 }),
	"And":            logical(func(x, y bool) bool { return x && y }),
	"Or":             logical(func(x, y bool) bool { return x || y }),
	"Xor":            logical(func(x, y bool) bool { return x != y }),
	"BitwiseAnd":     bitwise(func(x, y int64) int64 { return x & y }),
	"BitwiseOr":      bitwise(func(x, y int64) int64 { return x | y }),
	"BitwiseXor":     bitwise(func(x, y int64) int64 { return x ^ y }),
	"BitShift":       viewed(op.BitShiftOf, runBitShift),

	// reductions
	"ReduceSum":  reduceOp(sumOf),
	"ReduceMean": reduceOp(meanOf),
	"ReduceMax":  reduceOp(largestOf),
	"ReduceMin":  reduceOp(smallestOf),
	"ReduceProd": reduceOp(productOf),
	"ReduceL2":   reduceOp(normOf),
	"ReduceL1":   reduceOp(absoluteSumOf),
	"ArgMax":     viewed(op.ArgOf, runArgMax),
	"ArgMin":     viewed(op.ArgOf, runArgMin),
	"CumSum":     viewed(op.CumSumOf, runCumSum),
	"TopK":       viewedAt(op.TopKOf, runTopK),

	"ReduceSumSquare": reduceOp(squareSumOf),
	"ReduceLogSum":    reduceOp(logSumOf),
	"ReduceLogSumExp": viewedAt(op.ReduceOf, runLogSumExp),

	// indices
	"Gather":          viewed(op.GatherOf, runGather),
	"GatherElements":  viewed(op.GatherElementsOf, runGatherElements),
	"GatherND":        viewed(op.GatherNDOf, runGatherND),
	"Scatter":         viewed(op.ScatterOf, runScatterElements),
	"ScatterElements": viewed(op.ScatterOf, runScatterElements),
	"ScatterND":       viewed(op.ScatterOf, runScatterND),
	"OneHot":          viewed(op.OneHotOf, runOneHot),
	"Compress":        viewed(op.CompressOf, runCompress),
	"NonZero":         plain(runNonZero),
	"ReverseSequence": viewed(op.ReverseSequenceOf, runReverseSequence),
	"Trilu":           viewed(op.TriluOf, runTrilu),
	"EyeLike":         viewed(op.EyeLikeOf, runEyeLike),

	// shapes
	"Identity":        plain(identity),
	"Reshape":         viewed(op.ReshapeOf, runReshape),
	"Flatten":         viewed(op.FlattenOf, runFlatten),
	"Transpose":       viewed(op.TransposeOf, runTranspose),
	"Squeeze":         viewedAt(op.SqueezeOf, runSqueeze),
	"Unsqueeze":       viewedAt(op.SqueezeOf, runUnsqueeze),
	"Concat":          viewed(op.ConcatOf, runConcat),
	"Split":           viewedAt(op.SplitOf, runSplit),
	"Slice":           viewedAt(op.SliceOf, runSlice),
	"Pad":             viewedAt(op.PadOf, runPad),
	"Tile":            viewed(op.TileOf, runTile),
	"Expand":          viewed(op.ExpandOf, runExpand),
	"DepthToSpace":    bindBlock(false),
	"SpaceToDepth":    bindBlock(true),
	"Shape":           viewed(op.ShapeOf, runShape),
	"Size":            plain(size),
	"Cast":            bindCast,
	"CastLike":        viewed(op.CastLikeOf, runCastLike),
	"Constant":        bindConstant,
	"ConstantOfShape": bindConstantOfShape,
	"Range":           plain(arithmeticSequence),

	// sequences
	"SequenceConstruct":  plain(sequenceConstruct),
	"SequenceEmpty":      viewed(op.SequenceEmptyOf, sequenceEmpty),
	"SequenceAt":         plain(sequenceAt),
	"SequenceInsert":     plain(sequenceInsert),
	"SequenceErase":      plain(sequenceErase),
	"SequenceLength":     plain(sequenceLength),
	"SplitToSequence":    viewed(op.SplitToSequenceOf, splitToSequence),
	"ConcatFromSequence": viewed(op.ConcatFromSequenceOf, concatFromSequence),

	// quantisation
	"QuantizeLinear":   viewed(op.QuantizeOf, runQuantize),
	"DequantizeLinear": viewed(op.QuantizeOf, runDequantize),
	"MatMulInteger":    plain(runMatMulInteger),
	"ConvInteger":      bindConvInteger,
	"QLinearMatMul":    plain(runQLinearMatMul),
	"QLinearConv":      bindQLinearConv,

	"DynamicQuantizeLinear": plain(runDynamicQuantize),
}

// Control flow binds the nodes of its subgraphs by this very list.
func init() {
	binders["If"], binders["Loop"], binders["Scan"] = bindIf, bindLoop, bindScan
}

// ofSequences lists the operators that read sequences.
var ofSequences = map[string]bool{
	"SequenceAt": true, "SequenceInsert": true, "SequenceErase": true, "SequenceLength": true,
	"ConcatFromSequence": true, "Identity": true, "If": true, "Loop": true,
}

// aliases lists the operators whose first output shares the first input.
var aliases = map[string]bool{
	"Cast": true, "Dropout": true, "Flatten": true, "Identity": true,
	"Reshape": true, "Squeeze": true, "Unsqueeze": true,
}
