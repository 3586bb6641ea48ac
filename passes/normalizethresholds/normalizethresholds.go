// Package normalizethresholds holds the pass normalize-thresholds, which sets
// the neurons' thresholds from calibration.
package normalizethresholds

import (
	"math"
	"strconv"

	"spikingir/passes/weights"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/spiking"
)

// Pass gives every neuron without a threshold one.
//
// Before: IF(x, theta = +Inf) in untimed form.
// After: theta is a percentile of relu(x) over the calibration set, one number
// for the layer or one for each channel ([C,1,1]). The settings stand in the
// neuron's metadata as spikingir.percentile, spikingir.over and spikingir.per.
// Conditions: thresholds come out finite and at least 2^-100. A channel without
// such a percentile takes its layer's; a layer without one takes 1, with a note. Where
// the size of dimension 1 is open, which channels never is, the layer has one threshold.
// An output neuron whose current is never positive takes the percentile of |x|.
// With method=balance theta is what local threshold balancing finds in so many rounds
// (graph.Histogram.Balance), which stand as spikingir.balanced.
// The threshold of a Clip (spikingir.limit) becomes the smaller one of its limit and
// the percentile; with limits=keep it stays. Other finite thresholds stay.
// Algebra: a neuron's rate is exact where 0 <= x <= theta, and its step is
// theta/T: the percentile trades the error of saturation for that of
// quantisation (Rueckauer et al. 2017; SpikingIR uses 99.9). Balancing descends the
// mean square of what saturation cuts off, from theta = 0 on (Bu et al., CVPR 2025). The authors
// go from batch to batch, behind layers that are clipped already; here each round is over all
// calibration images, on the ANN's own activations. With one threshold
// per channel each weight W[o,i] sees the spikes theta_i of its own channel.
var Pass = &passes.Pass{
	Name: "normalize-thresholds",
	Doc: "set thresholds from calibration\n\n" +
		"Each neuron's threshold becomes a percentile of the activation it stands\n" +
		"for, measured over the calibration set; or, with method=balance, the end of a\n" +
		"descent on what saturation cuts off.",
	Options: []passes.Option{Percentile, Over, Per, Limits, Method, Rounds},
	Needs:   passes.Typed | passes.Neurons,
	Gives:   passes.Thresholds,
	Changes: "activations above the thresholds saturate",
	Run:     run,
}

// The options.
var (
	Percentile = passes.Float("percentile", 99.9, 1, 100,
		"percentile of the activations (1 to 100; 100 is the maximum)")
	Over = passes.OneOf("over", "over the nonzero activations, or over all, zeros included",
		graph.OverNonzero, graph.OverAll)
	Per = passes.OneOf("per", "one threshold for the layer, or one for each channel", PerLayer, PerChannel)
)

// The options of how a threshold is found.
var (
	Method = passes.OneOf("method", "a percentile of the activations, or balance: local threshold balancing, which percentile and over have no say in",
		ByPercentile, ByBalance)
	Rounds = passes.Int("rounds", 4000, 1, 1_000_000, "rounds of method=balance")
)

// Way is how a threshold is found.
type Way string

// ByPercentile takes a percentile of the activations, ByBalance descends what is cut off.
const (
	ByPercentile Way = "percentile"
	ByBalance    Way = "balance"
)

// Limits is the option of neurons that stand for a Clip.
var Limits = passes.OneOf("limits", "lower the limit of a Clip to the percentile where that is smaller, or keep it",
	LowerLimits, KeepLimits)

// LimitsOf says what becomes of the limit of a Clip.
type LimitsOf string

// LowerLimits takes the percentile where it is below the limit, KeepLimits the limit.
const (
	LowerLimits LimitsOf = "lower"
	KeepLimits  LimitsOf = "keep"
)

// Granularity is what has one threshold.
type Granularity string

// PerLayer is one threshold for a layer, PerChannel one for each of its channels.
const (
	PerLayer   Granularity = "layer"
	PerChannel Granularity = "channel"
)

func run(c *passes.Context) (changed bool, err error) {
	var open []*graph.Node
	var names []string
	seen := map[string]bool{}
	for n := range c.Model.Graph.Nodes() {
		if !op.IsNeuron(n) {
			continue
		}
		theta, err := passes.Threshold(n)
		if err != nil {
			return false, err
		}
		if !spiking.IsOpen(theta) && !lowers(c, n, theta) {
			continue
		}
		if n.Input(op.NeuronBias) != nil {
			return false, op.Unsupportedf(n, "it has a bias beside its current: "+
				"run normalize-thresholds before encode-input")
		}
		open = append(open, n)
		if name := n.Input(op.NeuronX).Name(); !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	if len(open) == 0 {
		return false, nil
	}
	stats, err := c.Calibrate(names)
	if err != nil {
		return false, err
	}
	for _, n := range open {
		if err := set(c, n, stats); err != nil {
			return changed, err
		}
		changed = true
	}
	return changed, nil
}

// lowers reports whether n has the threshold of a Clip, which the percentile may lower.
func lowers(c *passes.Context, n *graph.Node, theta []float32) bool {
	_, limited := n.Metadata.Get(graph.MetaLimit)
	_, set := n.Metadata.Get(graph.MetaPercentile)
	_, balanced := n.Metadata.Get(graph.MetaBalanced)
	return limited && !set && !balanced && len(theta) == 1 && Limits.Of(c) == LowerLimits
}

func set(c *passes.Context, n *graph.Node, stats *graph.Stats) error {
	x := n.Input(op.NeuronX)
	limits, err := passes.Threshold(n)
	if err != nil {
		return err
	}
	limit := limits[0] // +Inf where there is none
	vs := stats.Values[x.Name()]
	if vs == nil || len(vs.Channels) == 0 {
		return op.Unsupportedf(n, "calibration measured nothing for its current %q", x.Name())
	}
	m := measure{stats: vs, p: Percentile.Of(c), over: Over.Of(c)}
	if Method.Of(c) == ByBalance {
		m.rounds = int(Rounds.Of(c))
	}
	layer := m.layer()
	if !usable(layer) && spiking.IsOutput(n) {
		m.side = graph.Magnitude
		layer = m.layer()
	}
	if !usable(layer) {
		switch {
		case !spiking.IsOpen(limits):
		case layer > 0:
			c.Notef(n, "its activations are too small for float32, %.3g, want %.3g at least: its threshold is 1, and it will not fire",
				layer, float32(least))
		default:
			c.Notef(n, "never fires on the calibration images: its threshold is 1")
		}
		layer = min(1, limit)
	}
	xs, dims := []float32{layer}, []int64{}
	per := Per.Of(c)
	if _, known := x.Type.Shape[1].Size(); !known && per == PerChannel {
		c.Notef(n, "has one threshold for the layer: dimension 1 of %v is none of channels", x.Type)
		per = PerLayer
	}
	if per == PerChannel {
		if xs, err = m.channels(n, layer); err != nil {
			return err
		}
		dims = spiking.PerChannel(len(xs), len(x.Type.Shape))
	}
	for i := range xs {
		xs[i] = min(xs[i], limit)
	}
	theta := weights.Renew(n.Graph(), n.Input(op.NeuronTheta), graph.NewFloat32(dims, xs), n.Label()+".theta")
	n.SetInput(op.NeuronTheta, theta)
	m.state(n)
	n.Metadata.Set(graph.MetaPer, string(per))
	return nil
}

// measure reads thresholds off the statistics of one neuron's current.
type measure struct {
	stats  *graph.ValueStats
	p      float64
	over   graph.Over
	side   graph.Side
	rounds int // of balancing; 0 takes percentiles
}

// state writes into a neuron's metadata how its threshold was found.
func (m measure) state(n *graph.Node) {
	if m.rounds > 0 {
		n.Metadata.Set(graph.MetaBalanced, strconv.Itoa(m.rounds))
		return
	}
	n.Metadata.Set(graph.MetaPercentile, strconv.FormatFloat(m.p, 'g', -1, 64))
	n.Metadata.Set(graph.MetaOver, string(m.over))
}

func (m measure) layer() float32 {
	if m.rounds > 0 {
		return m.stats.Balance(m.rounds, m.side)
	}
	return m.stats.Percentile(m.p, m.over, m.side)
}

func (m measure) perChannel() []float32 {
	if m.rounds > 0 {
		return m.stats.BalancePerChannel(m.rounds, m.side)
	}
	return m.stats.PerChannel(m.p, m.over, m.side)
}

func (m measure) channels(n *graph.Node, layer float32) ([]float32, error) {
	xs := m.perChannel()
	shape := n.Input(op.NeuronX).Type.Shape
	if c, known := shape[1].Size(); known && c != int64(len(xs)) {
		return nil, op.Unsupportedf(n, "calibration measured %d channels, want %d", len(xs), c)
	}
	for i, x := range xs {
		if !usable(x) {
			xs[i] = layer
		}
	}
	return xs, nil
}

// least is the smallest threshold: ratios of thresholds stay normal numbers.
const least = 0x1p-100

func usable(x float32) bool { return x >= least && !math.IsInf(float64(x), 0) }
