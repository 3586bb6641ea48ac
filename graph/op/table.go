package op

import (
	"fmt"
	"slices"
	"strings"

	"spikingir/graph"
)

// Oldest and Newest bound the opsets of the standard operators that are
// understood. SpikingVersion is the version of domain [graph.Spiking] that files state,
// TwoPhaseVersion that of files with neurons of the two-phase schedule, and GradedVersion that
// of files with neurons whose spikes have more values than one. NewestSpiking knows all operators.
const (
	Oldest          = 6
	Newest          = 24
	SpikingVersion  = 1
	TwoPhaseVersion = 2
	GradedVersion   = 3
	NewestSpiking   = GradedVersion
)

// Temporal is how an operator F behaves over time: whether it may stand between
// spiking neurons, which asks for sum_t F(x_t) = F(sum_t x_t).
type Temporal uint8

// The classes of behaviour. [LinearInTime] decides for a node.
const (
	Nonlinear   Temporal = iota
	Linear               // in all operands together
	LinearConst          // in one operand, when the others do not vary over time
	Timed                // operators of domain ai.spikingir: they state time themselves
)

// Arity is how many inputs or outputs there may be. Max -1: any number.
type Arity struct{ Min, Max int }

// String is "2", "1 to 3" or "1 or more".
func (a Arity) String() string {
	switch {
	case a.Max < 0:
		return fmt.Sprintf("%d or more", a.Min)
	case a.Min == a.Max:
		return fmt.Sprint(a.Min)
	}
	return fmt.Sprintf("%d to %d", a.Min, a.Max)
}

func (a Arity) allows(n int) bool { return n >= a.Min && (a.Max < 0 || n <= a.Max) }

// Attr is an attribute that an operator knows.
type Attr struct {
	Name     string
	Type     graph.AttrType
	Required bool
}

// Form is what an operator takes from opset Since on, until its next form.
type Form struct {
	Since   int64
	In, Out Arity
	Attrs   []Attr // by name
}

// Spec is one operator's row of the table.
type Spec struct {
	Op               graph.Op
	Since, Until     int64  // the opsets understood
	Omissible        []int  // inputs that may be omitted though later ones are required
	Forms            []Form // ascending in Since
	Temporal         Temporal
	Elementwise      bool // each element of the result depends on those at its place only
	ConstantFoldable bool // a function of its inputs: constants in, constant out
	Doc              string
}

// Form gives what the operator takes at an opset; nil outside those understood.
func (s *Spec) Form(opset int64) *Form {
	if opset < s.Since || opset > s.Until {
		return nil
	}
	var form *Form
	for i := range s.Forms {
		if s.Forms[i].Since <= opset {
			form = &s.Forms[i]
		}
	}
	return form
}

// All lists the table, standard operators first, by name.
func All() []*Spec { return slices.Clone(table) }

// Lookup finds an operator's row, nil when it is not in the table. The domain
// "ai.onnx" is the standard one.
func Lookup(o graph.Op) *Spec {
	if o.Domain == "ai.onnx" {
		o.Domain = ""
	}
	return index[o]
}

var (
	table = build(rows)
	index = func() map[graph.Op]*Spec {
		m := make(map[graph.Op]*Spec, len(table))
		for _, s := range table {
			m[s.Op] = s
		}
		return m
	}()
)

// Check holds n against its row: the opset is one understood, inputs and
// outputs are as many as the operator takes, attributes are known and of the
// right type. It does not look at the attributes' values; the typed views do.
func Check(n *graph.Node, opset int64) error {
	if err := CheckArity(n, opset); err != nil {
		return err
	}
	return Lookup(n.Op()).Form(opset).checkAttrs(n, opset)
}

// CheckArity is the part of [Check] that does not look at attributes.
func CheckArity(n *graph.Node, opset int64) error {
	s := Lookup(n.Op())
	if s == nil {
		return Unsupportedf(n, "the operator is not known")
	}
	form := s.Form(opset)
	if form == nil {
		return Unsupportedf(n, "opset %d, want one from %d to %d for this operator", opset, s.Since, s.Until)
	}
	in, out := n.Arity()
	if !form.In.allows(max(in, min(n.NumInputs(), form.In.Min))) {
		return Errorf(n, "%d inputs, want %v at opset %d", in, form.In, opset)
	}
	if !form.Out.allows(max(out, min(n.NumOutputs(), form.Out.Min))) {
		return Errorf(n, "%d outputs, want %v at opset %d", out, form.Out, opset)
	}
	for i := range form.In.Min {
		if n.Input(i) == nil && !slices.Contains(s.Omissible, i) {
			return Errorf(n, "input %d is omitted, want %v inputs at opset %d", i, form.In, opset)
		}
	}
	return nil
}

func (f *Form) checkAttrs(n *graph.Node, opset int64) error {
	for _, a := range n.Attrs {
		i := slices.IndexFunc(f.Attrs, func(k Attr) bool { return k.Name == a.Name })
		if i < 0 {
			return Errorf(n, "attribute %q is not known at opset %d, want %s", a.Name, opset, f.names())
		}
		if found, want := graph.TypeOf(a.Value), f.Attrs[i].Type; found != want {
			return Errorf(n, "attribute %q is of type %v, want %v", a.Name, found, want)
		}
	}
	for _, k := range f.Attrs {
		if _, ok := n.Attrs.Lookup(k.Name); k.Required && !ok {
			return Errorf(n, "attribute %q is missing, want one of type %v", k.Name, k.Type)
		}
	}
	return nil
}

func (f *Form) names() string {
	if len(f.Attrs) == 0 {
		return "none"
	}
	names := make([]string, len(f.Attrs))
	for i, a := range f.Attrs {
		names[i] = a.Name
	}
	return "one of " + strings.Join(names, ", ")
}
