package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/runtime/eval"
	"spikingir/runtime/metric"
)

// evaluation is what eval is asked for.
type evaluation struct {
	spikingir.EvaluateOptions
	data    spikingir.Data
	run     spikingir.RunOptions
	ref     string
	bounded bool // --memory was given
	limits  limits
	shown   shown
}

func (a *app) evalCmd() *cobra.Command {
	e := &evaluation{}
	cmd := &cobra.Command{
		Use:   "eval MODEL --task TASK --data DIR",
		Short: "Measure quality, agreement with the ANN, firing rates and energy",
		Long: `eval runs MODEL over a data set and reports PSNR and SSIM against the ground
truth, and with --ref, its ANN: the conversion rate in per cent, and the
agreement, the PSNR between the two outputs. Quality alone misleads as a measure
of conversion: quantisation can move an image closer to the truth than its ANN.
An image that would take more than --memory between input and output runs tile by
tile, as run does it; spikes and potentials are those of the whole image. A network
of which a layer runs step by step is measured whole.`,
		Args:        cobra.ExactArgs(1),
		Annotations: map[string]string{hasTable: "given"},
		RunE: func(cmd *cobra.Command, args []string) error {
			e.bounded = cmd.Flags().Changed("memory")
			all, err := a.evaluate(cmd.Context(), args[0], e)
			if err != nil {
				return err
			}
			if err := a.printReports(all); err != nil {
				return err
			}
			a.judgeLimits(&e.limits, all)
			return a.judge()
		},
	}
	f := cmd.Flags()
	addTask(f, &e.data.Task)
	addLimit(f, &e.data)
	e.addMeasure(f)
	f.StringVar(&e.ref, "ref", "", "the ANN that the model was converted from")
	e.limits.add(f)
	e.shown.add(f)
	f.IntSliceVarP(&e.run.Timesteps, "timesteps", "T", nil,
		"run with T timesteps instead of the model's own; a rising list measures each in one run")
	return cmd
}

// addMeasure adds the flags that say how images are measured.
func (e *evaluation) addMeasure(f *pflag.FlagSet) {
	addFolders(f, &e.data, &e.run.Inputs)
	addOutputName(f, &e.run.Output)
	f.StringVar((*string)(&e.SSIM), "ssim", "gaussian", "window of SSIM: gaussian (11x11, sigma 1.5) or uniform7")
	f.StringVar((*string)(&e.Energy), "energy", "paper", "energy model: paper or exact; never compare the two")
	f.StringVar((*string)(&e.FirstLayer), "first-layer", "once", "charge the first layer once or per-step")
	addMemory(f, &e.run.MemoryLimit)
	f.BoolVar(&e.run.Tile, "tile", false, "of a network of one size of images: measure others in overlapping tiles of that size; spikes and energy are those of all tiles")
}

// check finds what is wrong with the flags before a model is read.
func (e *evaluation) check() error { return cmp.Or(e.checkMeasure(), e.limits.check(e.ref)) }

// checkMeasure is check of how images are measured.
func (e *evaluation) checkMeasure() error {
	return cmp.Or(choose("ssim", string(e.SSIM)), choose("energy", string(e.Energy)),
		choose("first-layer", string(e.FirstLayer)), checkTimesteps(e.run.Timesteps), checkGiven(&e.data))
}

// evaluate measures the network of a file.
func (a *app) evaluate(ctx context.Context, path string, e *evaluation) ([]*spikingir.Report, error) {
	if e.shown.wanted() {
		if err := a.leads(); err != nil {
			return nil, err
		}
	}
	e.Cluster = a.cluster
	if err := cmp.Or(e.check(), a.wantGate(len(e.limits.flags()) > 0, "one of --assert-psnr-drop, --assert-agreement, --assert-rate and --assert-energy-ratio")); err != nil {
		return nil, err
	}
	if e.ref != "" {
		a.verdict.Others = append(a.verdict.Others, e.ref)
	}
	m, err := a.loadNetwork(path, "onnx")
	if err != nil {
		return nil, err
	}
	a.takeTask(path, m, &e.data.Task)
	if err := cmp.Or(checkTruth(&e.data), e.shown.check(&e.data, path, e.ref)); err != nil {
		return nil, err
	}
	e.shown.inputs.AddModels(m)
	model, err := a.ready(path, m, e.run)
	if err != nil {
		return nil, err
	}
	defer model.Close()
	if e.ref != "" {
		r, err := a.reference(e.ref, model, e.run)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		e.Reference = r.Network
	}
	if err := model.Restores(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	a.notePorts(model, e.run.Output)
	e.guard(model)
	step, end := a.Progress("evaluating")
	defer end()
	e.Progress, e.data.Seed, e.Each = step, a.Seed, e.shown.each()
	all, err := spikingir.Evaluate(ctx, model.Network, e.data, e.EvaluateOptions)
	if err != nil {
		return nil, err
	}
	return all, e.shown.finish()
}

// guard keeps a run within its memory.
func (e *evaluation) guard(model *loaded) {
	if e.bounded {
		e.Accept = func(w, h int) error { return checkMemory(model.Tiling(w, h), w, h) }
	}
	collectOften()
}

// reference reads the ANN that a model, opened as o says, is compared with. It is fed as the
// model is, and its output is that of the same name, where it has them.
func (a *app) reference(path string, model *loaded, o spikingir.RunOptions) (*loaded, error) {
	m, err := a.load(path, "onnx")
	if err != nil {
		return nil, err
	}
	return a.against(path, m, model, o)
}

// against makes the ANN ready that a model is compared with.
func (a *app) against(path string, m *graph.Model, model *loaded, o spikingir.RunOptions) (*loaded, error) {
	feeds := model.Stated()
	maps.Copy(feeds, o.Inputs)
	own := spikingir.RunOptions{MemoryLimit: o.MemoryLimit, Tile: o.Tile, Inputs: taken(m, feeds)}
	names, at := model.Outputs()
	if v := m.Graph.Value(names[at]); v != nil && v.IsOutput() {
		own.Output = names[at]
	}
	r, err := a.ready(path, m, own)
	switch {
	case err != nil:
		return nil, err
	case r.Channels() != model.Channels():
		err = fmt.Errorf("%s takes images of %d channels and its reference %s of %d, want equal",
			model.path, model.Channels(), path, r.Channels())
	case r.Gives() != model.Gives() && r.Gives() != 0 && model.Gives() != 0:
		err = fmt.Errorf("%s gives images of %d channels and its reference %s of %d, want equal",
			model.path, model.Gives(), path, r.Gives())
	default:
		return r, nil
	}
	r.Close()
	return nil, err
}

// taken is those of some values that a model has inputs for.
func taken(m *graph.Model, feeds map[string]spikingir.Feed) map[string]spikingir.Feed {
	feeds = maps.Clone(feeds)
	maps.DeleteFunc(feeds, func(name string, _ spikingir.Feed) bool {
		v := m.Graph.Value(name)
		return v == nil || !v.IsInput()
	})
	return feeds
}

// printReports shows what was measured; JSON is a list with an object for each number of
// timesteps, also where there is one.
func (a *app) printReports(all []*spikingir.Report) error {
	if a.format == "csv" {
		return a.printCSV(all)
	}
	switch {
	case a.format == "json":
		return a.json(all)
	case len(all) > 1:
		a.printSteps(all)
	default:
		a.printReport(all[0])
	}
	return nil
}

// printReport shows a report as tables.
func (a *app) printReport(r *spikingir.Report) {
	t := a.table()
	t.AppendHeader(table.Row{"", "PSNR (dB)", "SSIM", "energy (mJ)"})
	if r.Input.PSNR != 0 {
		t.AppendRow(table.Row{"input", decibel(r.Input.PSNR), r4(r.Input.SSIM), ""})
	}
	if r.Ref != nil {
		t.AppendRow(table.Row{"reference", decibel(r.Ref.PSNR), r4(r.Ref.SSIM), fmt.Sprintf("%.3f", *r.Energy.RefMJ)})
	}
	name := "model"
	if r.Timesteps > 0 {
		name = fmt.Sprintf("model, T = %d", r.Timesteps)
	}
	t.AppendRow(table.Row{name, decibel(r.Model.PSNR), r4(r.Model.SSIM), fmt.Sprintf("%.3f", r.Energy.ModelMJ)})
	t.Render()
	a.printTerms(r)
	if r.Timing != nil {
		fmt.Fprintln(a.out, r.Timing)
	}
	if r.Rate != nil {
		fmt.Fprintf(a.out, "conversion rate: PSNR %.1f %%, SSIM %.1f %%, mean %.1f %%\n",
			r.Rate.PSNR, r.Rate.SSIM, r.Rate.Mean)
	}
	if r.Agreement != nil {
		fmt.Fprintf(a.out, "agreement with the reference: %s dB\n", decibel(r.Agreement.PSNR))
	}
	if r.Energy.SavingPC != nil && r.Timesteps > 0 {
		fmt.Fprintf(a.out, "energy saved against the reference: %.1f %%\n", *r.Energy.SavingPC)
	}
	a.printFindings("", r.Findings)
	if len(r.Layers) == 0 {
		return
	}
	l := a.table()
	l.AppendHeader(table.Row{"layer", "neuron", "firing rate", "post step", "residual |v|/θ", "v ≥ θ/2", "v ≥ θ"})
	for _, n := range r.Layers {
		l.AppendRow(table.Row{n.Origin, n.Neuron, r4(n.FiringRate), r4(n.PostShare), r4(n.Residual), r4(n.Half), r4(n.Full)})
	}
	l.AppendFooter(table.Row{"all", "", r4(r.FiringRate)})
	l.Render()
}

// printTerms says on what terms was measured.
func (a *app) printTerms(r *spikingir.Report) {
	fmt.Fprintf(a.out, "images %d, %.2f s per image, energy model %s, first layer charged %s\n",
		r.Images, r.Seconds, r.Energy.Mode, r.Energy.First)
	if r.Timesteps == 0 {
		return
	}
	fmt.Fprintf(a.out, "%.1f %% of the multiply-accumulates are driven by spikes, the rest is charged as in the ANN\n", 100*r.SpikeShare)
	if r.CurrentShare > 0 {
		fmt.Fprintf(a.out, "but for %.1f %% in layers that read sums of layers without an activation, charged in full at every step\n",
			100*r.CurrentShare)
	}
}

// printFindings says what speaks against a network, at a number of timesteps that at names.
func (a *app) printFindings(at string, f eval.Findings) {
	if f.Poor != "" {
		fmt.Fprintf(a.out, "%sthe network is no good here: %s\n", at, f.Poor)
	}
	for _, l := range []struct {
		what  string
		names []string
	}{
		{"never fire", f.Silent},
		{"saturated, with more to fire than there are timesteps for", f.Saturated},
	} {
		if len(l.names) > 0 {
			fmt.Fprintf(a.out, "%s%s: %s\n", at, l.what, cli.Line(strings.Join(l.names, ", ")))
		}
	}
}

// maxColumns is more than any table has.
const maxColumns = 16

// table is a plain table on standard output, whose cells may have any text of a model.
func (a *app) table() table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(a.out)
	style := table.StyleDefault
	style.Format = table.FormatOptions{}
	t.SetStyle(style)
	var columns []table.ColumnConfig
	for i := range maxColumns {
		columns = append(columns, table.ColumnConfig{Number: i + 1, Transformer: func(x any) string { return cli.Shown(fmt.Sprint(x)) }})
	}
	t.SetColumnConfigs(columns)
	return t
}

func r4(x float64) string { return fmt.Sprintf("%.4f", x) }

// decibel prints a PSNR to three decimals, the precision of the paper's tables.
func decibel(x metric.DB) string { return fmt.Sprintf("%.3f", float64(x)) }
