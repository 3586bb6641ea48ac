package op

import (
	"fmt"

	"spikingir/graph"
)

// Param is a setting of a node that is an attribute in some opsets and an
// input in others.
type Param[T any] struct {
	Given bool // present, as an attribute or as an input
	Known bool // Value holds: the constant, or the default when not given
	Value T
	From  *graph.Value // the input; nil for an attribute or a default

	node *graph.Node
	name string
}

// Constant gives the value; a setting that is computed at run time is an error
// that names the node and the setting.
func (p Param[T]) Constant() (T, error) {
	if !p.Known {
		return p.Value, Unsupportedf(p.node, "input %q (%s) %s, want a constant",
			p.From.Name(), p.name, Source(p.From))
	}
	return p.Value, nil
}

// Constant gives the contents of a value that are known before the model runs:
// an initializer that no caller can override, the tensor of a Constant node, or
// either of them behind Identity nodes. It is nil for every other value, for
// sparse tensors and for external data that was not loaded.
func Constant(v *graph.Value) *graph.Tensor {
	for v != nil {
		if v.IsConstant() {
			if v.Const != nil && v.Const.Loaded() {
				return v.Const
			}
			return nil
		}
		n := v.Producer()
		switch {
		case n == nil:
			return nil
		case n.Is("Constant"):
			t, err := ConstantOf(n)
			if err != nil {
				return nil
			}
			return t
		case n.Is("Identity"):
			v = n.Input(0)
		default:
			return nil
		}
	}
	return nil
}

// Source says of a value that is no [Constant] what it is, as the predicate of a sentence.
func Source(v *graph.Value) string {
	switch p := v.Producer(); {
	case v.Sparse != nil:
		return "is stored as a sparse tensor"
	case v.IsInput() && v.IsInitializer():
		return "is an input of the model whose stored value a caller may replace"
	case v.IsInput():
		return "is an input of the model"
	case v.Const != nil:
		return "is stored outside of the model and was not read"
	case p != nil && p.Is("Identity") && p.Input(0) != nil:
		return Source(p.Input(0))
	case p != nil:
		return fmt.Sprintf("is computed at run time, by node %q (%v)", p.OriginLabel(), p.Op())
	}
	return "is computed at run time"
}

// ConstantOf gives the tensor that a Constant node makes, whichever attribute
// states it. A sparse value is an error.
func ConstantOf(n *graph.Node) (*graph.Tensor, error) {
	for _, a := range n.Attrs {
		switch x := a.Value.(type) {
		case *graph.Tensor:
			return x, nil
		case graph.Float:
			return graph.Scalar(float32(x)), nil
		case graph.Floats:
			return graph.NewFloat32([]int64{int64(len(x))}, x), nil
		case graph.Int:
			return graph.NewInt64([]int64{}, []int64{int64(x)}), nil
		case graph.Ints:
			return graph.NewInt64([]int64{int64(len(x))}, x), nil
		case graph.String:
			return graph.NewStrings([]int64{}, [][]byte{[]byte(x)})
		case graph.Strings:
			elems := make([][]byte, len(x))
			for i, s := range x {
				elems[i] = []byte(s)
			}
			return graph.NewStrings([]int64{int64(len(x))}, elems)
		case *graph.SparseTensor:
			return nil, Errorf(n, "attribute %q is sparse, want a dense tensor", a.Name)
		}
	}
	return nil, Errorf(n, "no attribute states the value, want one such as value or value_float")
}
