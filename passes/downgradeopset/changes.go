package downgradeopset

import (
	"slices"

	"spikingir/graph"
)

// A rewriter brings a node from the form of opset v to that of v-1, or refuses it.
type rewriter func(d *downgrade, n *graph.Node, v int64) error

// changes is what each opset changed in operators that older ones had, and what can be said
// of those that it introduced, as far as a node must change. Attributes that have their default
// fall away without.
var changes = map[int64]map[string]rewriter{
	24: {"Swish": swish},
	21: {"GroupNormalization": never("its scale and bias are per channel from opset 21 on, not per group")},
	20: {"Gelu": gelu, "GridSample": renameModes},
	19: {"Pad": onlyModes("mode", "constant", "reflect", "edge"),
		"Resize": onlyModes("coordinate_transformation_mode", "half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize")},
	18: {
		"Mish": mish, "Pad": padAllAxes, "Resize": resizeAllAxes, "Split": splitInParts,
		"ReduceL1": reduceAxes, "ReduceL2": reduceAxes, "ReduceLogSum": reduceAxes, "ReduceLogSumExp": reduceAxes,
		"ReduceMax": reduceAxes, "ReduceMean": reduceAxes, "ReduceMin": reduceAxes, "ReduceProd": reduceAxes,
		"ReduceSumSquare": reduceAxes,
		"ScatterElements": onlyModes("reduction", "none", "add", "mul"), "ScatterND": onlyModes("reduction", "none", "add", "mul"),
	},
	15: {"CastLike": castLike, "Shape": shapeSlice},
	14: {"HardSwish": hardSwish},
	13: {
		"DequantizeLinear": oneScale, "QuantizeLinear": oneScale,
		"Hardmax": softmaxOfLast, "LogSoftmax": softmaxOfLast, "Softmax": softmaxOfLast,
		"ReduceSum": reduceAxes, "Resize": resizeStateAll,
		"Split": toInts("split", 1), "Squeeze": toInts("axes", 1), "Unsqueeze": toInts("axes", 1),
	},
	12: {
		"Clip": onlyFloats, "Constant": constantTensor, "Dropout": dropoutRatio, "Max": onlyFloats, "Min": onlyFloats,
		"GreaterOrEqual": negated("Less"), "LessOrEqual": negated("Greater"), "Pow": samePower,
	},
	11: {
		"Clip": clipToAttributes, "DepthToSpace": depthFirst, "Equal": onlyWhole, "Gemm": gemmBias, "Pad": padToAttributes,
		"Resize": resizeByScales, "ScatterElements": rename("Scatter"),
	},
	10: {"Dropout": noMask, "Resize": upsample, "Slice": sliceToAttributes, "TopK": topK},
}

// defaults is what attributes mean where they are left out.
var defaults = graph.Attrs{
	{Name: "allowzero", Value: graph.Int(0)},
	{Name: "antialias", Value: graph.Int(0)},
	{Name: "batch_dims", Value: graph.Int(0)},
	{Name: "block_size", Value: graph.Int(0)},
	{Name: "ceil_mode", Value: graph.Int(0)},
	{Name: "keep_aspect_ratio_policy", Value: graph.String("stretch")},
	{Name: "largest", Value: graph.Int(1)},
	{Name: "noop_with_empty_axes", Value: graph.Int(0)},
	{Name: "output_dtype", Value: graph.Int(0)},
	{Name: "precision", Value: graph.Int(0)},
	{Name: "reduction", Value: graph.String("none")},
	{Name: "round_mode", Value: graph.String("up")},
	{Name: "saturate", Value: graph.Int(1)},
	{Name: "select_last_index", Value: graph.Int(0)},
	{Name: "sorted", Value: graph.Int(1)},
	{Name: "stash_type", Value: graph.Int(1)},
	{Name: "storage_order", Value: graph.Int(0)},
	{Name: "training_mode", Value: graph.Int(0)},
}

// isDefault reports whether an attribute states what is meant without it.
func isDefault(a graph.NamedAttr) bool {
	if a.Name == "dilations" {
		xs, ok := a.Value.(graph.Ints)
		return ok && !slices.ContainsFunc(xs, func(x int64) bool { return x != 1 })
	}
	want, ok := defaults.Lookup(a.Name)
	return ok && want == a.Value
}
