package bench

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// The families of kernels that work runs on: layers between spikes in fixed point
// have one of their own.
const (
	analogFamily  = "float32"
	spikingFamily = "spikes"
	// trainingFamily is that of the convolutions of training.
	trainingFamily = "train"
)

const (
	// probeTime is how long a peak is probed that is reported itself.
	probeTime = 200 * time.Millisecond
	// glanceTime is how long one is probed before and after each measurement.
	glanceTime = 40 * time.Millisecond
	// togetherTime is how long a mean is taken of what threads sustain.
	togetherTime = 200 * time.Millisecond
)

// peaks is what one thread reaches with the arithmetic unit that the selected
// implementation of a family uses, in 10^9 operations a second, by family.
type peaks map[string]float64

// probe measures the peaks of some families. Machines that others share change
// their speed from moment to moment, so each measurement is compared with the
// larger of the peaks right before and right after it.
func probe(families ...string) peaks {
	p := peaks{}
	for _, f := range families {
		p[f] = peak(f, glanceTime)
	}
	return p
}

// and is the larger ones of two probes of the same families.
func (p peaks) and(q peaks) peaks {
	larger := peaks{}
	for f, x := range p {
		larger[f] = max(x, q[f])
	}
	return larger
}

// peak is the peak of one thread, probed for about d.
func peak(family string, d time.Duration) float64 {
	switch family {
	case analogFamily, trainingFamily:
		return kernel.PeakFloat32(d)
	case spikingFamily:
		return spike.Peak(d)
	}
	panic("bench: no peak is known for kernels of family " + family)
}

// together is what so many threads sustain at the same time for about d: the sum of
// their mean rates. Where two of them are one core, or share its time with other
// programs, that is less than the threads' peaks, which are the best of moments.
func together(family string, threads int, d time.Duration) float64 {
	var wait sync.WaitGroup
	list := make([]float64, threads)
	sustained := kernel.SustainedFloat32
	if family == spikingFamily {
		sustained = spike.Sustained
	}
	for i := range list {
		wait.Go(func() { list[i] = sustained(d) })
	}
	wait.Wait()
	sum := 0.0
	for _, p := range list {
		sum += p
	}
	return sum
}

// Peaks is a line for each family in use: the probed peak of one thread.
func (b *Bench) Peaks() []Line {
	var list []Line
	for _, family := range families() {
		list = append(list, Line{Work: "peak " + family, Kernel: selected(family), Threads: 1,
			GOPS: digits(peak(family, probeTime)), Share: 1})
	}
	return list
}

// Together is a line for each family in use: what all threads sustain at the same
// time.
func (b *Bench) Together() []Line {
	var list []Line
	for _, family := range families() {
		n := b.pool.Threads()
		list = append(list, Line{Work: "peak " + family, Kernel: selected(family), Threads: n,
			GOPS: digits(together(family, n, togetherTime)), Share: 1})
	}
	return list
}

// families lists the families in use, each once.
func families() []string { return []string{analogFamily, spikingFamily} }

// operations is what the kernels of a family spend on one multiply-add.
func operations(family string) float64 {
	if family == spikingFamily {
		return float64(spike.Ops())
	}
	return 2
}

// selected names the implementation in use of a family.
func selected(family string) string {
	return cmp.Or(machine.Selected(family), family)
}

// With runs f with another implementation of the spiking kernels selected, and of
// those families that have one of the same name. What f compiles must be run by f.
// It is an error when this CPU lacks the implementation, or when it is selected
// anyway.
func With(implementation string, f func() error) error {
	if answers(implementation, func(i machine.Implementation) bool { return i.Selected }) {
		return fmt.Errorf("%s is what is selected anyway", implementation)
	}
	if !answers(implementation, func(i machine.Implementation) bool { return i.Available }) {
		return fmt.Errorf("this CPU lacks what the %s kernels need", implementation)
	}
	before := machine.Implementations()
	if err := machine.Select(implementation); err != nil {
		return err
	}
	err := f()
	for _, i := range before {
		if i.Selected {
			err = errors.Join(err, machine.SelectFamily(i.Family, i.Name))
		}
	}
	return err
}

// answers reports whether an implementation of the spiking kernels that is so answers
// to a name.
func answers(name string, so func(machine.Implementation) bool) bool {
	return slices.ContainsFunc(machine.Implementations(), func(i machine.Implementation) bool {
		return i.Family == spikingFamily && i.Answers(name) && so(i)
	})
}
