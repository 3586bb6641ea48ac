package ops

import (
	"strings"
	"testing"

	"spikingir/graph"
)

// sequence makes one of float tensors.
func sequence(list ...*Tensor) *Tensor { return newSequence(graph.Float32, list) }

func runSequence(t *testing.T, o string, as graph.Attrs, in ...*Tensor) (*Tensor, error) {
	t.Helper()
	bound, err := Bind(single(t, o, as, in...), 13)
	if err != nil {
		return nil, err
	}
	y, err := bound.Run(&Env{Alloc: dirty}, in)
	if err != nil {
		return nil, err
	}
	return y[0], nil
}

func TestSequences(t *testing.T) {
	a, b, c := floats(1), floats(2, 3), floats(4)
	five := Floats([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 2, 5)
	column := func(xs ...float32) *Tensor { return Floats(xs, 2, len(xs)/2) }
	for _, k := range []struct {
		op    string
		attrs graph.Attrs
		in    []*Tensor
		want  *Tensor
	}{
		{"SequenceConstruct", nil, []*Tensor{a, b}, sequence(a, b)},
		{"SequenceEmpty", nil, nil, sequence()},
		{"SequenceAt", nil, []*Tensor{sequence(a, b), scalarOf(graph.Int64, 1)}, b},
		{"SequenceAt", nil, []*Tensor{sequence(a, b), scalarOf(graph.Int32, -2)}, a},
		{"SequenceInsert", nil, []*Tensor{sequence(a, b), c}, sequence(a, b, c)},
		{"SequenceInsert", nil, []*Tensor{sequence(a, b), c, scalarOf(graph.Int64, 2)}, sequence(a, b, c)},
		{"SequenceInsert", nil, []*Tensor{sequence(a, b), c, scalarOf(graph.Int64, -1)}, sequence(a, c, b)},
		{"SequenceInsert", nil, []*Tensor{sequence(), c}, sequence(c)},
		{"SequenceErase", nil, []*Tensor{sequence(a, b)}, sequence(a)},
		{"SequenceErase", nil, []*Tensor{sequence(a, b), scalarOf(graph.Int64, 0)}, sequence(b)},
		{"SequenceLength", nil, []*Tensor{sequence(a, b, c)}, scalarOf(graph.Int64, 3)},
		{"SplitToSequence", attrs("axis", graph.Int(1)), []*Tensor{five, scalarOf(graph.Int64, 2)},
			sequence(column(1, 2, 6, 7), column(3, 4, 8, 9), column(5, 10))},
		{"SplitToSequence", attrs("axis", graph.Int(-1)), []*Tensor{five, whole(4, 1)}, sequence(column(1, 2, 3, 4, 6, 7, 8, 9), column(5, 10))},
		{"SplitToSequence", attrs("keepdims", graph.Int(0)), []*Tensor{column(1, 2)}, sequence(floats(1), floats(2))},
		{"SplitToSequence", nil, []*Tensor{column(1, 2)}, sequence(Floats([]float32{1}, 1, 1), Floats([]float32{2}, 1, 1))},
		{"ConcatFromSequence", attrs("axis", graph.Int(0)), []*Tensor{sequence(a, b)}, floats(1, 2, 3)},
		{"ConcatFromSequence", attrs("axis", graph.Int(-1), "new_axis", graph.Int(1)), []*Tensor{sequence(a, c)}, Floats([]float32{1, 4}, 1, 2)},
		{"Identity", nil, []*Tensor{sequence(a)}, sequence(a)},
	} {
		got, err := runSequence(t, k.op, k.attrs, k.in...)
		if err != nil {
			t.Errorf("%s: %v", k.op, err)
			continue
		}
		wantTensor(t, k.op, got, k.want)
		if len(got.List) != len(k.want.List) || (got.List == nil) != (k.want.List == nil) {
			t.Errorf("%s: a sequence of %d, want %d", k.op, len(got.List), len(k.want.List))
			continue
		}
		for i, x := range k.want.List {
			wantTensor(t, k.op, got.List[i], x)
		}
	}
}

func TestSequenceErrors(t *testing.T) {
	a := floats(1)
	for _, k := range []struct {
		op   string
		in   []*Tensor
		want string
	}{
		{"Relu", []*Tensor{sequence(a)}, "is a sequence, want a tensor"},
		{"SequenceAt", []*Tensor{a, scalarOf(graph.Int64, 0)}, "want a sequence"},
		{"SequenceAt", []*Tensor{sequence(a), scalarOf(graph.Int64, 1)}, "index 1 of an axis of size 1"},
		{"SequenceErase", []*Tensor{sequence()}, "empty"},
		{"SequenceInsert", []*Tensor{sequence(a), whole(1)}, "want float"},
		{"SplitToSequence", []*Tensor{a, scalarOf(graph.Int64, 0)}, "pieces of size 0"},
		{"SplitToSequence", []*Tensor{a, whole(2)}, "sum to 1"},
		{"SequenceConstruct", []*Tensor{a, whole(1)}, "want float as input 0"},
	} {
		if _, err := runSequence(t, k.op, nil, k.in...); err == nil || !strings.Contains(err.Error(), k.want) {
			t.Errorf("%s: error %v, want %q", k.op, err, k.want)
		}
	}
}
