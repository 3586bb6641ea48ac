package fit

import (
	"fmt"

	"spikingir/runtime/ops"
)

// Dims is the dimensions at which an input of dims [N,C,H,W] runs, or an error that says which ones
// the network takes.
func (s *Sizes) Dims(dims []int) ([]int, error) {
	if s.Any() || len(dims) != 4 {
		return dims, nil
	}
	n, h, w := dims[0], dims[2], dims[3]
	if s.Rows > 0 && h != s.Rows || s.Columns > 0 && w != s.Columns {
		return nil, fmt.Errorf("an image of %dx%d pixels, and the network takes only %s. "+
			"Give images of that size, or export the model again with dynamic axes (run --tile takes others in parts)", w, h, s.Only())
	}
	if s.Batch > 1 && n != s.Batch {
		if n != 1 {
			return nil, fmt.Errorf("%d images at once, and the model was exported for %d: %s. Give one or %d, or export the model "+
				"again with dynamic axes", n, s.Batch, s.why, s.Batch)
		}
		n = s.Batch
	}
	if !s.asIs.runs(h, w) {
		h, w = up(h, s.RowsOf), up(w, s.ColumnsOf)
	}
	return []int{n, dims[1], h, w}, nil
}

// up is n rounded up to a multiple.
func up(n, of int) int {
	if of <= 1 {
		return n
	}
	return (n + of - 1) / of * of
}

// Fit is x as the network takes it: a single image is repeated where the file states a batch, and
// padded at the right and at the bottom by its mirror image.
func (s *Sizes) Fit(x *ops.Tensor) (*ops.Tensor, error) {
	dims, err := s.Dims(x.Dims)
	if err != nil || len(dims) != 4 || !x.DType.IsFloat() {
		return x, err
	}
	return Window(x, dims, 0, 0), nil
}

// Window is the part of an image from (top, left) on, in dims; what lies outside is mirrored, and
// images that are not there are those of the first. It is x itself where nothing changes.
func Window(x *ops.Tensor, dims []int, top, left int) *ops.Tensor {
	n, c, h, w := x.Dims[0], x.Dims[1], x.Dims[2], x.Dims[3]
	if n == dims[0] && h == dims[2] && w == dims[3] && top == 0 && left == 0 || h == 0 || w == 0 {
		return x
	}
	y := ops.NewTensor(x.DType, dims)
	columns := make([]int, dims[3])
	for j := range columns {
		columns[j] = mirrored(left+j, w)
	}
	for i := range dims[0] * dims[1] {
		from := x.F32[(i/c%n*c+i%c)*h*w:]
		for row := range dims[2] {
			src, dst := from[mirrored(top+row, h)*w:], y.F32[(i*dims[2]+row)*dims[3]:]
			for j, at := range columns {
				dst[j] = src[at]
			}
		}
	}
	return y
}

// mirrored is the place in n elements that place i stands for: elements repeat to and fro, the ones
// at the ends once.
func mirrored(i, n int) int {
	if n == 1 {
		return 0
	}
	period := 2 * (n - 1)
	if i = (i%period + period) % period; i >= n {
		i = period - i
	}
	return i
}

// Output is what a result says of the image alone: of one for dims, the input's before [Sizes.Fit],
// what lies over the image. Sizes of the result are taken to be proportional to the input's.
func (s *Sizes) Output(y *ops.Tensor, dims []int) *ops.Tensor {
	ran, err := s.Dims(dims)
	if s.Any() || err != nil || len(dims) != 4 || len(y.Dims) == 0 || !y.DType.IsFloat() {
		return y
	}
	want := append([]int(nil), y.Dims...)
	if y.Dims[0] == ran[0] {
		want[0] = dims[0]
	}
	if len(want) != 4 {
		return first(y, want)
	}
	for axis := 2; axis < 4; axis++ {
		want[axis] = (y.Dims[axis]*dims[axis] + ran[axis] - 1) / ran[axis]
	}
	return Window(first(y, append(want[:1:1], y.Dims[1:]...)), want, 0, 0)
}

// first is the images of y that dims has.
func first(y *ops.Tensor, dims []int) *ops.Tensor {
	if y.Dims[0] == dims[0] {
		return y
	}
	out := ops.NewTensor(y.DType, dims)
	copy(out.F32, y.F32)
	return out
}

// Crop is the part in the middle of x that the network takes, for a use that no result for all of x
// is wanted of; smaller images are mirrored at all sides.
func (s *Sizes) Crop(x *ops.Tensor) *ops.Tensor {
	if s.Any() || len(x.Dims) != 4 {
		return x
	}
	n, h, w := x.Dims[0], up(x.Dims[2], s.RowsOf), up(x.Dims[3], s.ColumnsOf)
	top, left := 0, 0
	if s.Rows > 0 {
		top, h = (x.Dims[2]-s.Rows)/2, s.Rows
	}
	if s.Columns > 0 {
		left, w = (x.Dims[3]-s.Columns)/2, s.Columns
	}
	if s.Batch > 1 {
		n = s.Batch
	}
	return Window(x, []int{n, x.Dims[1], h, w}, top, left)
}
