package ops

import (
	"fmt"
	"slices"

	"spikingir/graph"
	"spikingir/graph/op"
)

// wantIndices requires input i to be of an index type.
func wantIndices(i int, t *Tensor) error {
	if t.DType != graph.Int64 && t.DType != graph.Int32 {
		return fmt.Errorf("input %d (indices) is of type %v, want int32 or int64", i, t.DType)
	}
	return nil
}

// at is index i of an axis of size n, which may count from the end.
func indexOf(i int64, n int) (int, error) {
	k, ok := op.Axis(i, n)
	if !ok {
		return 0, fmt.Errorf("index %d of an axis of size %d, want %d to %d", i, n, -n, n-1)
	}
	return k, nil
}

// move copies element from of src to element to of dst.
func move(dst *Tensor, to int, src *Tensor, from int) {
	if dst.DType.IsFloat() {
		dst.F32[to] = src.F32[from]
	} else {
		dst.I64[to] = src.I64[from]
	}
}

// places lists, for every element of a tensor of dims, the element of a tensor of the
// dimensions of x at the same coordinates but for axis, where the index stands. The
// dimensions but that one may be smaller than those of x.
func places(x *Tensor, index *Tensor, axis int) ([]int, error) {
	if index.Rank() != x.Rank() {
		return nil, fmt.Errorf("indices are %v, want rank %d as %v has", index, x.Rank(), x)
	}
	for i, d := range index.Dims {
		if i != axis && d > x.Dims[i] {
			return nil, fmt.Errorf("indices are %v, want them within %v but for axis %d", index, x, axis)
		}
	}
	strides := stridesOf(x.Dims)
	list, at := make([]int, index.Len()), make([]int, x.Rank())
	for k := range list {
		i, err := indexOf(index.I64[k], x.Dims[axis])
		if err != nil {
			return nil, err
		}
		for a, c := range at {
			if a == axis {
				c = i
			}
			list[k] += c * strides[a]
		}
		next(at, index.Dims)
	}
	return list, nil
}

// next moves coordinates on by one element in row-major order.
func next(at, dims []int) {
	for a := len(at) - 1; a >= 0; a-- {
		if at[a]++; at[a] < dims[a] {
			return
		}
		at[a] = 0
	}
}

func runGatherElements(g op.Along, env *Env, in []*Tensor) ([]*Tensor, error) {
	x, index := in[0], in[1]
	check(wantIndices(1, index))
	axis := must(axisOf(g.Axis, x.Rank()))
	list := must(places(x, index, axis))
	y := env.alloc(x.DType, index.Dims)
	for k, i := range list {
		move(y, k, x, i)
	}
	return one(y), nil
}

// slicesND lists the first elements of the slices of a tensor of dims that the last axis of index
// names, and the number of elements of each slice; the first batch axes belong together.
func slicesND(dims []int, index *Tensor, batch int) (list []int, size int, err error) {
	if index.Rank() == 0 || batch >= index.Rank() || batch > len(dims) || !slices.Equal(index.Dims[:batch], dims[:batch]) {
		return nil, 0, fmt.Errorf("indices are %v for dimensions %v, want rank 1 or more and the same first %d axes", index, dims, batch)
	}
	depth := index.Dims[index.Rank()-1]
	if batch+depth > len(dims) {
		return nil, 0, fmt.Errorf("indices %v name %d axes of dimensions %v", index, batch+depth, dims)
	}
	size = product(dims[batch+depth:])
	strides := stridesOf(dims)
	list = make([]int, product(index.Dims[:index.Rank()-1]))
	perBatch := product(index.Dims[batch : index.Rank()-1])
	for k := range list {
		list[k] = k / perBatch * product(dims[batch:])
		for j := range depth {
			i, err := indexOf(index.I64[k*depth+j], dims[batch+j])
			if err != nil {
				return nil, 0, err
			}
			list[k] += i * strides[batch+j]
		}
	}
	return list, size, nil
}

func runGatherND(g op.GatherND, env *Env, in []*Tensor) ([]*Tensor, error) {
	x, index := in[0], in[1]
	check(wantIndices(1, index))
	list, size, err := slicesND(x.Dims, index, int(g.Batch))
	if err != nil {
		return nil, err
	}
	last := index.Rank() - 1
	y := env.alloc(x.DType, slices.Concat(index.Dims[:last], x.Dims[int(g.Batch)+index.Dims[last]:]))
	for k, i := range list {
		copyBlocks(y, x, 1, size, 0, k*size, 0, i)
	}
	return one(y), nil
}

// joining is how an update joins what is there, by the names of reductions; nil puts it in its place.
var joining = map[string]*arithmetic{"add": &addition, "mul": &multiplication, "max": &maximum, "min": &minimum}

// put joins element from of src to element to of dst.
func (a *arithmetic) put(dst *Tensor, to int, src *Tensor, from int) error {
	switch {
	case a == nil:
		move(dst, to, src, from)
	case dst.DType.IsFloat():
		dst.F32[to] = a.float(dst.F32[to], src.F32[from])
	case dst.DType == graph.Bool:
		return fmt.Errorf("elements are bool, want numbers to reduce")
	default:
		v, err := a.whole(dst.DType)(dst.I64[to], src.I64[from])
		dst.I64[to] = wrap(dst.DType, v)
		return err
	}
	return nil
}

func runScatterElements(s op.Scatter, env *Env, in []*Tensor) ([]*Tensor, error) {
	x, index, updates := in[0], in[1], in[2]
	check(wantIndices(1, index))
	check(wantSameType(x, nil, updates))
	check(wantDims(2, "updates", updates, index.Dims...))
	axis := must(axisOf(s.Axis, x.Rank()))
	y := duplicate(env, x)
	for k, i := range must(places(x, index, axis)) {
		check(joining[s.Reduction].put(y, i, updates, k))
	}
	return one(y), nil
}

func runScatterND(s op.Scatter, env *Env, in []*Tensor) ([]*Tensor, error) {
	x, index, updates := in[0], in[1], in[2]
	check(wantIndices(1, index))
	check(wantSameType(x, nil, updates))
	list, size, err := slicesND(x.Dims, index, 0)
	if err != nil {
		return nil, err
	}
	last := index.Rank() - 1
	check(wantDims(2, "updates", updates, slices.Concat(index.Dims[:last], x.Dims[index.Dims[last]:])...))
	y := duplicate(env, x)
	for k, i := range list {
		for j := range size {
			check(joining[s.Reduction].put(y, i+j, updates, k*size+j))
		}
	}
	return one(y), nil
}

// runOneHot gives the second of two numbers where the index along the new axis is that
// of the input, else the first. An index outside gives the first everywhere.
func runOneHot(o op.Along, env *Env, in []*Tensor) ([]*Tensor, error) {
	index, depth, values := in[0], in[1], in[2]
	if depth.Len() != 1 || values.Len() != 2 || index.DType == graph.Bool {
		return nil, fmt.Errorf("indices %v, depth %v, values %v, want numbers, one number and two", index, depth, values)
	}
	axis := must(axisOf(o.Axis, index.Rank()+1))
	n := castTo(&Env{}, depth, graph.Int64).I64[0]
	dims := must(dimsOf(slices.Insert(sizesOf(index.Dims), axis, n)))
	index = castTo(env.scratch(), index, graph.Int64)
	y := env.alloc(values.DType, dims)
	for k := range y.Len() {
		move(y, k, values, 0)
	}
	inner := product(index.Dims[axis:])
	for k, i := range index.I64 {
		if i < 0 {
			i += n
		}
		if i >= 0 && i < n {
			move(y, (k/inner*int(n)+int(i))*inner+k%inner, values, 1)
		}
	}
	return one(y), nil
}

func runCompress(c op.Compress, env *Env, in []*Tensor) ([]*Tensor, error) {
	x, cond := in[0], in[1]
	if cond.DType != graph.Bool || cond.Rank() != 1 {
		return nil, fmt.Errorf("input 1 (condition) is %v, want a list of bools", cond)
	}
	if c.Flat {
		x = x.view([]int{x.Len()})
	}
	axis := must(axisOf(c.Axis, x.Rank()))
	index := make([][]int, x.Rank())
	for a, d := range x.Dims {
		index[a] = span(d)
	}
	index[axis] = nil
	for i, v := range cond.I64 {
		if v != 0 && i >= x.Dims[axis] {
			return nil, fmt.Errorf("condition holds at %d of an axis of size %d", i, x.Dims[axis])
		}
		if v != 0 {
			index[axis] = append(index[axis], i)
		}
	}
	return one(pick(env, x, index, nil)), nil
}

// runNonZero lists the coordinates of what is not 0, an axis a row.
func runNonZero(env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	at := make([]int, x.Rank())
	var found [][]int
	for k := range x.Len() {
		if x.DType.IsFloat() && x.F32[k] != 0 || !x.DType.IsFloat() && x.I64[k] != 0 {
			found = append(found, slices.Clone(at))
		}
		next(at, x.Dims)
	}
	y := env.alloc(graph.Int64, []int{x.Rank(), len(found)})
	for k, coords := range found {
		for a, c := range coords {
			y.I64[a*len(found)+k] = int64(c)
		}
	}
	return one(y), nil
}

// runReverseSequence reverses the first elements of each slice, as many as the second
// input says.
func runReverseSequence(s op.ReverseSequence, env *Env, in []*Tensor) ([]*Tensor, error) {
	x, lengths := in[0], in[1]
	check(wantRank(0, x, 2))
	check(wantDims(1, "sequence_lens", lengths, x.Dims[s.Batch]))
	check(wantIndices(1, lengths))
	y := env.like(x)
	inner, cols := product(x.Dims[2:]), x.Dims[1]
	for r := range product(x.Dims[:2]) {
		at := [2]int{r / cols, r % cols}
		n := int(lengths.I64[at[s.Batch]])
		if n < 0 || n > x.Dims[s.Time] {
			return nil, fmt.Errorf("sequence length %d, want 0 to %d", n, x.Dims[s.Time])
		}
		from := at
		if at[s.Time] < n {
			from[s.Time] = n - 1 - at[s.Time]
		}
		copyBlocks(y, x, 1, inner, 0, r*inner, 0, (from[0]*cols+from[1])*inner)
	}
	return one(y), nil
}

// runTrilu keeps one triangle of every matrix.
func runTrilu(t op.Trilu, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	check(wantRank(0, x, 2))
	k := int64(0)
	if list, given := mustBoth(intsParam(t.K, in, 1)); given {
		if len(list) != 1 {
			return nil, fmt.Errorf("input 1 (k) has %d elements, want 1", len(list))
		}
		k = list[0]
	}
	y := duplicate(env, x)
	rows, cols := x.Dims[x.Rank()-2], x.Dims[x.Rank()-1]
	for i := range y.Len() {
		above := int64(i%cols)-int64(i/cols%rows) >= k
		below := int64(i%cols)-int64(i/cols%rows) <= k
		switch keep := t.Upper && above || !t.Upper && below; {
		case keep:
		case y.DType.IsFloat():
			y.F32[i] = 0
		default:
			y.I64[i] = 0
		}
	}
	return one(y), nil
}

func runEyeLike(e op.EyeLike, env *Env, in []*Tensor) ([]*Tensor, error) {
	x := in[0]
	if x.Rank() != 2 {
		return nil, fmt.Errorf("input 0 is %v, want a matrix", x)
	}
	to := e.To
	if to == graph.Undefined {
		to = x.DType
	}
	if !Computable(to) {
		return nil, fmt.Errorf("elements of type %v are not supported", to)
	}
	y := env.alloc(to, x.Dims)
	for i := range y.Len() {
		diagonal := truth(int64(i%x.Dims[1])-int64(i/x.Dims[1]) == e.K)
		if to.IsFloat() {
			y.F32[i] = float32(diagonal)
		} else {
			y.I64[i] = diagonal
		}
	}
	return one(y), nil
}
