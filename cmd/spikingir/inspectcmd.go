package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/graph/cost"
	"spikingir/graph/exact"
	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/runtime/fit"
)

// inspection is what inspect reports.
type inspection struct {
	Model     string            `json:"model"`
	SHA256    string            `json:"sha256"`
	IRVersion int64             `json:"ir_version"`
	Producer  string            `json:"producer"`
	Opsets    map[string]int64  `json:"opsets"`
	Inputs    []port            `json:"inputs"`
	Outputs   []port            `json:"outputs"`
	Sizes     string            `json:"image_sizes,omitempty"` // where not all run as they are
	Nodes     []nodeInfo        `json:"nodes"`
	Ops       []opCount         `json:"ops"`
	Functions []string          `json:"functions"`
	Weights   int64             `json:"parameters"`
	MACs      float64           `json:"macs_per_output_pixel"`
	External  bool              `json:"external_data"`
	Metadata  map[string]string `json:"metadata"`
	Unknown   []string          `json:"unknown_operators"`
	// Share is the share of the MACs that spikes drive; nil where nothing spikes.
	Share  *float64         `json:"spike_driven_macs,omitempty"`
	Timing *op.TimingReport `json:"timing,omitempty"` // of a two-phase network
	// Exact tells that every runtime gives the same bits.
	Exact bool `json:"exact,omitempty"`
	// Form is how the spiking operators are written, where the file says it, and Neurons how
	// many neuron layers it states.
	Form    spikingir.Form `json:"form,omitempty"`
	Neurons int            `json:"neuron_layers,omitempty"`
	// Conversion is what convert would make of it; nil of a spiking network.
	Conversion *outlook `json:"conversion,omitempty"`
	// Measured is what the file states of firing rates and energy.
	Measured *spikingir.Record `json:"measured,omitempty"`
}

type port struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Default string `json:"default,omitempty"` // what an input beside the image was fed in the conversion
}

type opCount struct {
	Op    string `json:"op"`
	Count int    `json:"count"`
}

type nodeInfo struct {
	Name   string  `json:"name"`
	Op     string  `json:"op"`
	Region string  `json:"region,omitempty"`
	Output string  `json:"output"`
	Type   string  `json:"type"`
	Params int64   `json:"parameters"`
	MACs   float64 `json:"macs_per_pixel"`
}

func (a *app) inspectCmd() *cobra.Command {
	var reader string
	var gates opGates
	cmd := &cobra.Command{
		Use:   "inspect MODEL",
		Short: "Show a model: interface, nodes, parameters, MACs, and what convert would do",
		Long: `inspect shows what an ONNX file is: its opset, inputs and outputs, the nodes with their
shapes, parameters and multiply-accumulates for each pixel of the output (MAC/px), and
of a spiking network how it was made. Of any other it says which operators would become
neurons, and which keep it from being converted; nothing is calibrated or written.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			bounds, err := gates.bounds()
			if err != nil {
				return err
			}
			if err := a.wantGate(len(gates.only)+len(bounds) > 0, "--assert-op-only or --assert-op-count"); err != nil {
				return err
			}
			m, err := a.load(args[0], reader)
			if err != nil {
				return err
			}
			a.judgeOps(&gates, bounds, m)
			r, err := a.inspect(cmd.Context(), args[0], m)
			if err != nil {
				return err
			}
			if a.format != "json" {
				a.printInspection(r)
			} else if err := a.json(r); err != nil {
				return err
			}
			return a.judge()
		},
	}
	gates.add(cmd.Flags())
	a.addReading(cmd.Flags())
	cmd.Flags().StringVar(&reader, "reader", "onnx", "model reader: onnx, onnx-go")
	return cmd
}

// inspect finds what there is to say of a model.
func (a *app) inspect(ctx context.Context, path string, m *graph.Model) (*inspection, error) {
	functions, version, whole := m.Functions, m.IRVersion, m
	if inlined := m.Clone(); len(functions) > 0 && spikingir.Inline(inlined) == nil {
		m = inlined // else its calls are shown as they are
	}
	images, err := spikingir.ChannelsFirst(m)
	if err != nil {
		images = m // which says by itself what is wrong with it
	}
	sizes := fit.Free(images.Clone(), "")
	if err := infer.Model(m); err != nil {
		return nil, cli.Invalid(fmt.Errorf("%s: %w", path, err))
	}
	r := inspectModel(path, m)
	r.IRVersion = version
	for _, f := range functions {
		r.Functions = append(r.Functions, f.Op().String())
	}
	r.Sizes = sizes.String()
	t, err := op.TimingOf(m.Graph)
	if err != nil {
		return nil, cli.Unsupported(fmt.Errorf("%s: %w", path, err))
	}
	r.Timing = t.Report(t.Timesteps)
	r.Measured = a.recordOf(path, m)
	_, spiking := m.Metadata.Get(graph.MetaTimesteps)
	r.Exact = spiking && exact.Prove(m) == nil
	if !a.document() {
		r.Conversion, err = a.outlookOf(ctx, whole)
	}
	return r, err
}

func inspectModel(path string, m *graph.Model) *inspection {
	r := &inspection{Model: path, IRVersion: m.IRVersion, Opsets: map[string]int64{},
		Producer: strings.TrimSpace(m.ProducerName + " " + m.ProducerVersion),
		Metadata: map[string]string{}, Functions: []string{}, Unknown: []string{}}
	if m.Source != nil {
		r.SHA256 = hex.EncodeToString(m.Source.SHA256[:])
	}
	for _, o := range m.Opsets {
		r.Opsets[cmp.Or(o.Domain, "ai.onnx")] = o.Version
	}
	for _, kv := range m.Metadata {
		if kv.Key != graph.MetaNeurons && kv.Key != graph.MetaMeasured { // which are long
			r.Metadata[kv.Key] = kv.Value
		}
	}
	r.Form, r.Neurons = spikingir.FormOf(m)
	for _, v := range m.Graph.Inputs() {
		fed, ok := m.Metadata.Get(graph.MetaInput + v.Name())
		if ok || !v.IsInitializer() {
			r.Inputs = append(r.Inputs, port{v.Name(), v.Type.String(), fed})
		}
	}
	for _, v := range m.Graph.Outputs() {
		r.Outputs = append(r.Outputs, port{Name: v.Name(), Type: v.Type.String()})
	}
	for _, v := range m.Graph.Initializers() {
		if v.Const != nil {
			n, _ := v.Const.Len()
			r.Weights += n
			r.External = r.External || v.Const.External != nil
		}
	}
	r.nodes(m)
	return r
}

// nodes lists the main graph's nodes and counts its operators.
func (r *inspection) nodes(m *graph.Model) {
	macs, counted := cost.Of(m)
	if !counted { // the weights tell what a layer does for a pixel of its own
		macs = ownPixels(m)
	}
	r.MACs = macs.Total
	if share := macs.SpikeShare(); counted && spikingir.Spiking(m) {
		r.Share = &share
	}
	functions, places := m.FunctionIndex(), map[string]int{}
	for n := range m.Graph.Nodes() {
		name := n.Op().String()
		at, known := places[name]
		if !known {
			at = len(r.Ops)
			places[name] = at
			r.Ops = append(r.Ops, opCount{Op: name})
			if op.Lookup(n.Op()) == nil && functions.Of(n) == nil {
				r.Unknown = append(r.Unknown, name)
			}
		}
		r.Ops[at].Count++
		info := nodeInfo{Name: n.Label(), Op: name, Region: n.Region.String()}
		if v := n.Output(0); v != nil {
			info.Output, info.Type = v.Name(), v.Type.String()
		}
		for _, v := range n.Inputs() {
			if v != nil && v.Const != nil {
				k, _ := v.Const.Len()
				info.Params += k
			}
		}
		info.MACs = macs.Layers[n]
		r.Nodes = append(r.Nodes, info)
	}
}

// ownPixels counts a network of which the sizes are not known: each convolution for a
// pixel of its own output, a ConvTranspose for one of its input.
func ownPixels(m *graph.Model) cost.MACs {
	c := cost.MACs{Layers: map[*graph.Node]float64{}}
	for n := range m.Graph.Nodes() {
		if !n.Is("Conv") && !n.Is("ConvTranspose") || n.Input(1) == nil {
			continue
		}
		dims, ok := n.Input(1).Type.Shape.Sizes()
		if !ok || len(dims) == 0 {
			continue
		}
		macs := 1.0
		for _, d := range dims {
			macs *= float64(d)
		}
		c.Layers[n] = macs
		c.Total += macs
	}
	return c
}

// decimal is a number without needless digits.
func decimal(x float64) float64 { return math.Round(x*1000) / 1000 }

func (a *app) printInspection(r *inspection) {
	fmt.Fprintf(a.out, "%s: ONNX IR %d, %s, by %s\n", r.Model, r.IRVersion, opsets(r.Opsets), cmp.Or(cli.Shown(r.Producer), "an unnamed program"))
	for _, p := range r.Inputs {
		fed := ""
		if p.Default != "" {
			fed = ", fed with " + p.Default + " in the conversion"
		}
		fmt.Fprintf(a.out, "input  %s %s%s\n", cli.Shown(p.Name), cli.Shown(p.Type), cli.Line(fed))
	}
	for _, p := range r.Outputs {
		fmt.Fprintf(a.out, "output %s %s\n", cli.Shown(p.Name), cli.Shown(p.Type))
	}
	if r.Sizes != "" {
		fmt.Fprintf(a.out, "images of %s\n", cli.Line(r.Sizes))
	}
	t := a.table()
	t.AppendHeader(table.Row{"node", "operator", "region", "output", "parameters", "MAC/px"})
	for _, n := range r.Nodes {
		t.AppendRow(table.Row{n.Name, n.Op, n.Region, n.Output + " " + n.Type, n.Params, decimal(n.MACs)})
	}
	t.AppendFooter(table.Row{"all", "", "", "", r.Weights, decimal(r.MACs)})
	t.Render()
	if r.Share != nil {
		fmt.Fprintf(a.out, "%.1f %% of the multiply-accumulates are driven by spikes\n", 100**r.Share)
	}
	if r.Form != "" {
		fmt.Fprintf(a.out, "form: %s, of %d neuron layers\n", cli.Line(string(r.Form)), r.Neurons)
	}
	if r.Exact {
		fmt.Fprintln(a.out, exactForm)
	}
	if len(r.Functions) > 0 {
		fmt.Fprintln(a.out, "functions: "+shownList(r.Functions))
	}
	if len(r.Unknown) > 0 {
		fmt.Fprintln(a.out, "operators not known to spikingir: "+shownList(r.Unknown))
	}
	if r.Conversion != nil {
		a.printOutlook(r.Conversion)
	}
	keys := []string{"recipe", "timesteps", "pipeline", "task", "calib_sha256", "source_sha256"}
	if r.Timing != nil {
		fmt.Fprintln(a.out, r.Timing)
	} else { // a form without neurons tells by its metadata
		keys = slices.Insert(keys, 2, "schedule", "latency_steps")
	}
	for _, key := range keys {
		if v, ok := r.Metadata[graph.MetaPrefix+key]; ok {
			fmt.Fprintf(a.out, "%s: %s\n", key, cli.Line(v))
		}
	}
	a.printRecord(r.Measured)
}

// opsets says which versions of which operators a model imports, the standard ones first.
func opsets(all map[string]int64) string {
	const standard = "ai.onnx"
	list := []string{"no opset"}
	if v, ok := all[standard]; ok {
		list[0] = fmt.Sprintf("opset %d", v)
	}
	for _, domain := range slices.Sorted(maps.Keys(all)) {
		if domain != standard {
			list = append(list, fmt.Sprintf("%s %d", cli.Shown(domain), all[domain]))
		}
	}
	return strings.Join(list, ", ")
}

func shownList(names []string) string {
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = cli.Shown(n)
	}
	return strings.Join(list, ", ")
}
