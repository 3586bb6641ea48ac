package op

import (
	"fmt"
	"strings"

	"spikingir/graph"
)

// Schedule says when the neurons of a network integrate and when they fire. The words
// are those of options and reports.
type Schedule string

// With Lockstep a neuron integrates slice t and fires in slice t. With TwoPhase it
// integrates all slices and fires then, so that the second phase of a layer is the first
// one of the next.
const (
	Lockstep Schedule = "lockstep"
	TwoPhase Schedule = "two-phase"
)

// twoPhase begins the names of the operators of neurons of that schedule. They have
// names of their own, so that a reader that knows lock-step alone refuses them.
const twoPhase = "TwoPhase"

// ScheduleOf is the schedule of a neuron.
func ScheduleOf(n *graph.Node) Schedule {
	if strings.HasPrefix(n.Op().Type, twoPhase) {
		return TwoPhase
	}
	return Lockstep
}

// SetTwoPhase gives a neuron of lock-step the two-phase schedule.
func SetTwoPhase(n *graph.Node) {
	o := n.Op()
	o.Type = twoPhase + o.Type
	n.SetOp(o)
}

// Timing is what the neurons of a network have in common.
type Timing struct {
	Steps
	Schedule Schedule
	Depth    int64 // the neurons on the longest path
}

// TimingOf is the timing of a graph, the zero Timing where no neuron is timed. Neurons of
// both schedules in one graph are an error.
func TimingOf(g *graph.Graph) (Timing, error) {
	var t Timing
	var first *graph.Node
	depth := map[*graph.Value]int64{}
	for n := range g.Nodes() {
		var d int64
		for _, v := range n.Inputs() {
			d = max(d, depth[v])
		}
		if IsNeuron(n) {
			r := read(n)
			steps := r.steps()
			if r.err != nil {
				return t, r.err
			}
			d++
			if steps.Timesteps > 0 {
				if first == nil {
					first = n
					t.Steps, t.Schedule = steps, ScheduleOf(n)
				}
				if s := ScheduleOf(n); s != t.Schedule {
					return t, Unsupportedf(n, "the schedule is %s, and that of %q %s; want one for all neurons of a network",
						s, first.OriginLabel(), t.Schedule)
				}
				t.Depth = max(t.Depth, d)
			}
		}
		for _, v := range n.Outputs() {
			if v != nil {
				depth[v] = d
			}
		}
	}
	return t, nil
}

// Latency is the number of steps from the first slice of the input to the last of the
// output, for a network that runs given main steps: T and the post step in lock-step; with two
// phases T in which the first layer integrates, and for each layer T and the post step
// in which it fires.
func (t Timing) Latency(timesteps int64) int64 {
	if t.Schedule == TwoPhase {
		return timesteps + t.Depth*(timesteps+t.Post)
	}
	return timesteps + t.Post
}

// TimingReport is a timing as reports give it; the JSON form is a contract of the command
// line.
type TimingReport struct {
	Schedule  Schedule `json:"schedule"`
	Timesteps int64    `json:"timesteps"`
	Latency   int64    `json:"latency_steps"`
}

// Report is the timing for a number of main steps; nil for networks that are not two-phase,
// whose latency is T and the post step.
func (t Timing) Report(timesteps int64) *TimingReport {
	if t.Schedule != TwoPhase {
		return nil
	}
	return &TimingReport{t.Schedule, timesteps, t.Latency(timesteps)}
}

// String is the report in words.
func (r *TimingReport) String() string {
	return fmt.Sprintf("schedule %s, latency %d steps at T = %d", r.Schedule, r.Latency, r.Timesteps)
}
