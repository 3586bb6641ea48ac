package standard_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"spikingir/graph"
	"spikingir/graph/diff"
	"spikingir/internal/randommodel"
	"spikingir/onnxio"
	"spikingir/onnxio/text"
	"spikingir/passes"
	"spikingir/passes/recipes"
	"spikingir/passes/splitregions"
	"spikingir/passes/standard"
	"spikingir/runtime/equiv"
)

// FuzzPasses runs passes in any order that their needs allow on models of any operators, or on
// networks. None may be at fault; a model that can be computed is not called invalid; its inputs and
// outputs stay; and a pass that does not state that it changes results leaves them as they are.
func FuzzPasses(f *testing.F) {
	for i, data := range randommodel.Seeds(200) {
		f.Add(data, randommodel.Seeds(100)[(7*i+3)%100], i%2 == 0)
	}
	f.Fuzz(func(t *testing.T, data, order []byte, network bool) {
		m := randommodel.Any(data)
		if network {
			m = randommodel.Network(data)
		}
		holdPasses(t, m, anyOrder(order))
	})
}

// anyOrder is up to eight passes in the order of the bytes, without those whose needs nothing before
// them gives.
func anyOrder(order []byte) (p passes.Pipeline) {
	all := standard.Passes()
	var have passes.Facts
	for _, b := range order {
		next := all[int(b)%len(all)]
		if !have.Has(next.Needs) {
			continue
		}
		if p = append(p, next.With()); len(p) == 8 {
			break
		}
		have = have&^next.Drops | next.Gives
	}
	return p
}

// FuzzRecipes converts networks by the recipes, with settings out of bytes, and holds every pass to the same.
func FuzzRecipes(f *testing.F) {
	for i, data := range randommodel.Seeds(200) {
		f.Add(data, byte(i), byte(i/5), byte(i/7), byte(i/11))
	}
	f.Fuzz(func(t *testing.T, data []byte, recipe, form, bits, rest byte) {
		s := recipes.Defaults()
		s.Timesteps = 1 + int(rest%4)
		s.Lower = recipes.Form(recipes.Forms()[int(form)%len(recipes.Forms())])
		s.WeightBits = []int{0, 8, 12, 16}[bits%4]
		s.Unit = bits%8 > 4
		s.Opset = []int{0, 9, 13, 16, 18, 22}[form/8%6]
		s.Percentile = []float64{0, 100, 90, 50}[rest/4%4]
		if rest%3 > 0 {
			s.Analog = splitregions.Keep
		}
		p, err := recipes.New(recipes.Names()[int(recipe)%len(recipes.Names())], s)
		if err != nil {
			t.Skip(err)
		}
		m := randommodel.Network(data)
		holdPasses(t, m, p)
		if !t.Failed() && !t.Skipped() {
			holdForm(t, m.Model, s.Lower)
		}
	})
}

// holdForm demands that a network in a form, written and read again, gives its neurons back, and
// that lowering it again gives the same.
func holdForm(t *testing.T, m *graph.Model, form recipes.Form) {
	t.Helper()
	rewrite := func(m *graph.Model, form recipes.Form) *graph.Model {
		p, err := recipes.Rewrite(recipes.Settings{Lower: form})
		if err != nil {
			t.Fatal(err)
		}
		m, err = onnxio.Decode(encode(t, m))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Run(m, passes.Options{}); err != nil {
			t.Fatalf("from %s: %v, of\n%s", form, err, text.Format(m))
		}
		return m
	}
	once := rewrite(m, recipes.None)
	twice := rewrite(rewrite(once, form), recipes.None)
	if form == recipes.Functions { // which state more
		once, twice = twice, rewrite(rewrite(twice, form), recipes.None)
	}
	for _, e := range diff.Models(once, twice).Entries {
		t.Errorf("%s there and back: %s %s %s: %q -> %q", form, e.Change, e.Kind, e.Name, e.A, e.B)
	}
}

// holdPasses runs a pipeline and holds each pass to what passes promise.
func holdPasses(t *testing.T, m *randommodel.Model, p passes.Pipeline) {
	t.Helper()
	before := text.Format(m.Model)
	defer func() {
		if t.Failed() {
			t.Logf("%v of\n%s", p, before)
		}
	}()
	w := watch{random: m}
	w.start()
	image, alone := m.Image()
	if !alone {
		image = nil
	}
	again := m.Clone()
	o := randommodel.PassOptions(image)
	o.After = w.after
	if _, err := p.Run(m.Model, o); err != nil {
		var fault *passes.Internal
		var lost *difference
		if errors.As(err, &fault) || errors.As(err, &lost) || passes.IsInvalid(err) {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	o.After = nil
	if _, err := p.Run(again, o); err != nil {
		t.Fatalf("the second time: %v", err)
	}
	b := encode(t, m.Model)
	if !bytes.Equal(b, encode(t, again)) {
		t.Error("other bytes the second time")
	}
	if _, err := onnxio.Decode(b); err != nil {
		t.Errorf("what was made does not read back: %v", err)
	}
	after := text.Format(m.Model)
	if back, err := text.Parse(after); err != nil || text.Format(back) != after {
		t.Errorf("what was made prints as another model (%v):\n%s", err, after)
	}
}

// watch compares what the model computes after each pass.
type watch struct {
	random  *randommodel.Model
	names   []string
	in      []map[string]*graph.Tensor
	want    []map[string]*graph.Tensor // nil where the model could not be run
	spiking bool
}

// difference says that a pass breaks a promise.
type difference struct{ error }

func (w *watch) start() {
	w.names = interfaceOf(w.random.Model)
	w.in = append(w.in, w.random.Inputs)
	if _, alone := w.random.Image(); alone { // other models depend on what integers say
		w.in = []map[string]*graph.Tensor{w.random.Other(1), w.random.Other(2), w.random.Other(3)}
	}
	w.want, _ = w.run(w.random.Model)
}

// interfaceOf lists what a caller knows of a model.
func interfaceOf(m *graph.Model) (names []string) {
	for _, v := range m.Graph.Inputs() {
		if !v.IsInitializer() {
			names = append(names, "input "+v.Name())
		}
	}
	for _, v := range m.Graph.Outputs() {
		names = append(names, "output "+v.Name())
	}
	return names
}

// run gives the outputs for each input.
func (w *watch) run(m *graph.Model) (all []map[string]*graph.Tensor, err error) {
	for _, in := range w.in {
		own := map[string]*graph.Tensor{}
		for name, t := range in {
			own[name] = t
		}
		c := m.Clone()
		if err := equiv.Adapt(c, own); err != nil {
			return nil, err
		}
		out, err := equiv.Execute(c, own)
		if err != nil {
			return nil, err
		}
		all = append(all, out)
	}
	return all, nil
}

func (w *watch) after(r passes.Report, m *graph.Model) error {
	pass := r.Step.Pass
	if names := interfaceOf(m); !slices.Equal(names, w.names) {
		return &difference{fmt.Errorf("pass %s makes the interface %q, it was %q", pass.Name, names, w.names)}
	}
	if !r.Changed {
		return nil
	}
	want := w.want
	var err error
	if w.want, err = w.run(m); err != nil && want != nil {
		return &difference{fmt.Errorf("pass %s: the model cannot be run any more: %w", pass.Name, err)}
	}
	if want == nil || pass.Changes != "" {
		w.spiking = w.spiking || pass.Name == "encode-input"
		return nil
	}
	if err := w.compare(want); err != nil {
		return &difference{fmt.Errorf("pass %s, which states no change: %w\n%s", pass.Name, err, text.Format(m))}
	}
	return nil
}

// compare holds the results to those before. Of a spiking network one input has to give the same, but for few
// elements: on the others rounding may have moved a potential across its level, and where no input reaches, at
// corners whose currents are biases alone, it does so on all.
func (w *watch) compare(want []map[string]*graph.Tensor) (err error) {
	tolerance := w.random.Rounding()
	for i := range want {
		d, why := equiv.Compare(w.random.Model, want[i], w.want[i], true)
		if why == nil && !(d.Size <= tolerance) {
			why = errors.New(d.String())
		}
		if w.spiking && (why == nil || few(want[i], w.want[i], tolerance)) {
			return nil
		}
		if why != nil {
			err = why
		}
	}
	return err
}

// few reports whether at most one element in fifty differs by more than the tolerance.
func few(want, got map[string]*graph.Tensor, tolerance float64) bool {
	differ, all := 0, 0
	for name, w := range want {
		a, err := w.Float32s()
		b, err2 := got[name].Float32s()
		if err != nil || err2 != nil || len(a) != len(b) {
			return false
		}
		for i := range a {
			if !(math.Abs(float64(a[i])-float64(b[i])) <= tolerance) {
				differ++
			}
		}
		all += len(a)
	}
	return 50*differ <= all
}
