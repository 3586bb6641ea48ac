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
	"Resize":                bindResize,
	"Upsample":              bindResize,
	"Dropout":               bindDropout,

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
	"Softmax":         viewedAt(op.SoftmaxOf, runSoftmax),

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

	// reductions
	"ReduceSum":  reduceOp(sumOf),
	"ReduceMean": reduceOp(meanOf),
	"ReduceMax":  reduceOp(largestOf),
	"ReduceMin":  reduceOp(smallestOf),
	"ReduceProd": reduceOp(productOf),
	"ReduceL2":   reduceOp(normOf),
	"ArgMax":     viewed(op.ArgOf, runArgMax),

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
	"Gather":          viewed(op.GatherOf, runGather),
	"DepthToSpace":    bindBlock(false),
	"SpaceToDepth":    bindBlock(true),
	"Shape":           viewed(op.ShapeOf, runShape),
	"Size":            plain(size),
	"Cast":            bindCast,
	"Constant":        bindConstant,
	"ConstantOfShape": bindConstantOfShape,
	"Range":           plain(arithmeticSequence),

	// quantisation
	"QuantizeLinear":   viewed(op.QuantizeOf, runQuantize),
	"DequantizeLinear": viewed(op.QuantizeOf, runDequantize),
}

// refused says why operators of the table of package op are not run.
var refused = map[string]string{
	"If":   ": control flow over subgraphs is not supported",
	"Loop": ": control flow over subgraphs is not supported",
	"Scan": ": control flow over subgraphs is not supported",
}

// aliases lists the operators whose first output shares the first input.
var aliases = map[string]bool{
	"Cast": true, "Dropout": true, "Flatten": true, "Identity": true,
	"Reshape": true, "Squeeze": true, "Unsqueeze": true,
}
