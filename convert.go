package spikingir

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"log/slog"
	"strconv"

	"spikingir/graph"
	"spikingir/graph/cost"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/onnxio"
	"spikingir/passes"
	"spikingir/passes/foldconstants"
	"spikingir/runtime/cluster"
	"spikingir/runtime/eval"
	"spikingir/runtime/kernel/machine"
	"spikingir/runtime/watch"
)

// Options is what [Convert] is asked for. The zero value converts by the default
// recipe, calibrated on a few embedded images.
type Options struct {
	// Recipe is the conversion method, one of [Recipes]; empty takes the first.
	Recipe string
	// Settings are those of the recipe; what is zero takes its default, see
	// [DefaultSettings].
	Settings Settings
	// Pipeline, when not nil, runs in the place of a recipe. [Recipe] and
	// [ParsePipeline] make one, to which passes of one's own can be added.
	Pipeline Pipeline
	// Rewrite writes a model that is a spiking network already in the form Settings.Lower, as
	// [Lower] does. Forms that are not the default are written without it.
	Rewrite bool
	// Calibration is the images whose activations set the thresholds: degraded as the
	// network will be used, and not those that it is measured on. Without any, embedded
	// ones are taken, which is enough to try things out.
	Calibration Data
	// Inputs is what the network is fed beside the image while it is calibrated, by the names
	// of its inputs. Such inputs stay analog; the converted network has these values where
	// no others are given.
	Inputs map[string]Feed
	// MemoryLimit is the bytes that what is computed may take: constants that are folded, and
	// a run on an image, which runs in pieces where it is large. What takes more is an error
	// that names the node. 0 is a quarter of the machine's memory, negative is no limit.
	MemoryLimit int64
	// Threads is how many threads work; 0 takes every core. The result does not depend
	// on it.
	Threads int
	// Cluster is the processes that share out the calibration images; nil for this one alone. All
	// of them convert the same model, and get the same bytes.
	Cluster cluster.Comm
	// Progress, when not nil, is called after each calibration image.
	Progress func(done, total int)
	// StopAfter ends the conversion with the first pass of that name; the model is then as
	// that pass left it. Empty runs all.
	StopAfter string
	// Check, when not nil, runs the model before and after every pass.
	Check *Check
	// Before, when not nil, is called before each pass; its error ends the conversion.
	Before func(index int, s passes.Step, m *Model) error
	// After, when not nil, is called after each pass; its error ends the conversion.
	After func(passes.Report, *Model) error
	// Log hears what each pass does, at the level of debugging; nil is silent.
	Log *slog.Logger
}

// A Conversion says what was done to a model.
type Conversion struct {
	Recipe    string `json:"recipe,omitempty"` // empty where a pipeline was given
	Pipeline  string `json:"pipeline"`         // as [ParsePipeline] reads it
	Timesteps int64  `json:"timesteps"`        // T; 0 while neurons are not timed
	// Timing is the schedule and the latency of a two-phase network; nil in lock-step.
	Timing  *op.TimingReport `json:"timing,omitempty"`
	Neurons []string         `json:"neurons"` // type and node of the file
	// SpikeShare is the share of the ANN's multiply-accumulates that spikes drive; the rest
	// is computed, and charged, as in the ANN. 0 while neurons are not timed.
	SpikeShare float64 `json:"spike_driven_macs"`
	// CurrentShare is the share of layers that read the sum of other layers, with no
	// activation in between: a current, by which they multiply in full at every step.
	CurrentShare float64  `json:"current_driven_macs"`
	Images       int      `json:"calibration_images"`
	Calib        string   `json:"calibration_sha256,omitempty"` // of the calibration inputs
	Notes        []string `json:"notes"`                        // of the passes, to the user
	// Checks is what [Options.Check] found, one for each pass.
	Checks []PassCheck `json:"pass_checks,omitempty"`
}

// Convert turns a network into a spiking one, in place, and says what it did. Weights
// and biases keep their bits unless the settings ask for the unit form. The model's
// metadata then states recipe, pipeline, T, and the hashes of the source and of the
// calibration inputs, and its IR version is the lowest that carries it. The same model, options and images give the same bytes. What
// cannot be converted is an [UnsupportedError] that names every such node, and a model
// that is not valid an [InvalidError]; after an error the model is in no defined state.
func Convert(ctx context.Context, m *Model, o Options) (*Conversion, error) {
	var remarks []string
	if o.Pipeline == nil {
		var err error
		if remarks, err = Raise(ctx, m); err != nil {
			return nil, err
		}
	}
	rewritten := o.Pipeline == nil && Spiking(m)
	p, c, err := o.plan(rewritten)
	if err != nil {
		return nil, err
	}
	c.Notes = append(c.Notes, remarks...)
	return o.carryOut(ctx, m, p, c, rewritten)
}

// carryOut runs passes; rewritten says that the model is a spiking network already.
func (o *Options) carryOut(ctx context.Context, m *Model, p Pipeline, c *Conversion, rewritten bool) (*Conversion, error) {
	if len(p) == 0 {
		return c, nil
	}
	if err := CheckWeights(m); err != nil {
		return nil, err
	}
	imaged, err := ChannelsFirst(m)
	if err != nil {
		return nil, err
	}
	ports, err := eval.FindPorts(imaged.Graph, o.Inputs, "")
	if err != nil && len(o.Inputs) > 0 {
		return nil, unsupported(err)
	} // else the passes may do with less
	feeds := o.Inputs
	if !rewritten { // whose inputs keep their stored values
		if feeds, err = override(m, feeds); err != nil {
			return nil, err
		}
	}
	set, err := newCalibration(o.Calibration, ports.Channels)
	if err != nil {
		if wrong := infer.Model(m.Clone()); wrong != nil && isInvalid(wrong) {
			return nil, &InvalidError{wrong} // the file's own channels contradict each other
		}
		return nil, err
	}
	set.feeds = feeds
	if set.pool, err = newPool(o.Threads); err != nil {
		return nil, err
	}
	defer set.pool.Close()
	set.progress, set.memory, set.cluster = o.Progress, o.MemoryLimit, o.Cluster
	var stats *graph.Stats
	c.neurons(m)
	var check *checker
	if o.Check != nil {
		check = o.Check.start(ctx, m, o.Calibration.Seed, o.MemoryLimit)
	}
	reports, err := p.Run(m, passes.Options{
		Context:   ctx,
		Before:    o.before(ctx),
		Calibrate: set.calibrator(ctx, &stats),
		Evaluate:  evaluator(ctx, set.pool, o.MemoryLimit),
		Memory:    budgetOf(o.MemoryLimit),
		Log:       o.Log,
		After:     o.after(ctx, c, check),
	})
	if err != nil {
		if set.err == nil && ctx.Err() == nil {
			err = refused(err)
		}
		return nil, err
	}
	for _, r := range reports {
		for _, n := range r.Notes {
			c.Notes = append(c.Notes, n.String())
		}
	}
	if err := storeFeeds(m, feeds); err != nil {
		return nil, err
	}
	if stats != nil && set.sizes.Fixed() {
		c.Notes = append(c.Notes, "calibration: images are cut, or mirrored at their borders, to "+set.sizes.Only())
	}
	switch {
	case rewritten:
		m.Metadata.Set(graph.MetaVersion, Version)
		before, ok := m.Metadata.Get(graph.MetaPipeline)
		pipeline, same := relowered(before, reports)
		if ok {
			m.Metadata.Set(graph.MetaPipeline, pipeline)
		}
		if !same { // so what was measured is of another network
			m.Metadata.Delete(graph.MetaMeasured)
		}
	case len(c.Neurons) > 0:
		c.describe(m, set, stats, o.Calibration.Seed)
	default:
		return c, ctx.Err()
	}
	if m.IRVersion, err = onnxio.LeastIR(m); err != nil {
		return nil, err
	}
	return c, ctx.Err()
}

// before tells who waits of each pass, and calls Before.
func (o *Options) before(ctx context.Context) func(int, passes.Step, *Model) error {
	return func(index int, s passes.Step, m *Model) error {
		watch.Of(ctx).Task("pass %s", s.Pass.Name)
		if o.Before == nil {
			return nil
		}
		return o.Before(index, s, m)
	}
}

// after notes what each pass leaves, calls After and runs the check, if there is one.
func (o *Options) after(ctx context.Context, c *Conversion, check *checker) func(passes.Report, *graph.Model) error {
	return func(r passes.Report, m *graph.Model) error {
		c.neurons(m)
		if r.Step.Pass == foldconstants.Pass { // which computes weights
			if err := CheckWeights(m); err != nil {
				return err
			}
		}
		if o.After != nil {
			if err := o.After(r, m); err != nil {
				return err
			}
		}
		if check == nil {
			return ctx.Err()
		}
		done, err := check.after(r, m)
		c.Checks = append(c.Checks, done)
		return cmp.Or(err, ctx.Err())
	}
}

// budgetOf is a limit of memory where 0 stands for its default.
func budgetOf(limit int64) int64 { return cmp.Or(limit, machine.Budget()) }

// rewriting is the passes that write a spiking network in another form.
func (o *Options) rewriting() (Pipeline, error) {
	s, d := o.Settings, DefaultSettings()
	form := Settings{WeightBits: s.WeightBits, Unit: s.Unit, Exact: s.Exact, Opset: s.Opset, Lower: cmp.Or(s.Lower, d.Lower)}
	s.WeightBits, s.Unit, s.Exact, s.Lower, s.Opset = 0, d.Unit, d.Exact, d.Lower, 0
	given := s != d && s != Settings{Lower: d.Lower}
	again := given || o.Recipe != "" && o.Recipe != Recipes()[0]
	if again || !o.Rewrite && form == (Settings{Lower: d.Lower}) {
		return nil, unsupported(errors.New("the model is a spiking network already; convert the network it was made from, " +
			"or write this one in another form: lower --to FORM, or convert by nothing but --lower, --target-opset, --absorb-scales, --exact and --weight-bits"))
	}
	return Rewriting(form)
}

// plan is the passes to run, and the report to begin with.
func (o *Options) plan(rewritten bool) (p Pipeline, c *Conversion, err error) {
	c = &Conversion{Neurons: []string{}, Notes: []string{}}
	switch p = o.Pipeline; {
	case rewritten:
		if p, err = o.rewriting(); err != nil {
			return nil, nil, err
		}
	case p == nil:
		s, d := o.Settings, DefaultSettings()
		s.Timesteps = cmp.Or(s.Timesteps, d.Timesteps)
		s.Over = cmp.Or(s.Over, d.Over)
		s.Analog = cmp.Or(s.Analog, d.Analog)
		s.Currents = cmp.Or(s.Currents, d.Currents)
		s.Lower = cmp.Or(s.Lower, d.Lower)
		c.Recipe = cmp.Or(o.Recipe, Recipes()[0])
		if p, err = Recipe(c.Recipe, s); err != nil {
			return nil, nil, err
		}
	}
	if o.StopAfter != "" {
		if p, err = p.Until(o.StopAfter); err != nil {
			return nil, nil, err
		}
	}
	c.Pipeline = p.String()
	return p, c, nil
}

// neurons notes the neurons of m, unless a lowering has left none to see.
func (c *Conversion) neurons(m *graph.Model) {
	var list []string
	for n := range m.Graph.Nodes() {
		if op.IsNeuron(n) {
			list = append(list, n.Op().Type+" "+n.OriginLabel())
			t, _ := graph.Get(n.Attrs, "timesteps", graph.Int(0))
			c.Timesteps = int64(t)
		}
	}
	if list == nil {
		return
	}
	c.Neurons = list
	if c.Timesteps > 0 && c.SpikeShare == 0 {
		if macs, ok := cost.Of(m); ok {
			c.SpikeShare, c.CurrentShare = macs.SpikeShare(), macs.CurrentShare()
		}
	}
	if t, err := op.TimingOf(m.Graph); err == nil { // else a pass refuses them
		c.Timing = t.Report(t.Timesteps)
	}
}

// describe writes what was done into the model's metadata.
func (c *Conversion) describe(m *graph.Model, set *calibration, stats *graph.Stats, seed uint64) {
	put := m.Metadata.Set
	put(graph.MetaVersion, Version)
	if c.Recipe != "" {
		put(graph.MetaRecipe, c.Recipe)
	}
	put(graph.MetaPipeline, c.Pipeline)
	put(graph.MetaTimesteps, strconv.FormatInt(c.Timesteps, 10))
	if c.Timing != nil {
		put(graph.MetaSchedule, string(c.Timing.Schedule))
		put(graph.MetaLatency, strconv.FormatInt(c.Timing.Latency, 10))
	}
	if m.Source != nil {
		put(graph.MetaSource, hex.EncodeToString(m.Source.SHA256[:]))
	}
	if stats != nil {
		c.Images, c.Calib = stats.Images, stats.SHA256
		put(graph.MetaCalib, stats.SHA256)
		put(graph.MetaCalibImages, strconv.Itoa(stats.Images))
		put(graph.MetaTask, set.Task().String())
	}
	put(graph.MetaSeed, strconv.FormatUint(seed, 10))
	m.Metadata.Delete(graph.MetaMeasured) // of what the model was
}
