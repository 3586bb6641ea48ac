package spikingir

import (
	"fmt"

	"spikingir/runtime/dataset"
)

// Data names images and how they are degraded. They are read when they are needed,
// in byte order of their names.
type Data struct {
	// Task is how images are degraded; the zero Task feeds them as they are. Its
	// Channels are set to those of the network.
	Task Task
	// Dir is a folder of images; of Dehaze, one that holds hazy and clear.
	Dir string
	// Inputs and Targets are the folders of Pairs, in the place of Dir; files are
	// matched by name.
	Inputs, Targets string
	// Images are clean images, where there is no folder.
	Images []Image
	// Limit takes the first so many images; 0 takes all.
	Limit int
	// Seed is that of the noise.
	Seed uint64
}

// OrEmbedded is d, or where it names no images those of the program that [Convert] takes
// then.
func (d Data) OrEmbedded() (Data, error) {
	if !d.inMemory() || d.Images != nil {
		return d, nil
	}
	return d.embedded()
}

// inMemory reports whether no folder is named.
func (d *Data) inMemory() bool { return d.Dir == "" && d.Task.Kind != Pairs }

// Samples lists the samples for a network that takes images of some channels; 0 keeps
// those of the files.
func (d Data) Samples(channels int) (Samples, error) {
	return d.samples(channels, channels)
}

// samples lists the samples for a network that takes and gives images of some channels.
func (d Data) samples(takes, gives int) (Samples, error) {
	task, err := d.task(takes)
	if err != nil {
		return nil, err
	}
	if gives != 0 && takes != 0 && gives != takes {
		if task.Truth = gives; task.Check() != nil {
			return nil, task.Check()
		}
	}
	if d.inMemory() && d.Images != nil {
		n := len(d.Images)
		if d.Limit > 0 {
			n = min(n, d.Limit)
		}
		return &memorySet{d.Images[:n], task, d.Seed}, nil
	}
	return dataset.Open(task, dataset.Dirs{Data: d.Dir, Input: d.Inputs, Target: d.Targets}, d.Limit, d.Seed)
}

// task is the task for a network of some channels.
func (d *Data) task(channels int) (Task, error) {
	if channels > 1 && channels != 3 {
		return d.Task, unsupported(fmt.Errorf("the model takes images of %d channels, and images have 1 (gray) or 3 (RGB)", channels))
	}
	t := d.Task
	t.Channels = channels
	if t.Kind == "" {
		t.Kind = AsIs
	}
	return t, t.Check()
}

// memorySet is the samples of images in memory.
type memorySet struct {
	images []Image
	task   Task
	seed   uint64
}

func (s *memorySet) Len() int   { return len(s.images) }
func (s *memorySet) Task() Task { return s.task }

func (s *memorySet) At(i int) (dataset.Sample, error) {
	x := dataset.Sample{Name: fmt.Sprintf("image %d", i+1), Shave: s.task.Shave()}
	var err error
	x.Input, x.Target, err = s.task.Pair(s.images[i], dataset.SampleSeed(s.seed, i))
	return x, err
}
