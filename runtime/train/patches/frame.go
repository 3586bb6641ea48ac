package patches

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"spikingir/runtime/dataset"
	"spikingir/runtime/watch"
)

// A packed image holds each value as one byte where every value is a multiple of
// 1/255 as a file gives it, else as float32: nothing is lost either way.
type packed struct {
	c, h, w int
	bytes   []uint8
	floats  []float32
}

// unit8 are the values that [dataset.Read] gives for 8-bit samples.
var unit8 = func() (table [256]float32) {
	for i := range table {
		table[i] = float32(float64(i) / 255)
	}
	return table
}()

func pack(m dataset.Image) *packed {
	p := &packed{c: m.C, h: m.H, w: m.W, bytes: make([]uint8, len(m.Pix))}
	for i, v := range m.Pix {
		k := math.Floor(float64(float64(v)*255) + 0.5)
		if !(k >= 0 && k <= 255) || unit8[int(k)] != v {
			p.bytes, p.floats = nil, m.Pix
			return p
		}
		p.bytes[i] = uint8(k)
	}
	return p
}

func (p *packed) size() int64 { return int64(len(p.bytes)) + 4*int64(len(p.floats)) }

// unpack returns the whole image.
func (p *packed) unpack() dataset.Image {
	out := dataset.NewImage(p.c, p.h, p.w)
	copy(out.Pix, p.floats)
	for i, b := range p.bytes {
		out.Pix[i] = unit8[b]
	}
	return out
}

// A symmetry is one of the eight of the square: the sum of what is done to it.
type symmetry int

const (
	mirrorX   symmetry = 1 << iota // left and right change places
	mirrorY                        // top and bottom
	transpose                      // rows and columns, before the mirrors
)

// symmetries is their number.
const symmetries = 8

// cut returns the square of the given side whose upper left corner is (y, x),
// under a symmetry.
func (p *packed) cut(y, x, side int, sym symmetry) dataset.Image {
	origin, down, right := y*p.w+x, p.w, 1
	if sym&mirrorY != 0 {
		origin += (side - 1) * p.w
		down = -down
	}
	if sym&mirrorX != 0 {
		origin += side - 1
		right = -right
	}
	if sym&transpose != 0 {
		down, right = right, down
	}
	out := dataset.NewImage(p.c, side, side)
	for c := range p.c {
		dst := out.Plane(c)
		for row := range side {
			at := c*p.h*p.w + origin + row*down
			for col := range side {
				if p.bytes != nil {
					dst[row*side+col] = unit8[p.bytes[at]]
				} else {
					dst[row*side+col] = p.floats[at]
				}
				at += right
			}
		}
	}
	return out
}

// A frame is an image that patches are cut from: a file prepared for the task or, where
// from is set, what the task makes of from.
type frame struct {
	path string
	from *frame
	h, w int // after preparation

	mu   sync.Mutex
	kept *packed
}

// A cache decodes frames and keeps them while there is room.
type cache struct {
	task dataset.Task
	room atomic.Int64
}

// get returns a frame's image. A second goroutine that wants the same one waits
// for the first rather than decode it too.
func (c *cache) get(f *frame) (*packed, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.kept != nil {
		return f.kept, nil
	}
	m, err := c.load(f)
	if err != nil {
		return nil, err
	}
	p := pack(m)
	if c.take(p.size()) {
		f.kept = p
	}
	return p, nil
}

// decode decodes all images, of which the cache keeps those it has room for, and names those
// that cannot be.
func (s *Source) decode(ctx context.Context) error {
	frames := s.frames()
	errs := make([]error, len(frames))
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(cmp.Or(s.o.Threads, runtime.GOMAXPROCS(0)), len(frames)) {
		group.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(frames)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				watch.Of(ctx).Task("reading image %d of %d", i+1, len(frames))
				_, errs[i] = s.cache.get(frames[i])
			}
		})
	}
	group.Wait()
	if err := ctx.Err(); err != nil {
		return err
	}
	const named = 3
	var bad []error
	var words []string
	for _, err := range errs {
		if err != nil {
			bad, words = append(bad, err), append(words, err.Error())
		}
	}
	if len(bad) < 2 {
		return errors.Join(bad...)
	}
	if n := len(words); n > named {
		words = append(words[:named], fmt.Sprintf("and %d more", n-named))
	}
	return fmt.Errorf("some of %d images cannot be read: %s", len(frames), strings.Join(words, "; "))
}

// frames are the frames of files, each once.
func (s *Source) frames() (list []*frame) {
	seen := map[*frame]bool{}
	for _, it := range slices.Concat(s.real.items, s.haze.items, s.valid) {
		for _, f := range []*frame{it.target, it.input} {
			if f != nil && f.from == nil && !seen[f] {
				seen[f] = true
				list = append(list, f)
			}
		}
	}
	return list
}

// take reserves n bytes if they are left.
func (c *cache) take(n int64) bool {
	if c.room.Add(-n) >= 0 {
		return true
	}
	c.room.Add(n)
	return false
}

func (c *cache) load(f *frame) (dataset.Image, error) {
	if f.from != nil {
		p, err := c.get(f.from)
		if err != nil {
			return dataset.Image{}, err
		}
		m, err := c.task.Degrade(p.unpack(), 0)
		if err != nil {
			return m, fmt.Errorf("%s: %w", f.path, err)
		}
		return m, nil
	}
	m, err := dataset.Read(f.path)
	if err != nil {
		return m, err
	}
	if m, err = c.task.Prepare(m); err != nil {
		return m, fmt.Errorf("%s: %w", f.path, err)
	}
	if m.H != f.h || m.W != f.w {
		return m, fmt.Errorf("%s is %dx%d pixels now and was %dx%d when training began",
			f.path, m.W, m.H, f.w, f.h)
	}
	return m, nil
}
