package spikingir

import (
	"cmp"
	"context"
	"fmt"

	"spikingir/runtime/dataset"
	"spikingir/runtime/fit"
)

// A strip is where tiles of one size lie along an axis: each from a pixel on, of which it gives
// those from own up to the next strip's.
type strip struct{ start, own int }

// strips covers n pixels by tiles of a size. Neighbours share half of a tile, so that a quarter lies
// between a pixel and the border of the tile that gives it; a tile that is larger than the image has
// it in its middle.
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

// restoreTiles restores an image in tiles of the only size that the network takes. Pixels are those of
// a network that runs on the whole image where it looks at a quarter of a tile around each.
func (n *Network) restoreTiles(ctx context.Context, m Image) (Image, error) {
	h, w := cmp.Or(n.sizes.Rows, m.H), cmp.Or(n.sizes.Columns, m.W)
	rows, columns := strips(m.H, h), strips(m.W, w)
	x := ImageTensor(m)
	var out Image
	for i, r := range rows {
		for j, c := range columns {
			part, err := TensorImage(fit.Window(x, []int{1, m.C, h, w}, r.start, c.start))
			if err != nil {
				return out, err
			}
			tile, err := n.restoreWhole(ctx, part)
			if err != nil {
				return out, err
			}
			sy, sx := tile.H/h, tile.W/w
			if sy*h != tile.H || sx*w != tile.W {
				return out, fmt.Errorf("tiles of %dx%d pixels give %dx%d: want a whole factor to join them", w, h, tile.W, tile.H)
			}
			if out.C == 0 {
				out = dataset.NewImage(tile.C, m.H*sy, m.W*sx)
			}
			top, bottom := r.own*sy, end(rows, i, m.H)*sy
			left, right := c.own*sx, end(columns, j, m.W)*sx
			for k := range tile.C {
				for y := top; y < bottom; y++ {
					from := tile.Plane(k)[(y-r.start*sy)*tile.W+left-c.start*sx:]
					copy(out.Plane(k)[y*out.W+left:y*out.W+right], from)
				}
			}
		}
	}
	return out, nil
}
