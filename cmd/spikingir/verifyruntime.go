package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/internal/onnxruntime"
	"spikingir/onnxio"
	"spikingir/passes/channelsfirst"
	"spikingir/runtime/eval"
	"spikingir/runtime/exec"
	"spikingir/runtime/ops"
	"spikingir/runtime/watch"
)

// RuntimeReport is what verify says of another runtime; its JSON form is a contract.
type RuntimeReport struct {
	Runtime string `json:"runtime"` // with its version
	// Own is the largest difference of the outputs of A here and there; nil where B is A.
	Own *float64 `json:"own_difference,omitempty"`
	// First is the first of the tensors that differs, in the order of evaluation; empty where none does.
	First   string             `json:"first_different"`
	Tensors []tensorComparison `json:"tensors"`
	// Without is the tensors of A that B has not, or has of other sizes.
	Without []string `json:"without"`
}

// elsewhere is what runs in ONNX Runtime, and A as it runs here, with the tensors in between as outputs.
type elsewhere struct {
	modules string
	report  *RuntimeReport
	ours    *loaded
	image   string          // the output of A
	means   map[string]mean // of tensors of two-phase networks, which run here on sums over time
	models  []handed
}

// handed is a model that ONNX Runtime is given.
type handed struct {
	path   string
	file   []byte
	net    *loaded // which knows what its inputs are fed
	image  string  // the output that is compared
	extras []string
}

// runtimeRival prepares ONNX Runtime's side: B, and A as well, or A alone.
func (a *app) runtimeRival(v *verification, args []string, m *loaded, r *verified) (rival, func(), error) {
	modules := cmp.Or(v.modules, os.Getenv(onnxruntime.Variable))
	version, err := onnxruntime.Find(modules, onnxruntime.Native)
	if err != nil {
		return nil, nil, err
	}
	if modules, err = filepath.Abs(modules); err != nil {
		return nil, nil, err
	}
	e := &elsewhere{modules: modules, report: &RuntimeReport{Runtime: "onnxruntime " + version, Tensors: []tensorComparison{}, Without: []string{}}}
	r.RuntimeReport = e.report
	raw, err := a.load(args[0], "onnx")
	if err != nil {
		return nil, nil, err
	}
	names, at := m.Outputs()
	e.image = names[at]
	if e.report.Tensors, err = between(raw, v.tensors); err != nil {
		return nil, nil, err
	}
	open := []*loaded{}
	end := func() {
		for _, n := range open {
			n.Close()
		}
	}
	if err := a.openSides(v, args, m, raw, e, &open, r); err != nil {
		end()
		return nil, nil, err
	}
	return e.both, end, nil
}

// openSides opens A with more outputs, and the models for ONNX Runtime; r gets what is said of B.
func (a *app) openSides(v *verification, args []string, m *loaded, raw *graph.Model, e *elsewhere, open *[]*loaded, r *verified) error {
	var extras []string
	for _, t := range e.report.Tensors {
		extras = append(extras, t.Tensor)
	}
	run := v.run
	run.Output = e.image
	here, means := withMeans(raw, extras)
	e.means = means
	ours, err := a.ready(args[0], here, run)
	if err != nil {
		return err
	}
	*open, e.ours = append(*open, ours), ours
	if raw, err = fed(args[0], raw, run.Inputs); err != nil {
		return err
	}
	own, err := handOver(args[0], raw, m, e.image, extras)
	if err != nil {
		return err
	}
	if len(args) == 1 {
		e.models = []handed{own}
		return nil
	}
	b, err := a.reference(args[1], m, v.run)
	if err != nil {
		return err
	}
	*open = append(*open, b)
	other, err := a.load(args[1], "onnx")
	if err != nil {
		return err
	}
	if other, err = fed(args[1], other, run.Inputs); err != nil {
		return err
	}
	r.B, r.TimingB = args[1], timing(b)
	r.Exact = r.Exact && spikingir.Exact(b.Model()) == nil
	has := slices.DeleteFunc(slices.Clone(extras), func(name string) bool {
		x := other.Graph.Value(name)
		return x == nil || x.Producer() == nil
	})
	names, at := b.Outputs()
	there, err := handOver(args[1], other, b, names[at], has)
	if err != nil {
		return err
	}
	own.extras = nil // its outputs alone are compared
	if own.file, err = encoded(args[0], raw); err != nil {
		return err
	}
	e.models = []handed{there, own}
	return nil
}

// handOver is a model as ONNX Runtime gets it.
func handOver(path string, m *graph.Model, net *loaded, image string, extras []string) (handed, error) {
	if len(channelsfirst.Inputs(m.Graph)) > 0 {
		return handed{}, cli.Unsupported(fmt.Errorf("%s takes images [N,H,W,C], and ONNX Runtime is given [N,C,H,W]: convert it, or compare two models here", path))
	}
	file, err := encoded(path, withOutputs(m, extras))
	return handed{path, file, net, image, extras}, err
}

// fed is m with what its inputs are fed whose sizes do not follow the image's. They are
// stored values: onnxruntime-node takes no feed for an input that has one.
func fed(path string, m *graph.Model, given map[string]spikingir.Feed) (*graph.Model, error) {
	if len(given) == 0 {
		return m, nil
	}
	m = m.Clone()
	if _, err := eval.Bind(m.Graph, given, ""); err != nil {
		return nil, cli.Unsupported(fmt.Errorf("%s: %w", path, err))
	}
	return m, nil
}

// encoded is the file of a model, with data that lies elsewhere in it.
func encoded(path string, m *graph.Model) ([]byte, error) {
	whole := m
	for _, v := range m.Graph.Initializers() {
		if v.Const == nil || v.Const.External == nil {
			continue
		}
		if whole == m {
			whole = m.Clone()
		}
		t, err := graph.NewTensor(v.Const.DType, v.Const.Dims, v.Const.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s: initializer %q: %w", path, v.Name(), err)
		}
		whole.Graph.SetInitializer(whole.Graph.Value(v.Name()), t, nil)
	}
	b, err := onnxio.Encode(whole)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return b, nil
}

// both runs A here and the models in ONNX Runtime, and compares the tensors in between.
func (e *elsewhere) both(ctx context.Context, x *ops.Tensor) (ours, theirs *ops.Tensor, nearest *float64, err error) {
	feeds, err := e.ours.Feeds(x)
	if err != nil {
		return nil, nil, nil, err
	}
	here, err := e.ours.Program().Run(ctx, feeds, exec.RunOptions{})
	if err != nil {
		return nil, nil, nil, e.ours.Fault(err)
	}
	there, err := e.run(ctx, x)
	if err != nil {
		return nil, nil, nil, err
	}
	results := map[string]*ops.Tensor{}
	for i, v := range e.ours.Model().Graph.Outputs() {
		results[v.Name()] = here.Outputs[i]
	}
	if err := e.tensors(results, there[0]); err != nil {
		return nil, nil, nil, err
	}
	outputs := make([]*ops.Tensor, len(e.models))
	for i, m := range e.models {
		if outputs[i], err = ops.FromGraph(there[i][m.image]); err != nil {
			return nil, nil, nil, err
		}
	}
	ours = results[e.image]
	if len(outputs) > 1 && slices.Equal(ours.Dims, outputs[1].Dims) {
		_, largest := apart(ours, outputs[1])
		if e.report.Own == nil {
			e.report.Own = new(float64)
		}
		*e.report.Own = max(*e.report.Own, largest)
	}
	return ours, outputs[0], nil, nil
}

// run runs the models in ONNX Runtime, and gives the outputs of each.
func (e *elsewhere) run(ctx context.Context, x *ops.Tensor) ([]map[string]*graph.Tensor, error) {
	var cases []onnxruntime.Case
	for _, m := range e.models {
		feeds, err := m.net.Feeds(x)
		if err != nil {
			return nil, err
		}
		c := onnxruntime.Case{Model: m.file, Inputs: map[string]*graph.Tensor{}}
		for name, t := range feeds {
			if c.Inputs[name], err = t.Graph(); err != nil {
				return nil, err
			}
		}
		cases = append(cases, c)
	}
	dir, err := os.MkdirTemp("", "spikingir-verify-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	watch.Of(ctx).Task("running %s in ONNX Runtime", e.models[0].path)
	s := onnxruntime.Setting{Modules: e.modules, Engine: onnxruntime.Native, Level: onnxruntime.All}
	results, err := onnxruntime.Run(ctx, s, dir, cases)
	if err != nil {
		return nil, cmp.Or(ctx.Err(), err)
	}
	var all []map[string]*graph.Tensor
	for i, r := range results {
		if r.Err != nil {
			return nil, cli.Unsupported(fmt.Errorf("%s does not run in ONNX Runtime: %w", e.models[i].path, r.Err))
		}
		all = append(all, r.Outputs)
	}
	return all, nil
}

// printRuntime shows what was found in between.
func (a *app) printRuntime(r *RuntimeReport) {
	t := a.table()
	t.AppendHeader(table.Row{"tensor", "node", "elements", "different", "share", "largest difference"})
	rows := 0
	for _, x := range r.Tensors {
		if x.Elements == 0 {
			continue
		}
		rows++
		t.AppendRow(table.Row{cli.Shown(x.Tensor), cli.Shown(x.Node), x.Elements, x.Different, fmt.Sprintf("%.3g", x.Share), fmt.Sprintf("%.3g", x.Largest)})
	}
	switch {
	case rows > 0:
		t.Render()
	case len(r.Tensors) > 0:
		a.Warnf("B has none of the tensors of A, or of other sizes, so that outputs alone are compared")
	}
	if rows > 0 && len(r.Without) > 0 {
		a.Warnf("B has not %d of the tensors of A, or has them of other sizes; the first is %s", len(r.Without), cli.Shown(r.Without[0]))
	}
	fmt.Fprintf(a.out, "compared with %s\n", r.Runtime)
	if r.Own != nil {
		fmt.Fprintf(a.out, "A there differs from A here by %.3g\n", *r.Own)
	}
	i := slices.IndexFunc(r.Tensors, func(x tensorComparison) bool { return x.Tensor == r.First })
	switch {
	case i >= 0 && r.Tensors[i].Spikes:
		fmt.Fprintf(a.out, "the first spikes that differ are those of %s: sums in another order, or rounded otherwise, reach a threshold or do not; convert --exact makes networks of which none does\n",
			cli.Shown(r.Tensors[i].Node))
	case i >= 0:
		fmt.Fprintf(a.out, "the first tensor that differs is %s\n", cli.Shown(r.First))
	case rows > 0:
		fmt.Fprintln(a.out, "no tensor in between differs by more than rounding")
	}
}
