package passes

import (
	"context"
	"fmt"
	"log/slog"

	"spikingir/graph"
	"spikingir/graph/op"
)

// Pass is one rewrite or analysis of a model. It is a value without state; the
// state of one run is a [Context].
type Pass struct {
	Name    string // its folder's name with dashes: "fold-batchnorm"
	Doc     string // the first line is the title
	Options []Option
	Needs   Facts // must hold before
	Gives   Facts // hold afterwards; each is checked
	Drops   Facts // may no longer hold afterwards

	// Changes says why the model may compute something else afterwards. Empty, as for
	// most: it computes the same but for the rounding of float32, which checks demand.
	Changes string

	// Run edits the model and reports whether it changed anything. An error
	// says what was found and wanted and names the node of the user's model.
	Run func(*Context) (changed bool, err error)
}

// Step is a pass with some of its options set; the others keep their defaults.
type Step struct {
	Pass     *Pass
	Settings []Setting
}

// With is the pass with options set, as a step of a pipeline. [Pipeline.Validate]
// reports a value out of range.
func (p *Pass) With(settings ...Setting) Step { return Step{p, settings} }

// check refuses settings of other passes and values out of range.
func (s Step) check() error {
	seen := map[Option]bool{}
	for _, x := range s.Settings {
		name := x.option.Name()
		switch {
		case s.Pass.option(name) != x.option:
			return s.Pass.unknown(name)
		case seen[x.option]:
			return fmt.Errorf("pass %s: option %s stands twice", s.Pass.Name, name)
		case x.err != nil:
			return fmt.Errorf("pass %s, option %s=%s: %w", s.Pass.Name, name, x.text, x.err)
		}
		seen[x.option] = true
	}
	return nil
}

func (p *Pass) option(name string) Option {
	for _, o := range p.Options {
		if o.Name() == name {
			return o
		}
	}
	return nil
}

// unknown says that the pass has no option of that name.
func (p *Pass) unknown(name string) error {
	list := "; it has none"
	if len(p.Options) > 0 {
		list = "; it has"
	}
	for _, o := range p.Options {
		list += " " + o.Name()
	}
	return fmt.Errorf("pass %s has no option %q%s", p.Name, name, list)
}

// Calibrator runs the model on the calibration set and returns the
// distribution of the named values of the main graph.
type Calibrator func(m *graph.Model, values []string) (*graph.Stats, error)

// Evaluator computes the outputs of a node whose inputs are all constant.
type Evaluator func(n *graph.Node, opset int64) ([]*graph.Tensor, error)

// Context is one run of one pass over one model.
type Context struct {
	Model *graph.Model
	Log   *slog.Logger

	ctx       context.Context // never nil in a run
	step      Step
	calibrate Calibrator
	evaluate  Evaluator
	memory    int64
	notes     []Note
	refused   []Refusal
	names     map[*graph.Graph]*graph.NodeNames
}

// NodeName is base, or base with a number, unlike the name of every node that g had when
// the pass first named one, and those given since.
func (c *Context) NodeName(g *graph.Graph, base string) string {
	if c.names == nil {
		c.names = map[*graph.Graph]*graph.NodeNames{}
	}
	if c.names[g] == nil {
		c.names[g] = g.NodeNames()
	}
	return c.names[g].Fresh(base)
}

// Each calls f for every node of the main graph, without those that f adds or
// removed, and reports whether any call changed something.
func (c *Context) Each(f func(n *graph.Node) (changed bool, err error)) (changed bool, err error) {
	for n := range c.Model.Graph.Nodes() {
		if err := c.ended(); err != nil {
			return changed, err
		}
		done, err := f(n)
		changed = changed || done
		if err != nil {
			return changed, err
		}
	}
	return changed, nil
}

// Note is a remark to the user about one node, or the whole model.
type Note struct {
	Pass string
	Node string // of the user's model; "" for the whole
	Text string
}

func (n Note) String() string {
	if n.Node == "" {
		return n.Pass + ": " + n.Text
	}
	return fmt.Sprintf("%s: node %q: %s", n.Pass, n.Node, n.Text)
}

// Notef records a remark for the user; node is nil for the whole model.
func (c *Context) Notef(node *graph.Node, format string, args ...any) {
	n := Note{Pass: c.step.Pass.Name, Text: fmt.Sprintf(format, args...)}
	if node != nil {
		n.Node = node.OriginLabel()
	}
	c.notes = append(c.notes, n)
}

// Calibrate gives the distribution of values over the calibration set.
func (c *Context) Calibrate(values []string) (*graph.Stats, error) {
	if c.calibrate == nil {
		return nil, fmt.Errorf("pass %s needs calibration images and got none", c.step.Pass.Name)
	}
	return c.calibrate(c.Model, values)
}

// Evaluate computes a node whose inputs are constants.
func (c *Context) Evaluate(n *graph.Node) ([]*graph.Tensor, error) {
	if c.evaluate == nil {
		return nil, fmt.Errorf("pass %s has nothing to evaluate constants with", c.step.Pass.Name)
	}
	if err := c.ended(); err != nil {
		return nil, err
	}
	return c.evaluate(n, c.Model.Opset(""))
}

// Memory is the bytes that the pass may make of constants; 0 or less for any number.
func (c *Context) Memory() int64 { return c.memory }

// ended is the error of the run's context once it has ended.
func (c *Context) ended() error {
	if c.ctx == nil {
		return nil
	}
	return c.ctx.Err()
}

// Insert adds a node before mark that descends from the node from: it takes
// over its origin and region, and is named after its operator's role.
// An empty name takes that of from.
func (c *Context) Insert(mark, from *graph.Node, name string, op graph.Op, attrs graph.Attrs,
	inputs []*graph.Value, outputs ...string) *graph.Node {
	n := mark.Graph().InsertBefore(mark, op, attrs, inputs, outputs...)
	c.descend(n, from, name)
	return n
}

// descend gives n the provenance and region of from and a name like name; a
// descendant of an unnamed node stays unnamed unless a name is given. The model
// imports the spiking domain from its first spiking node on.
func (c *Context) descend(n, from *graph.Node, name string) {
	if name == "" {
		name = from.Name
	}
	if name != "" {
		n.Name = c.NodeName(n.Graph(), name)
	}
	n.From = graph.Origin{Node: from.OriginLabel(), Pass: c.step.Pass.Name}
	n.Region = from.Region
	if n.Op().Domain == graph.Spiking && c.Model.Opset(graph.Spiking) == 0 {
		c.Model.SetOpset(graph.Spiking, op.SpikingVersion)
	}
}

// Append is Insert at the end of from's graph.
func (c *Context) Append(from *graph.Node, name string, op graph.Op, attrs graph.Attrs,
	inputs []*graph.Value, outputs ...string) *graph.Node {
	n := from.Graph().AddNode(op, attrs, inputs, outputs...)
	c.descend(n, from, name)
	return n
}
