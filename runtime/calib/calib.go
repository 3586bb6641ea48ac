// Package calib measures the distribution of values while a model runs over a
// calibration set: streaming, one histogram a channel, so that any percentile
// can be read off afterwards (graph.Histogram). Counts are integers and each
// channel is counted by one goroutine, and its sums by image are added in their order, so the
// result does not depend on the number of threads, nor on that of the processes that share the images out.
package calib

import (
	"context"
	"fmt"
	"math"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/runtime/cluster"
	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/ops"
	"spikingir/runtime/watch"
)

// Images gives the calibration set one model input at a time: image i as the
// model's input tensor [1,C,H,W].
type Images interface {
	Len() int
	Input(i int) (*ops.Tensor, error)
	// SHA256 identifies the set.
	SHA256() string
}

// A Fed is Images of a model that takes more than an image.
type Fed interface {
	Images
	// Inputs is all that the model is fed with an image, by name.
	Inputs(image *ops.Tensor) (map[string]*ops.Tensor, error)
}

// fed is what the model is fed with an image: that alone, unless the set says otherwise.
func fed(p *exec.Program, set Images, x *ops.Tensor) (map[string]*ops.Tensor, error) {
	if set, ok := set.(Fed); ok {
		return set.Inputs(x)
	}
	inputs := p.Inputs()
	if len(inputs) != 1 {
		return nil, fmt.Errorf("the model has %d inputs, calibration feeds exactly one", len(inputs))
	}
	return map[string]*ops.Tensor{inputs[0].Name(): x}, nil
}

// Collect runs the model over the images and returns the distributions of the
// named values of its main graph. An image that takes more than
// exec.DefaultMemoryLimit runs in pieces. pool may be nil: one thread. progress, when
// not nil, is called after each image.
func Collect(ctx context.Context, m *graph.Model, values []string, set Images, pool *machine.Pool,
	progress func(done, total int)) (*graph.Stats, error) {
	return CollectWithin(ctx, Limits{}, m, values, set, pool, progress)
}

// Limits is what a collection may take, and who shares it out.
type Limits struct {
	// Memory is the bytes that a run may take: pieces take that much at most,
	// and what takes more all the same is an error that names the node. 0 is the default, for
	// pieces exec.DefaultMemoryLimit, as thresholds shall not depend on the machine; a negative
	// number is no limit.
	Memory int64
	// Cluster is the processes that share out the images; nil for this one alone. All read
	// all images, for their hash, and get the same distributions.
	Cluster cluster.Comm
}

// CollectWithin is Collect within limits.
func CollectWithin(ctx context.Context, l Limits, m *graph.Model, values []string, set Images, pool *machine.Pool,
	progress func(done, total int)) (*graph.Stats, error) {
	memory := l.Memory
	if set.Len() == 0 {
		return nil, fmt.Errorf("the calibration set holds no image")
	}
	o := exec.Options{Pool: pool, Budget: exec.BudgetFor(memory), MemoryLimit: memory}
	if memory > exec.DefaultMemoryLimit { // more would be taken for no use
		o.MemoryLimit = exec.DefaultMemoryLimit
	}
	p, err := exec.Compile(m, o)
	if err != nil {
		return nil, err
	}
	if pool == nil {
		pool = machine.NewPool(1)
		defer pool.Close()
	}
	c, err := newCollector(m.Graph, values)
	if err != nil {
		return nil, err
	}
	processes := cluster.Or(l.Cluster)
	own, err := following(processes, -1, set.Len())
	if err != nil {
		return nil, err
	}
	for i := range set.Len() {
		x, err := set.Input(i)
		if err != nil {
			return nil, err
		}
		if i != own {
			continue
		}
		watch.Of(ctx).Task("calibrating on image %d of %d", i+1, set.Len())
		for part := range pieces(p, x) {
			inputs, err := fed(p, set, part)
			if err != nil {
				return nil, err
			}
			_, err = p.Run(ctx, inputs, exec.RunOptions{
				Observe: func(v *graph.Value, t *ops.Tensor) { c.observe(pool, v, t) },
			})
			if err != nil {
				return nil, fmt.Errorf("calibration image %d: %w", i+1, err)
			}
		}
		c.ended(i)
		if progress != nil {
			progress(i+1, set.Len())
		}
		if own, err = following(processes, i, set.Len()); err != nil {
			return nil, err
		}
	}
	if err := c.join(processes); err != nil {
		return nil, err
	}
	return c.stats(set)
}

// following is the image of n that this process takes after image i.
func following(c cluster.Comm, i, n int) (int, error) {
	if c.Size() == 1 {
		return i + 1, nil
	}
	return c.Take(n)
}

// collector holds one counter for each channel of each value.
type collector struct {
	g      *graph.Graph
	names  []string
	counts map[string][]*counter
	wanted map[*graph.Value]bool
}

// page is the bins of one sign and exponent pair: keys that differ in their lower
// byte.
type page [1 << 8]int64

// counter is a histogram under construction, one bin for each upper half of a
// float32. Activations have few exponents, so pages are made as they are hit.
type counter struct {
	pages              [1 << 8]*page
	count, zeros, nans int64
	smallest, largest  float32
	sum                float64         // of the present image
	sums               map[int]float64 // of each image
}

func newCollector(g *graph.Graph, values []string) (*collector, error) {
	c := &collector{g: g, names: values, counts: map[string][]*counter{}, wanted: map[*graph.Value]bool{}}
	for _, name := range values {
		v := g.Value(name)
		if v == nil {
			return nil, fmt.Errorf("value %q to calibrate is not in the graph", name)
		}
		c.wanted[v] = true
	}
	return c, nil
}

// observe adds one tensor [N,C,...].
func (c *collector) observe(pool *machine.Pool, v *graph.Value, t *ops.Tensor) {
	if !c.wanted[v] || t.F32 == nil {
		return
	}
	channels, plane := 1, len(t.F32)
	if len(t.Dims) >= 2 {
		channels = t.Dims[1]
		plane = len(t.F32) / max(t.Dims[0]*channels, 1)
	}
	list := c.counts[v.Name()]
	for len(list) < channels {
		list = append(list, &counter{})
	}
	c.counts[v.Name()] = list
	pool.Run(channels, func(_, lo, hi int) {
		for ch := lo; ch < hi; ch++ {
			for at := ch * plane; at < len(t.F32); at += channels * plane {
				list[ch].add(t.F32[at : at+plane])
			}
		}
	})
}

func (k *counter) add(xs []float32) {
	for _, x := range xs {
		if x == 0 {
			k.zeros++
		} else if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
			k.nans++
			continue
		} else {
			k.bin(graph.BinKey(x))
		}
		if k.count == 0 {
			k.smallest, k.largest = x, x
		}
		k.smallest, k.largest = min(k.smallest, x), max(k.largest, x)
		k.count++
		k.sum += float64(x)
	}
}

func (k *counter) bin(key uint16) { k.bins(key, 1) }

// bins counts so many numbers of a bin.
func (k *counter) bins(key uint16, n int64) {
	p := &k.pages[key>>8]
	if *p == nil {
		*p = &page{}
	}
	(*p)[key&0xff] += n
}

// stats turns the counters into plain data.
func (c *collector) stats(set Images) (*graph.Stats, error) {
	s := &graph.Stats{Images: set.Len(), SHA256: set.SHA256(), Values: map[string]*graph.ValueStats{}}
	for _, name := range c.names {
		list := c.counts[name]
		if list == nil {
			return nil, fmt.Errorf("value %q to calibrate is not computed as a float tensor", name)
		}
		vs := &graph.ValueStats{}
		for ch, k := range list {
			h := k.histogram()
			if h.NaNs > 0 {
				return nil, c.notFinite(name, ch, h.NaNs)
			}
			vs.Channels = append(vs.Channels, h)
		}
		s.Values[name] = vs
	}
	return s, nil
}

// notFinite is the error of a value that was NaN or infinite, of the node that gives it.
func (c *collector) notFinite(name string, channel int, count int64) error {
	v := c.g.Value(name)
	if v.Producer() == nil {
		return fmt.Errorf("value %q, channel %d: %d elements are NaN or infinite", name, channel, count)
	}
	return op.Unsupportedf(v.Producer(), "channel %d of its result has %d elements that are NaN or infinite on the calibration images, want finite ones; "+
		"look for weights that are too large and for divisions by 0 in front of it", channel, count)
}

func (k *counter) histogram() *graph.Histogram {
	h := &graph.Histogram{Count: k.count, Zeros: k.zeros, NaNs: k.nans,
		Min: k.smallest, Max: k.largest, Sum: k.total()}
	for high, p := range k.pages {
		if p == nil {
			continue
		}
		for low, n := range p {
			if n > 0 {
				h.Bins = append(h.Bins, graph.Bin{Key: uint16(high<<8 | low), Count: n})
			}
		}
	}
	return h
}
