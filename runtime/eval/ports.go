package eval

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"spikingir/graph"
	"spikingir/graph/infer"
	"spikingir/runtime/ops"
)

// A Feed is what an input beside the image is given: a tensor, or where that is nil one
// number for all of its elements.
type Feed struct {
	Number float64     `json:"number,omitempty"`
	Tensor *ops.Tensor `json:"tensor,omitempty"`
}

// Ports is the image [N,C,H,W] that a model takes, what it takes beside it, and the image
// that it gives.
type Ports struct {
	Input    string
	Channels int // of the image that it takes; 0 where the model leaves it open
	Output   int // among the outputs of the graph
	Gives    int // channels of that output; 0 where the model does not state them

	elem   graph.DType // of the input
	beside []beside
}

// PortsOf finds the ports of a model that takes nothing but an image.
func PortsOf(g *graph.Graph) (Ports, error) { return FindPorts(g, nil, "") }

// FindPorts finds the ports of a model of which some inputs are fed beside the image. The
// output is that of a name, or where it is empty the first that may be an image.
func FindPorts(g *graph.Graph, feeds map[string]Feed, output string) (Ports, error) {
	x, err := imageInput(g, feeds)
	if err != nil {
		return Ports{}, err
	}
	t := x.Type
	if t.Kind != graph.TensorType || !isImageType(t.Elem) || t.Shape != nil && len(t.Shape) != 4 {
		return Ports{}, fmt.Errorf("input %q is %v, want a float image [N,C,H,W]", x.Name(), t)
	}
	p := Ports{Input: x.Name(), elem: t.Elem}
	if shape := infer.Input(x); shape != nil {
		p.Channels = channels(shape)
	}
	if p.Output, err = imageOutput(g, output); err != nil {
		return Ports{}, err
	}
	p.Gives = channels(g.Outputs()[p.Output].Type.Shape)
	return p, nil
}

func channels(s graph.Shape) int {
	if len(s) != 4 {
		return 0
	}
	c, _ := s[1].Size()
	return int(max(c, 0))
}

func isImageType(d graph.DType) bool {
	return slices.Contains([]graph.DType{graph.Float32, graph.Float16, graph.BFloat16, graph.Float64}, d)
}

// imageInput is the one input that nothing else is given for.
func imageInput(g *graph.Graph, feeds map[string]Feed) (*graph.Value, error) {
	var open []*graph.Value
	for _, v := range g.Inputs() {
		if _, fed := feeds[v.Name()]; !fed && !v.IsInitializer() {
			open = append(open, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(feeds)) {
		if v := g.Value(name); v == nil || !v.IsInput() {
			return nil, fmt.Errorf("the model has no input %q to be fed, it takes %s", name, list(g.Inputs()))
		}
	}
	switch len(open) {
	case 0:
		return nil, fmt.Errorf("every input is given a value or has one, %s: want one left open for the image", list(g.Inputs()))
	case 1:
		return open[0], mistaken(g, open[0], feeds)
	}
	image := slices.IndexFunc(open, imageLike)
	var way []string
	for i, v := range open {
		if i != max(image, 0) {
			way = append(way, fmt.Sprintf("--input %s or --input %s", asked(v, example(v)), asked(v, "FILE.npy")))
		}
	}
	return nil, fmt.Errorf("the model takes %s, and images are fed to one of them: give the others by a number or a tensor, as in %s",
		list(open), strings.Join(way, " and "))
}

// imageLike reports whether v may be the image: [N,C,H,W] of one channel or three, and not of a single pixel, as
// noise levels are.
func imageLike(v *graph.Value) bool {
	s := v.Type.Shape
	if c := channels(s); len(s) != 4 || c != 1 && c != 3 {
		return false
	}
	rows, _ := s[2].Size()
	columns, _ := s[3].Size()
	return rows != 1 || columns != 1
}

// mistaken is an error where the image itself was given a value, so that one is left open which is none.
func mistaken(g *graph.Graph, open *graph.Value, feeds map[string]Feed) error {
	if open.Type.Shape == nil || len(open.Type.Shape) == 4 {
		return nil
	}
	for _, v := range g.Inputs() {
		if _, fed := feeds[v.Name()]; fed && imageLike(v) {
			return fmt.Errorf("input %q is the image, and is given a value: want one for %q in its place, as in --input %s",
				v.Name(), open.Name(), asked(open, example(open)))
		}
	}
	return nil
}

// example is a number that an input may be fed.
func example(v *graph.Value) string {
	if v.Type.Kind == graph.TensorType && v.Type.Elem != graph.Undefined && !v.Type.Elem.IsFloat() {
		return "1"
	}
	return "0.1"
}

// asked is NAME=VALUE as a shell takes it for one word.
func asked(v *graph.Value, value string) string {
	text := v.Name() + "=" + value
	plain := func(c rune) bool {
		return c == '_' || c >= '+' && c <= '9' && c != ';' || c == '=' || c == ':' || c == '@' || unicode.IsLetter(c)
	}
	if strings.IndexFunc(text, func(c rune) bool { return !plain(c) }) < 0 {
		return text
	}
	return strconv.Quote(text)
}

// imageOutput is the output that is taken as the image.
func imageOutput(g *graph.Graph, name string) (int, error) {
	outputs := g.Outputs()
	if name != "" {
		if at := slices.IndexFunc(outputs, func(v *graph.Value) bool { return v.Name() == name }); at >= 0 {
			return at, nil
		}
		return 0, fmt.Errorf("the model has no output %q, it gives %s", name, list(outputs))
	}
	if len(outputs) == 1 {
		return 0, nil
	}
	at := slices.IndexFunc(outputs, func(v *graph.Value) bool {
		t := v.Type
		c := channels(t.Shape)
		return t.Kind == graph.NoType || t.Kind == graph.TensorType && isImageType(t.Elem) &&
			(t.Shape == nil || len(t.Shape) == 4 && (c == 0 || c == 1 || c == 3))
	})
	if at < 0 {
		return 0, fmt.Errorf("the model gives %s, want an image [N,C,H,W] of 1 or 3 channels", list(outputs))
	}
	return at, nil
}

// list names values with their types.
func list(values []*graph.Value) string {
	var parts []string
	for _, v := range values {
		parts = append(parts, fmt.Sprintf("%q %v", v.Name(), v.Type))
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// Inputs is what a run on an image is given, by name. A model that takes another float type
// gets the image in that.
func (p Ports) Inputs(x *ops.Tensor) (map[string]*ops.Tensor, error) {
	if p.elem != graph.Undefined && p.elem != x.DType {
		x = x.As(p.elem)
	}
	m := map[string]*ops.Tensor{p.Input: x}
	for _, b := range p.beside {
		t, err := b.tensor(x.Dims)
		if err != nil {
			return nil, err
		}
		m[b.value.Name()] = t
	}
	return m, nil
}

// Beside is the inputs that [Ports.Inputs] adds to the image, in the order of the graph's.
func (p Ports) Beside() []string {
	var names []string
	for _, b := range p.beside {
		names = append(names, b.value.Name())
	}
	return names
}
