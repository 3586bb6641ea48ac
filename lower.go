package spikingir

import (
	"context"
	"errors"
	"slices"
	"strings"

	"spikingir/passes"
	"spikingir/passes/recipes"
)

// Form is how a file states spiking operators, one of [Forms].
type Form = recipes.Form

// Forms lists the forms that a spiking network can be written in; the first is the default.
func Forms() []string { return recipes.Forms() }

var errNoNeurons = errors.New("the model has no neurons; want a spiking network, as convert makes it")

// Lower writes a spiking network, [Lowered] ones too, in another form, in place, and says what it did. Of the
// options those of a conversion's methods and images have no say, and of the settings all but Opset. The network stays what it
// is but for the forms that round: "qdq" takes weights of 8 bits.
func Lower(ctx context.Context, m *Model, form Form, o Options) (*Conversion, error) {
	p, err := Rewriting(Settings{Lower: form, Opset: o.Settings.Opset})
	if err != nil {
		return nil, err
	}
	remarks, err := Raise(ctx, m)
	switch {
	case err != nil:
		return nil, err
	case !Spiking(m):
		return nil, unsupported(errNoNeurons)
	}
	if o.StopAfter != "" {
		if p, err = p.Until(o.StopAfter); err != nil {
			return nil, err
		}
	}
	o.Inputs = nil
	return o.carryOut(ctx, m, p, &Conversion{Neurons: []string{}, Notes: append([]string{}, remarks...), Pipeline: p.String()}, true)
}

// relowered is the pipeline of a network that the reported passes have written anew. Where they
// changed nothing but its form, that is the pipeline which would have given this form at
// once, and the network is the same; else they stand behind it.
func relowered(before string, reports []passes.Report) (pipeline string, same bool) {
	var all, left []string
	for _, r := range reports {
		all = append(all, r.Step.String())
		if !slices.Contains(formless, r.Step.Pass.Name) && (r.Changed || ofForm(r.Step.Pass.Name)) {
			left = append(left, r.Step.String())
		}
	}
	if slices.ContainsFunc(left, func(pass string) bool { return !ofForm(pass) }) {
		return before + "," + strings.Join(all, ","), false
	}
	for i := strings.LastIndexByte(before, ','); i >= 0 && ofForm(before[i+1:]); i = strings.LastIndexByte(before, ',') {
		before = before[:i]
	}
	return strings.Join(append([]string{before}, left...), ","), true
}

// formless are the passes of a rewriting that leave a network what it is.
var formless = []string{"raise-forms", "upgrade-opset", "infer-shapes", "split-regions", "adopt-spiking", "dead-node"}

// ofForm reports whether a pass, as a pipeline names it, writes a form, or in which opset it is said.
func ofForm(pass string) bool {
	return strings.HasPrefix(pass, "lower-") || strings.HasPrefix(pass, "downgrade-opset")
}
