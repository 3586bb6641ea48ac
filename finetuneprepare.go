package spikingir

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/passes"
	"spikingir/passes/quantiseweights"
	"spikingir/passes/recipes"
	"spikingir/passes/snapweights"
	"spikingir/runtime/eval"
	"spikingir/runtime/train"
)

// prepare makes model, teacher and options ready.
func (f *finetuning) prepare() error {
	plain, output, err := f.trainable(f.model, f.OutputName)
	f.OutputName = output
	if err != nil {
		return err
	}
	f.feeds = f.feedsOf(f.model)
	maps.DeleteFunc(f.feeds, func(name string, _ Feed) bool { // what is stored, and what became constant
		v := f.model.Graph.Value(name)
		return v == nil || !v.IsInput() || v.IsInitializer()
	})
	if f.exact, err = snapweights.Relax(f.model); err != nil {
		return err
	}
	if err := f.settle(plain); err != nil {
		return err
	}
	if !plain && !f.NoBiases {
		train.AddBiases(f.model)
	}
	if f.Snap {
		if err := f.snapped(f.model.Clone()); err != nil {
			return fmt.Errorf("%s: --snap: %w", pathOf(f.model), refused(err))
		}
	}
	return f.teach()
}

// trainable prepares a model for training and reports whether it is an ANN. Of an ANN it
// folds what training could not keep apart, such as a BatchNormalization behind its
// convolution. The name is that of the output to train, the first that may be an image
// where it is empty; it is given back where there are several.
func (f *finetuning) trainable(m *Model, name string) (plain bool, output string, err error) {
	path := pathOf(m)
	if err := validate(m); err != nil {
		return false, "", err
	}
	if err := CheckWeights(m); err != nil {
		return false, "", fmt.Errorf("%s: %w", path, err)
	}
	feeds := f.feedsOf(m)
	if output, err = f.trains(m, feeds, name); err == nil {
		_, err = op.TimingOf(m.Graph)
	}
	if plain = !Spiking(m); err == nil && plain {
		feeds, err = override(m, feeds)
	}
	if err != nil {
		return false, "", unsupported(fmt.Errorf("%s: %w", path, err))
	}
	if plain {
		if _, flat := m.Metadata.Get(graph.MetaTimesteps); flat {
			return false, "", unsupported(fmt.Errorf("%s is a spiking network in standard operators; want the form that lower --to functions writes", path))
		}
		reports, err := recipes.CleanUp().Run(m, passes.Options{Context: f.ctx, Evaluate: evaluator(f.ctx, f.pool, f.MemoryLimit), Memory: budgetOf(f.MemoryLimit), Log: f.Log})
		if err != nil {
			return false, "", fmt.Errorf("%s: %w", path, refused(err))
		}
		for _, r := range reports {
			for _, n := range r.Notes {
				f.note("%s: %s", path, n)
			}
		}
	}
	if err := storeFeeds(m, feeds); err != nil {
		return false, "", fmt.Errorf("%s: %w", path, err)
	}
	return plain, output, nil
}

// feedsOf is what a model is fed beside the image: the network what is given, or else what it states,
// and a teacher the same, where it has such inputs.
func (f *finetuning) feedsOf(m *Model) map[string]Feed {
	feeds, stated := fedWith(f.model, f.Inputs)
	if m != f.model {
		maps.Copy(feeds, stated)
		maps.DeleteFunc(feeds, func(name string, _ Feed) bool {
			v := m.Graph.Value(name)
			return v == nil || !v.IsInput()
		})
	}
	return feeds
}

// trains finds what of a model is trained, or says why nothing is.
func (f *finetuning) trains(m *Model, feeds map[string]Feed, name string) (output string, err error) {
	probe, err := ChannelsFirst(m) // as clean-up will have it
	if err != nil {
		return "", err
	}
	if probe == m && len(feeds) > 0 {
		probe = m.Clone()
	}
	ports, err := eval.Bind(probe.Graph, feeds, name)
	switch {
	case err != nil:
		return "", err
	case ports.Channels != 1 && ports.Channels != 3:
		return "", fmt.Errorf("it takes images of %d channels, want 1 or 3 to train on images", ports.Channels)
	case ports.Gives != 0 && ports.Gives != ports.Channels:
		return "", fmt.Errorf("it takes images of %d channels and gives %d, want as many to train it", ports.Channels, ports.Gives)
	}
	for _, name := range ports.Beside() {
		if feeds[name].Tensor != nil {
			return "", fmt.Errorf("its input %q follows the size of the image, and patches are smaller than a tensor for it: want a number, --input %[1]s=0.1", name)
		}
	}
	if outputs := m.Graph.Outputs(); len(outputs) > 1 {
		output = outputs[ports.Output].Name()
		if name == "" {
			f.note("%s has %d outputs; %q is trained, --output-name takes another", pathOf(m), len(outputs), output)
		}
	}
	return output, nil
}

// pathOf names a model in errors.
func pathOf(m *Model) string {
	if m.Source == nil || m.Source.Path == "" {
		return "the model"
	}
	return m.Source.Path
}

// settle completes the options when the kind of the model is known.
func (f *finetuning) settle(plain bool) (err error) {
	timing, err := op.TimingOf(f.model.Graph)
	if err != nil {
		return err
	}
	twoPhase := timing.Schedule == op.TwoPhase
	f.Method = f.method(!plain)
	if f.WeightBits == 0 {
		f.WeightBits = weightBits(f.model)
	}
	f.Follow(f.model)
	if f.Stages, err = fillShares(f.Stages); err != nil {
		return err
	}
	counted, shared := false, false
	for i := range f.Stages {
		s := &f.Stages[i]
		if plain && s.Name != "ann" {
			return badOption("%s is an ANN, without neurons: want --stages ann, not %s", pathOf(f.model), s.Name)
		}
		if twoPhase && !s.Calibrates() && s.Name != train.RateStage {
			return badOption("%s is a two-phase network, whose neurons do not fire step by step with their input: "+
				"want --stages calibrate,%s, not %s", pathOf(f.model), train.RateStage, s.Name)
		}
		if s.Rate == 0 && !s.Calibrates() {
			s.Rate = f.stageRate(!plain, twoPhase)
		}
		counted, shared = counted || s.Steps > 0, shared || s.Share > 0
	}
	if plain {
		for _, o := range []struct {
			name string
			set  bool
		}{{"snap", f.Snap}, {"train-thresholds", f.TrainThresholds}, {"train-v0", f.TrainV0},
			{"energy-weight", f.EnergyWeight != 0}, {"distill-features", f.DistillFeatures != 0}} {
			if o.set {
				return badOption("%s is an ANN, without neurons: --%s is for spiking networks", pathOf(f.model), o.name)
			}
		}
		if f.Teacher == nil {
			f.DistillOutput = 0 // there is no other ANN to learn from
		}
	}
	if !f.calibrates() {
		f.Calibration = train.Calibration{}
	}
	switch {
	case f.Steps > 0 && !shared:
		return badOption("--steps %d: --stages says all numbers of steps, want percentages there or no --steps", f.Steps)
	case shared && !counted && f.Steps == 0 && f.MaxMinutes == 0:
		f.MaxMinutes = defaultMinutes
	}
	return nil
}

// stageRate is the learning rate of a stage that states none.
func (f *finetuning) stageRate(spiking, twoPhase bool) float64 {
	switch {
	case f.Data.Task.Kind == Dehaze:
		return dehazeRate
	case twoPhase:
		return twoPhaseRate
	case spiking && f.Optimizer == "muon":
		return muonRate
	}
	return defaultRate
}

// weightBits is the size that conversion has rounded the weights of a model to, 0 where it
// left them.
func weightBits(m *Model) int {
	bits := 0
	if s, ok := lastStep(m, quantiseweights.Pass); ok {
		bits = int(quantiseweights.Bits.In(s))
	}
	return bits
}

// lastStep is the last run of a pass in the making of a model.
func lastStep(m *Model, pass *Pass) (step passes.Step, ok bool) {
	text, _ := m.Metadata.Get(graph.MetaPipeline)
	p, err := ParsePipeline(text)
	if err != nil {
		return step, false
	}
	for _, s := range p {
		if s.Pass == pass {
			step, ok = s, true
		}
	}
	return step, ok
}

// snaps reports whether the network is written in the exact form.
func (f *finetuning) snaps() bool { return f.exact || f.Snap }

// snapped brings a network in training into the exact form, in place. It keeps the functions of its
// operators where it has them, without which no other runtime loads it.
func (f *finetuning) snapped(m *Model) error {
	s := Settings{Exact: true, Lower: recipes.None}
	if slices.ContainsFunc(m.Functions, func(fn *graph.Function) bool { return fn.Domain == graph.Spiking }) {
		s.Lower = recipes.Functions
	}
	if step, ok := lastStep(m, snapweights.Pass); ok {
		if bits := int(snapweights.Bits.In(step)); bits < 16 {
			s.WeightBits = bits
		}
	} else if f.WeightBits == 8 || f.WeightBits == 12 {
		s.WeightBits = f.WeightBits
	}
	p, err := Rewriting(s)
	if err != nil {
		return err
	}
	reports, err := p.Run(m, passes.Options{Context: f.ctx, Evaluate: evaluator(f.ctx, f.pool, f.MemoryLimit), Memory: budgetOf(f.MemoryLimit), Log: f.Log})
	if before, ok := m.Metadata.Get(graph.MetaPipeline); err == nil && ok && !f.exact {
		pipeline, _ := relowered(before, reports)
		m.Metadata.Set(graph.MetaPipeline, pipeline)
	}
	return err
}

// measured brings a copy of the network that is measured into the form that it is written in. One that
// training has taken too far for the exact form is measured as it is.
func (f *finetuning) measured(m *Model) error {
	if !f.snaps() {
		return nil
	}
	rounded := m.Clone()
	if f.snapped(rounded) == nil {
		*m = *rounded
	}
	return f.ctx.Err()
}

// snap brings a trained network into the exact form. One that training has taken too far for it is
// told, and stays as it is.
func (f *finetuning) snap() error {
	if !f.snaps() {
		return nil
	}
	m := f.model.Clone()
	if err := f.snapped(m); err != nil {
		if f.ctx.Err() != nil {
			return f.ctx.Err()
		}
		f.note("the network is not in the exact form: %v", err)
		return nil
	}
	f.note("the weights were rounded to the exact form, as they were when they were measured")
	*f.model = *m
	return nil
}

func (f *finetuning) calibrates() bool { return slices.ContainsFunc(f.Stages, Stage.Calibrates) }

// teach prepares the teacher.
func (f *finetuning) teach() error {
	path := pathOf(f.model)
	if f.Teacher == nil {
		learns := f.DistillOutput > 0 || f.DistillFeatures > 0 || f.calibrates()
		if _, tuned := f.model.Metadata.Get(graph.MetaFinetune); tuned && learns {
			return badOption("%s was fine-tuned before and no longer knows its ANN: want --ref ANN, "+
				"or --distill-output 0, no --distill-features and no stage calibrate", path)
		}
		return nil
	}
	f.Teacher = f.Teacher.Clone()
	name := f.OutputName
	if !slices.ContainsFunc(f.Teacher.Graph.Outputs(), func(v *graph.Value) bool { return v.Name() == name }) {
		name = ""
	}
	plain, output, err := f.trainable(f.Teacher, name)
	if f.taught = output; err != nil {
		return err
	} else if !plain {
		return badOption("--ref %s is a spiking network, want the ANN that %s was converted from", pathOf(f.Teacher), path)
	}
	f.TeacherSHA256 = fileSHA256(f.Teacher)
	return f.comparable()
}

// fileSHA256 identifies the file of a model; empty where there is none.
func fileSHA256(m *Model) string {
	if m.Source == nil {
		return ""
	}
	return hex.EncodeToString(m.Source.SHA256[:])
}

// comparable refuses a teacher whose values are not those of the model, where the run
// compares them by their names.
func (f *finetuning) comparable() error {
	path, ref := pathOf(f.model), pathOf(f.Teacher)
	pipeline, _ := f.model.Metadata.Get(graph.MetaPipeline)
	isConv := func(n *graph.Node) bool { return n.Is("Conv") }
	switch {
	case f.DistillFeatures == 0 && !f.calibrates():
	case strings.Contains(pipeline, "absorb-scales"):
		return badOption("%s is in unit form, whose activations are not those of %s: "+
			"want no --distill-features and no stage calibrate, or a model converted without --absorb-scales", path, ref)
	case f.DistillFeatures > 0 && !f.shares(op.IsNeuron):
		return badOption("--distill-features compares activations by their names, and %s has none of those of %s: "+
			"want the ANN that it was converted from, without PRelu", ref, path)
	case f.calibrates() && !f.shares(isConv):
		return badOption("the stage calibrate compares convolutions by the names of their outputs, and %s has none of those of %s: "+
			"want the ANN that it was converted from", ref, path)
	}
	return nil
}

// shares reports whether some nodes of the model give values that the teacher has too.
func (f *finetuning) shares(of func(*graph.Node) bool) bool {
	for n := range f.model.Graph.Nodes() {
		if of(n) && f.Teacher.Graph.Value(n.Output(0).Name()) != nil {
			return true
		}
	}
	return false
}
