package fit

import (
	"cmp"
	"fmt"

	"spikingir/runtime/ops"
)

// A strip is where tiles of one size lie along an axis: each from a pixel on, of which it gives
// those from own up to the next strip's.
type strip struct{ start, own int }

// strips covers n pixels by tiles of a size. Neighbours share half of a tile, so that a quarter lies
// between a pixel and the border of the tile that gives it; a tile that is larger than the image
// has it in its middle.
func strips(n, size int) []strip {
	if n <= size {
		return []strip{{-((size - n) / 2), 0}}
	}
	list := []strip{{}}
	for last := 0; last < n-size; {
		next := min(last+max(size/2, 1), n-size)
		list = append(list, strip{next, (last + size + next) / 2})
		last = next
	}
	return list
}

// end is where strip i of a list gives way to the next one.
func end(list []strip, i, n int) int {
	if i+1 < len(list) {
		return list[i+1].own
	}
	return n
}

// Tiled computes images of x [1,C,H,W] in overlapping tiles of the only size that a network takes,
// 0 for that of x, and joins what compute gives for each tile. Pixels are those of a network that
// runs on the whole image where it looks at a quarter of a tile around each.
func Tiled(x *ops.Tensor, rows, columns int, compute func(tile *ops.Tensor) ([]*ops.Tensor, error)) ([]*ops.Tensor, error) {
	j := &joint{height: x.Dims[2], width: x.Dims[3]}
	j.rows, j.columns = cmp.Or(rows, j.height), cmp.Or(columns, j.width)
	down, across := strips(j.height, j.rows), strips(j.width, j.columns)
	for i, r := range down {
		for k, c := range across {
			list, err := compute(Window(x, []int{1, x.Dims[1], j.rows, j.columns}, r.start, c.start))
			if err != nil {
				return nil, err
			}
			for at, y := range list {
				if err := j.add(at, y, r, end(down, i, j.height), c, end(across, k, j.width)); err != nil {
					return nil, err
				}
			}
		}
	}
	return j.out, nil
}

// joint is the images that tiles are joined to.
type joint struct {
	height, width int // of the image
	rows, columns int // of a tile
	out           []*ops.Tensor
}

// add takes the pixels of a tile's image number at that the tile gives: from its own up to a
// bottom and a right end.
func (j *joint) add(at int, y *ops.Tensor, r strip, bottom int, c strip, right int) error {
	if len(y.Dims) != 4 || y.F32 == nil {
		return fmt.Errorf("a tile gives %v, want an image", y)
	}
	channels, h, w := y.Dims[1], y.Dims[2], y.Dims[3]
	sy, sx := h/j.rows, w/j.columns
	if sy*j.rows != h || sx*j.columns != w {
		return fmt.Errorf("tiles of %dx%d pixels give %dx%d: want a whole factor to join them", j.columns, j.rows, w, h)
	}
	if at == len(j.out) {
		j.out = append(j.out, ops.NewTensor(y.DType, []int{1, channels, j.height * sy, j.width * sx}))
	}
	out := j.out[at]
	height, width := out.Dims[2], out.Dims[3]
	if out.Dims[1] != channels || height != j.height*sy || width != j.width*sx {
		return fmt.Errorf("a tile gives %v beside %v: want images of one kind", y, out)
	}
	for k := range channels {
		for row := r.own * sy; row < bottom*sy; row++ {
			to := out.F32[(k*height+row)*width+c.own*sx:][:(right-c.own)*sx]
			copy(to, y.F32[(k*h+row-r.start*sy)*w+(c.own-c.start)*sx:])
		}
	}
	return nil
}
