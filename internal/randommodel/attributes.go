package randommodel

import (
	"spikingir/graph"
	"spikingir/graph/op"
)

// attributes gives the required attributes of an operator and some of the others, with
// values that may suit its input.
func (b *builder) attributes(typ string, f *op.Form, data *graph.Value, outputs int) (attrs graph.Attrs) {
	if typ == "Constant" {
		return b.constantValue()
	}
	for _, a := range f.Attrs {
		if !a.Required && b.N(2) == 0 {
			continue
		}
		if v := b.attribute(typ, a, b.held[data], outputs); v != nil {
			attrs = append(attrs, graph.NamedAttr{Name: a.Name, Value: v})
		}
	}
	return attrs
}

func (b *builder) constantValue() graph.Attrs {
	switch {
	case b.opset() < 12 || b.N(2) == 0:
		return graph.Attrs{{Name: "value", Value: draw(b.rng(), pick(&b.choices, types...), b.small(b.N(3)), 16)}}
	case b.N(2) == 0:
		return graph.Attrs{{Name: "value_ints", Value: graph.Ints(picks[int64](&b.choices, b.N(4), 1, 2, 0, -1, 3))}}
	}
	return graph.Attrs{{Name: "value_float", Value: graph.Float(pick[float32](&b.choices, 1, 0.5, -2))}}
}

// small is dimensions of a small tensor.
func (b *builder) small(rank int) []int64 { return picks[int64](&b.choices, rank, 1, 2, 3) }

func (b *builder) attribute(typ string, a op.Attr, data *graph.Tensor, outputs int) graph.Attr {
	rank := len(data.Dims)
	switch a.Type {
	case graph.AttrInt:
		return b.intAttribute(a.Name, rank, outputs)
	case graph.AttrInts:
		return b.intsAttribute(typ, a.Name, data, outputs)
	case graph.AttrFloat:
		switch a.Name {
		case "epsilon":
			return graph.Float(1e-3)
		case "max":
			return graph.Float(pick[float32](&b.choices, 6, 1, 0.5))
		case "min":
			return graph.Float(pick[float32](&b.choices, 0, -1, 0.25))
		}
		return graph.Float(pick[float32](&b.choices, 1, 0.5, 0.125, 2, 0, -0.5))
	case graph.AttrFloats:
		return graph.Floats(picks[float32](&b.choices, rank, 1, 1, 2, 0.5))
	case graph.AttrString:
		return b.word(typ, a.Name)
	case graph.AttrTensor:
		return draw(b.rng(), pick(&b.choices, types...), []int64{1}, 16)
	}
	return nil
}

func (b *builder) intAttribute(name string, rank, outputs int) graph.Attr {
	switch name {
	case "axis", "batch_axis", "time_axis", "start", "end":
		return graph.Int(int64(b.N(2*rank+1) - rank))
	case "to", "dtype":
		return graph.Int(int64(pick(&b.choices, types...)))
	case "output_dtype":
		return graph.Int(int64(pick(&b.choices, graph.Uint8, graph.Int8)))
	case "blocksize", "p":
		return graph.Int(int64(pick(&b.choices, 2, 1, 3)))
	case "group", "num_groups", "size", "offset_group":
		return graph.Int(int64(pick(&b.choices, 1, 2, 3)))
	case "num_outputs":
		return graph.Int(int64(outputs))
	case "batch_dims":
		return graph.Int(int64(b.N(2)))
	case "k":
		return graph.Int(int64(b.N(3) - 1))
	case "stash_type":
		return graph.Int(1)
	}
	return graph.Int(int64(b.N(2))) // most are yes or no
}

func (b *builder) intsAttribute(typ, name string, data *graph.Tensor, outputs int) graph.Attr {
	rank := len(data.Dims)
	space := max(rank-2, 0)
	switch name {
	case "axes":
		return graph.Ints(b.axes(rank))
	case "perm":
		return graph.Ints(b.permutation(rank))
	case "kernel_shape", "output_shape":
		return graph.Ints(picks[int64](&b.choices, space, 3, 2, 1))
	case "strides", "dilations":
		return graph.Ints(picks[int64](&b.choices, space, 1, 2))
	case "output_padding":
		return graph.Ints(picks[int64](&b.choices, space, 0, 1))
	case "pads":
		if typ == "Pad" {
			space = rank
		}
		return graph.Ints(picks[int64](&b.choices, 2*space, 1, 0, 2))
	case "split":
		return graph.Ints(picks[int64](&b.choices, outputs, 1, 2, 3))
	case "starts", "ends":
		return graph.Ints(picks[int64](&b.choices, rank, 0, 1, -1, 2, 1<<40))
	}
	return graph.Ints(picks[int64](&b.choices, rank, 1, 0, 2))
}

// axes is some of the axes of a rank, each once; one may count from the end.
func (b *builder) axes(rank int) (list []int64) {
	for i := range rank {
		if b.N(2) == 1 {
			list = append(list, int64(i))
		}
	}
	if len(list) == 0 && rank > 0 {
		list = []int64{int64(b.N(rank))}
	}
	if len(list) > 0 && b.Chance(3) {
		list[0] -= int64(rank)
	}
	return list
}

func (b *builder) permutation(rank int) []int64 {
	list := make([]int64, rank)
	for i := range list {
		list[i] = int64(i)
	}
	for i := rank - 1; i > 0; i-- {
		k := b.N(i + 1)
		list[i], list[k] = list[k], list[i]
	}
	return list
}

// words are what attributes of texts may say, by operator and name, or by name alone.
var words = map[string][]string{
	"auto_pad":          {"NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID"},
	"Pad mode":          {"constant", "reflect", "edge", "wrap"},
	"Resize mode":       {"nearest", "linear", "cubic"},
	"Upsample mode":     {"nearest", "linear"},
	"DepthToSpace mode": {"DCR", "CRD"},
	"GridSample mode":   {"bilinear", "nearest", "bicubic", "linear", "cubic"},
	"padding_mode":      {"zeros", "border", "reflection"},
	"coordinate_transformation_mode": {"half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel",
		"half_pixel_symmetric", "tf_crop_and_resize"},
	"nearest_mode":             {"round_prefer_floor", "floor", "ceil", "round_prefer_ceil"},
	"keep_aspect_ratio_policy": {"stretch", "not_larger", "not_smaller"},
	"direction":                {"LEFT", "RIGHT"},
	"reduction":                {"none", "add", "mul", "max", "min"},
	"approximate":              {"none", "tanh"},
	"round_mode":               {"up", "down", "nearest"},
	"equation":                 {"ij->ji", "...ij->...ji", "ij,jk->ik", "bij,bjk->bik", "...i->...", "i,i->", "nchw,nchw->nhw", "nchw->nhwc", "ii->i"},
}

func (b *builder) word(typ, name string) graph.Attr {
	list := words[typ+" "+name]
	if list == nil {
		list = words[name]
	}
	if list == nil {
		return nil
	}
	return graph.String(pick(&b.choices, list...))
}
