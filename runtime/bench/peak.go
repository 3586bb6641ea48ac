package bench

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"spikingir/runtime/kernel"
	"spikingir/runtime/kernel/count"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/kernel/spike"
)

// A family is kernels that work runs on.
type family struct {
	name string
	// peak is what one thread reaches with the arithmetic unit that the selected
	// implementation uses, and sustained what it keeps up for a while, in 10^9
	// operations a second.
	peak, sustained func(time.Duration) float64
	// operations are those of one multiply-add.
	operations func() int
}

func two() int  { return 2 }
func four() int { return 4 }

// Layers between spikes in fixed point have a family of their own, those on counts of spikes
// another, and so have the convolutions of training. A weight of 16 bits is two products of
// counts.
var (
	analogFamily   = &family{"float32", kernel.PeakFloat32, kernel.SustainedFloat32, two}
	spikingFamily  = &family{"spikes", spike.Peak, spike.Sustained, spike.Ops}
	countFamily    = &family{"counts", count.Peak, count.Sustained, two}
	count16Family  = &family{"counts", count.Peak, count.Sustained, four}
	trainingFamily = &family{"train", kernel.PeakFloat32, nil, two}
)

// inference lists the families that networks run on.
var inference = []*family{analogFamily, spikingFamily, countFamily}

const (
	// probeTime is how long a figure is probed that is reported itself.
	probeTime = 200 * time.Millisecond
	// glanceTime is how long one is probed before and after each measurement.
	glanceTime = 40 * time.Millisecond
)

// selected names the implementation in use.
func (f *family) selected() string { return cmp.Or(machine.Selected(f.name), f.name) }

// together is what so many threads sustain at the same time for about d: the sum of
// their mean rates. Where two of them are one core, or share its time with other
// programs, that is less than the threads' peaks, which are the best of moments.
func (f *family) together(threads int, d time.Duration) float64 {
	var wait sync.WaitGroup
	list := make([]float64, threads)
	for i := range list {
		wait.Go(func() { list[i] = f.sustained(d) })
	}
	wait.Wait()
	sum := 0.0
	for _, p := range list {
		sum += p
	}
	return sum
}

// Sustained is what so many threads sustain at the same time on spiking kernels, for a
// moment, in 10^9 operations a second.
func Sustained(threads int) float64 { return spikingFamily.together(threads, glanceTime) }

// peaks are those of families.
type peaks map[*family]float64

// probed runs f and gives the peaks of some families. Machines that others share
// change their speed from moment to moment, so it is the larger of those right before
// and right after.
func probed(f func() error, families ...*family) (peaks, error) {
	p := peaks{}
	probe := func() {
		for _, fam := range families {
			p[fam] = max(p[fam], fam.peak(glanceTime))
		}
	}
	probe()
	err := f()
	probe()
	return p, err
}

// Peaks gives a line for each family that networks run on: the probed peak of one
// thread, and what all threads sustain at the same time.
func (b *Bench) Peaks() (one, together []Line) {
	n := b.pool.Threads()
	for _, f := range inference {
		l := Line{Work: "peak " + f.name, Kernel: f.selected(), Threads: 1, GOPS: digits(f.peak(probeTime)), Share: 1}
		one = append(one, l)
		l.Threads, l.GOPS = n, digits(f.together(n, probeTime))
		together = append(together, l)
	}
	return one, together
}

// With runs f with another implementation of the spiking kernels selected, and of
// those families that have one of the same name. What f compiles must be run by f.
// It is an error when this CPU lacks the implementation, or when it is selected
// anyway.
func With(implementation string, f func() error) error {
	before := machine.Implementations()
	answers := func(so func(machine.Implementation) bool) bool {
		return slices.ContainsFunc(before, func(i machine.Implementation) bool {
			return i.Family == spikingFamily.name && i.Answers(implementation) && so(i)
		})
	}
	if answers(func(i machine.Implementation) bool { return i.Selected }) {
		return fmt.Errorf("%s is what is selected anyway", implementation)
	}
	if !answers(func(i machine.Implementation) bool { return i.Available }) {
		return fmt.Errorf("this CPU lacks what the %s kernels need", implementation)
	}
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
