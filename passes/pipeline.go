package passes

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"spikingir/graph"
)

// Pipeline is passes in order.
type Pipeline []Step

// Options is what a run of a pipeline takes from its caller.
type Options struct {
	// Context ends the run when it ends, with its error; nil never does.
	Context   context.Context
	Calibrate Calibrator
	Evaluate  Evaluator
	Memory    int64        // bytes that a pass may make of constants; 0 or less: any number
	Log       *slog.Logger // nil: silent
	// Before is called when a step, counted from 0, is about to run.
	Before func(index int, s Step, m *graph.Model) error
	// After is called when a step is done, for dumps and progress.
	After func(Report, *graph.Model) error
	// Limit stops after that many steps, to bisect; 0 runs all.
	Limit int
}

// Report says what one step did.
type Report struct {
	Index   int // from 0
	Step    Step
	Changed bool
	Nodes   int // afterwards
	Took    time.Duration
	Notes   []Note
}

// Validate checks the settings and proves the order: each step's needs are given
// by an earlier step and not dropped in between. The same step may stand twice.
func (p Pipeline) Validate() error {
	for _, s := range p {
		if err := s.check(); err != nil {
			return err
		}
	}
	var have Facts
	var errs []error
	for i, s := range p {
		if s.Pass.Doc == "" || s.Pass.Run == nil {
			errs = append(errs, fmt.Errorf("pass %s is undocumented or has nothing to run", s.Pass.Name))
		}
		if lack := s.Pass.Needs &^ have; lack != 0 {
			errs = append(errs, fmt.Errorf("step %d, pass %s, needs %v, which no earlier step leaves standing%s",
				i+1, s.Pass.Name, lack, p.givers(lack)))
		}
		have = have&^s.Pass.Drops | s.Pass.Gives
	}
	return errors.Join(errs...)
}

// givers hints at passes of the pipeline that give what is missing.
func (p Pipeline) givers(lack Facts) string {
	var names []string
	for _, s := range p {
		if s.Pass.Gives&lack != 0 {
			names = append(names, s.Pass.Name)
		}
	}
	if names == nil {
		return ""
	}
	return "; given by " + strings.Join(names, ", ")
}

// Until is the pipeline up to the first step of the pass called name, with it.
func (p Pipeline) Until(name string) (Pipeline, error) {
	for i, s := range p {
		if s.Pass.Name == name {
			return p[:i+1], nil
		}
	}
	return nil, fmt.Errorf("the pipeline %q has no pass %q", p, name)
}

// Run applies the steps to m, which it edits in place. After each it sorts the
// nodes, checks every invariant of the graph, the claimed facts and the
// provenance of new nodes. On an error m is in an undefined state.
func (p Pipeline) Run(m *graph.Model, o Options) ([]Report, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	if o.Context == nil {
		o.Context = context.Background()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	var reports []Report
	for i, s := range p {
		if o.Limit > 0 && i >= o.Limit {
			break
		}
		if err := o.Context.Err(); err != nil {
			return reports, err
		}
		if o.Before != nil {
			if err := o.Before(i, s, m); err != nil {
				return reports, err
			}
		}
		r, err := s.run(i, m, o)
		if err != nil {
			return reports, &Error{Pass: s.Pass.Name, Index: i, Err: err}
		}
		reports = append(reports, r)
		o.Log.Debug("pass", "name", s.Pass.Name, "changed", r.Changed, "nodes", r.Nodes)
		if o.After == nil {
			continue
		}
		if err := o.After(r, m); err != nil {
			return reports, err
		}
	}
	return reports, nil
}

func (s Step) run(index int, m *graph.Model, o Options) (Report, error) {
	before := map[*graph.Node]graph.Region{}
	for n := range m.Graph.Nodes() {
		before[n] = n.Region
	}
	c := &Context{Model: m, Log: o.Log, ctx: o.Context, step: s, calibrate: o.Calibrate, evaluate: o.Evaluate, memory: o.Memory}
	start := time.Now()
	changed, err := s.protected(c)
	if err == nil && c.refused != nil {
		err = &Unsupported{Refusals: c.refused}
	}
	r := Report{Index: index, Step: s, Changed: changed, Took: time.Since(start), Notes: c.notes}
	if err != nil {
		return r, err
	}
	if changed {
		if err := m.Graph.Sort(); err != nil {
			return r, err
		}
	}
	if err := m.Check(); err != nil {
		return r, internalf("left an ill-formed graph: %w", err)
	}
	if err := s.Pass.Gives.Check(m); err != nil {
		return r, internalf("did not give what it claims: %w", err)
	}
	for n := range m.Graph.Nodes() {
		region, old := before[n]
		if old && region == n.Region {
			continue
		}
		if !old && (n.From.Pass == "" || n.From.Node == "") {
			return r, internalf("made node %q without provenance", n.Label())
		}
	}
	r.Nodes = m.Graph.NumNodes()
	return r, nil
}

// protected turns a panic of the pass into an error that names the place.
func (s Step) protected(c *Context) (changed bool, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = internalf("internal error: %v\n%s", r, debug.Stack())
		}
	}()
	return s.Pass.Run(c)
}

// String is the pipeline as `--passes` takes it; [Parse] reads it back.
func (p Pipeline) String() string {
	parts := make([]string, len(p))
	for i, s := range p {
		parts[i] = s.String()
	}
	return strings.Join(parts, ",")
}

// String is the step as name{option=value,...}.
func (s Step) String() string {
	if len(s.Settings) == 0 {
		return s.Pass.Name
	}
	list := make([]string, len(s.Settings))
	for i, x := range s.Settings {
		list[i] = x.option.Name() + "=" + x.text
	}
	return s.Pass.Name + "{" + strings.Join(list, ",") + "}"
}

// Parse reads a pipeline such as "fold-batchnorm,relu-to-if{v0=0.5}"; the
// passes are found by name in known. The empty string is the empty pipeline.
func Parse(text string, known []*Pass) (Pipeline, error) {
	rest := strings.TrimSpace(text)
	if rest == "" {
		return nil, nil
	}
	var p Pipeline
	for more := true; more; {
		var name, args string
		var err error
		name, args, rest, more, err = cutStep(rest)
		if err != nil {
			return nil, fmt.Errorf("pipeline %q: %w", text, err)
		}
		if name == "" {
			return nil, fmt.Errorf("pipeline %q: want a pass between commas, and none at the end", text)
		}
		step, err := parseStep(name, args, known)
		if err != nil {
			return nil, err
		}
		p = append(p, step)
	}
	return p, nil
}

// cutStep cuts the first step off a list; more says that a comma follows it.
func cutStep(text string) (name, args, rest string, more bool, err error) {
	end := strings.IndexAny(text, ",{")
	if end < 0 {
		return strings.TrimSpace(text), "", "", false, nil
	}
	name = strings.TrimSpace(text[:end])
	if text[end] == ',' {
		return name, "", text[end+1:], true, nil
	}
	args, rest, ok := strings.Cut(text[end+1:], "}")
	if !ok {
		return "", "", "", false, fmt.Errorf("%q lacks its closing brace", text)
	}
	rest = strings.TrimSpace(rest)
	after, more := strings.CutPrefix(rest, ",")
	if !more && rest != "" {
		return "", "", "", false, fmt.Errorf("found %q, want a comma", rest)
	}
	return name, args, after, more, nil
}

func parseStep(name, args string, known []*Pass) (Step, error) {
	var pass *Pass
	var names []string
	for _, k := range known {
		if k.Name == name {
			pass = k
		}
		names = append(names, k.Name)
	}
	if pass == nil {
		return Step{}, fmt.Errorf("no pass is called %q; there are %s", name, strings.Join(names, ", "))
	}
	step := pass.With()
	for _, kv := range strings.Split(args, ",") {
		if strings.TrimSpace(kv) == "" {
			continue
		}
		k, v, ok := strings.Cut(kv, "=")
		if !ok {
			return Step{}, fmt.Errorf("pass %s: found option %q, want name=value", name, kv)
		}
		k = strings.TrimSpace(k)
		opt := pass.option(k)
		if opt == nil {
			return Step{}, pass.unknown(k)
		}
		step.Settings = append(step.Settings, opt.parse(strings.TrimSpace(v)))
	}
	return step, step.check()
}
