package eval

import (
	"bytes"
	"context"
	"encoding/gob"
	"fmt"
	"time"

	"spikingir/runtime/cluster"
	"spikingir/runtime/dataset"
	"spikingir/runtime/exec"
	"spikingir/runtime/metric"
	"spikingir/runtime/watch"
)

// tally collects the figures of the images.
type tally struct {
	Config
	names       []string
	inputs, ref []metric.Quality
	refOps      metric.MeanOps
	tracks      []track // by number of timesteps
	seconds     float64
	pixels      int // of all inputs
}

// track is the figures of the model at one number of timesteps.
type track struct {
	timesteps int
	quality   []metric.Quality
	agree     []float64
	neurons   []exec.NeuronReport
	ops       metric.MeanOps
}

// figures is what is known of one image, as processes send it to each other.
type figures struct {
	Name    string
	Seconds float64
	Pixels  int             // of the input
	Input   *metric.Quality // nil where it has another size than the target, or there is none
	Ref     metric.Quality
	RefOps  []metric.LayerOps
	Results []result // by number of timesteps
}

// result is what came of an image at one number of timesteps.
type result struct {
	Timesteps int
	Quality   metric.Quality
	Agreement float64
	Neurons   []exec.NeuronReport
	Ops       []metric.LayerOps
}

// images measures all images, and counts them in their order.
func (t *tally) images(ctx context.Context) error {
	c := cluster.Or(t.Cluster)
	if c.Size() > 1 && t.Each == nil {
		return t.shared(ctx, c)
	}
	for i := range t.Set.Len() {
		f, err := t.numbered(ctx, i)
		if err == nil {
			err = t.count(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// shared is images where several processes share them out.
func (t *tally) shared(ctx context.Context, c cluster.Comm) error {
	list, err := cluster.Map(c, t.Set.Len(), func(i int) ([]byte, error) {
		f, err := t.numbered(ctx, i)
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		err = gob.NewEncoder(&b).Encode(f)
		return b.Bytes(), err
	})
	if err != nil {
		return err
	}
	for _, b := range list {
		var f figures
		if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&f); err != nil {
			return err
		}
		if err := t.count(&f); err != nil {
			return err
		}
	}
	return nil
}

// numbered measures image i.
func (t *tally) numbered(ctx context.Context, i int) (*figures, error) {
	watch.Of(ctx).Task("measuring image %d of %d", i+1, t.Set.Len())
	s, err := t.Set.At(i)
	if err != nil {
		return nil, err
	}
	var f *figures
	if s, err = t.cropped(s); err == nil {
		f, err = t.image(ctx, s)
	}
	if err != nil {
		return nil, fmt.Errorf("image %q: %w", s.Name, err)
	}
	if t.Progress != nil {
		t.Progress(i+1, t.Set.Len())
	}
	return f, nil
}

// image measures an image.
func (t *tally) image(ctx context.Context, s dataset.Sample) (*figures, error) {
	if t.Accept != nil {
		if err := t.Accept(Tensor(s.Input).Dims); err != nil {
			return nil, err
		}
	}
	start := time.Now()
	results, err := execute(ctx, t.Model, t.Ports, s.Input, t.Tile)
	if err != nil {
		return nil, err
	}
	f := &figures{Name: s.Name, Seconds: time.Since(start).Seconds(), Pixels: s.Input.H * s.Input.W}
	if !t.Blind && s.Input.SameSize(s.Target) {
		q, err := t.score(s.Input, s)
		if err != nil {
			return nil, err
		}
		f.Input = &q
	}
	ann, err := t.reference(ctx, s, f)
	if err != nil {
		return nil, fmt.Errorf("reference: %w", err)
	}
	all := Outcome{Name: s.Name, Input: s.Input, Target: s.Target, Ref: ann}
	for _, res := range results {
		if err := t.result(s, res, ann, f); err != nil {
			return nil, err
		}
		all.Timesteps, all.Results = append(all.Timesteps, res.timesteps), append(all.Results, res.out)
	}
	if t.Each == nil {
		return f, nil
	}
	return f, t.Each(all)
}

// reference runs the ANN; the zero Image when there is none.
func (t *tally) reference(ctx context.Context, s dataset.Sample, f *figures) (dataset.Image, error) {
	if t.Ref == nil {
		return dataset.Image{}, nil
	}
	all, err := execute(ctx, t.Ref, t.RefPorts, s.Input, t.RefTile)
	if err != nil {
		return dataset.Image{}, err
	}
	res := all[len(all)-1]
	if f.RefOps = res.rows; t.Blind {
		return res.out, nil
	}
	f.Ref, err = t.score(res.out, s)
	return res.out, err
}

// result adds a result.
func (t *tally) result(s dataset.Sample, res outcome, ann dataset.Image, f *figures) (err error) {
	r := result{Timesteps: res.timesteps, Neurons: res.neurons, Ops: res.rows}
	if !t.Blind {
		if r.Quality, err = t.score(res.out, s); err != nil {
			return err
		}
	}
	if t.Ref != nil {
		if r.Agreement, err = metric.Agreement(res.out.Pix, ann.Pix); err != nil {
			return err
		}
	}
	f.Results = append(f.Results, r)
	return nil
}

// count adds an image to the sums.
func (t *tally) count(f *figures) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("image %q: %w", f.Name, err)
		}
	}()
	t.names = append(t.names, f.Name)
	t.seconds += f.Seconds
	t.pixels += f.Pixels
	if f.Input != nil {
		t.inputs = append(t.inputs, *f.Input)
	}
	if t.Ref != nil && !t.Blind {
		t.ref = append(t.ref, f.Ref)
	}
	if t.Ref != nil {
		if err := t.refOps.Add(f.RefOps); err != nil {
			return fmt.Errorf("reference: %w", err)
		}
	}
	for i, r := range f.Results {
		if err := t.tracks[i].add(t, &r); err != nil {
			return err
		}
	}
	return nil
}

// add counts a result.
func (k *track) add(t *tally, r *result) (err error) {
	k.timesteps = r.Timesteps
	if !t.Blind {
		k.quality = append(k.quality, r.Quality)
	}
	if t.Ref != nil {
		k.agree = append(k.agree, r.Agreement)
	}
	if err := k.ops.Add(r.Ops); err != nil {
		return err
	}
	k.neurons, err = merge(k.neurons, r.Neurons)
	return err
}

// score compares as the benchmark of the task does.
func (t *tally) score(out dataset.Image, s dataset.Sample) (metric.Quality, error) {
	return metric.Score(out, s.Target, metric.ScoreOptions{
		Window: t.Window, Shave: s.Shave, Clip: true,
		Quantize8: t.Set.Task().Kind == dataset.SR,
	})
}
