package upgradeopset

import (
	"encoding/binary"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
)

// constant adds a tensor as an initializer of n's graph; it is named after n's
// first output and its role.
func (u *upgrade) constant(n *graph.Node, role string, t *graph.Tensor) *graph.Value {
	g := n.Graph()
	return g.AddInitializer(g.FreshName(n.Output(0).Name()+"_"+role), t)
}

func vector(xs ...int64) *graph.Tensor {
	return graph.NewInt64([]int64{int64(len(xs))}, xs)
}

// take removes an attribute and gives its value; ok is false when n lacks it.
func take[T graph.Attr](n *graph.Node, name string) (value T, ok bool, err error) {
	if _, ok := n.Attrs.Lookup(name); !ok {
		return value, false, nil
	}
	value, err = graph.Get(n.Attrs, name, value)
	if err != nil {
		return value, false, op.Errorf(n, "%v", err)
	}
	n.Attrs.Delete(name)
	return value, true, nil
}

func intsToInput(name string, i int) rewriter {
	return toInput(name, i, func(xs graph.Ints) *graph.Tensor { return vector(xs...) })
}

// intToInput makes an integer input i, a tensor of one element.
func intToInput(name string, i int) rewriter {
	return toInput(name, i, func(x graph.Int) *graph.Tensor { return vector(int64(x)) })
}

func floatsToInput(name string, i int) rewriter {
	return toInput(name, i, func(xs graph.Floats) *graph.Tensor {
		return graph.NewFloat32([]int64{int64(len(xs))}, xs)
	})
}

// toInput makes an attribute input i.
func toInput[T graph.Attr](name string, i int, tensor func(T) *graph.Tensor) rewriter {
	return func(u *upgrade, n *graph.Node, _ int64) error {
		x, ok, err := take[T](n, name)
		if err == nil && ok {
			n.SetInput(i, u.constant(n, name, tensor(x)))
		}
		return err
	}
}

func sliceToInputs(u *upgrade, n *graph.Node, v int64) error {
	for i, name := range []string{"starts", "ends", "axes"} {
		if err := intsToInput(name, i+1)(u, n, v); err != nil {
			return err
		}
	}
	return nil
}

// floatToInput makes a number input i, a scalar of the type of input 0.
func (u *upgrade) floatToInput(n *graph.Node, name string, i int) error {
	x, ok, err := take[graph.Float](n, name)
	if err != nil || !ok || n.Input(0) == nil {
		return err
	}
	elem := u.typeOf(n.Input(0)).Elem
	t, ok := scalarOf(elem, float32(x))
	if !ok {
		u.refuse(n, "attribute %s cannot become an input of type %v, want float or double",
			name, elem)
		return nil
	}
	n.SetInput(i, u.constant(n, name, t))
	return nil
}

// scalarOf is x as a scalar of an element type, float when that is unknown.
func scalarOf(elem graph.DType, x float32) (*graph.Tensor, bool) {
	switch elem {
	case graph.Undefined, graph.Float32:
		return graph.Scalar(x), true
	case graph.Float64:
		data := binary.LittleEndian.AppendUint64(nil, math.Float64bits(float64(x)))
		t, err := graph.NewTensor(graph.Float64, []int64{}, data)
		return t, err == nil
	}
	return nil, false
}

func clipToInputs(u *upgrade, n *graph.Node, _ int64) error {
	if err := u.floatToInput(n, "min", 1); err != nil || u.refused[n] {
		return err
	}
	return u.floatToInput(n, "max", 2)
}

func padToInputs(u *upgrade, n *graph.Node, v int64) error {
	if err := intsToInput("pads", 1)(u, n, v); err != nil {
		return err
	}
	return u.floatToInput(n, "value", 2)
}

// ratioToInput keeps the ratio of a Dropout, though inference does not use it.
func ratioToInput(u *upgrade, n *graph.Node, _ int64) error {
	return u.floatToInput(n, "ratio", 1)
}

// dftAxisToInput makes the axis an input; its default changed too.
func dftAxisToInput(u *upgrade, n *graph.Node, _ int64) error {
	axis, ok, err := take[graph.Int](n, "axis")
	if err != nil {
		return err
	}
	if !ok {
		axis = 1
	}
	n.SetInput(2, u.constant(n, "axis", graph.NewInt64([]int64{}, []int64{int64(axis)})))
	return nil
}
