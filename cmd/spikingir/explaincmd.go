package main

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/graph/op"
)

// explanation is where a node comes from and what it does.
type explanation struct {
	Node     string            `json:"node"`
	Op       string            `json:"op"`
	Region   string            `json:"region,omitempty"`
	Origin   string            `json:"origin"`         // the node of the imported model
	Pass     string            `json:"pass,omitempty"` // that made it; empty for an imported node
	Inputs   []string          `json:"inputs"`
	Outputs  []string          `json:"outputs"`
	Neuron   *neuronInfo       `json:"neuron,omitempty"`
	Metadata map[string]string `json:"metadata,omitempty"` // what passes noted
	// Measured is what the file states of its firing rate or energy.
	Measured *recorded `json:"measured,omitempty"`
	// Activity is how a neuron layer fires over the images that were asked for.
	Activity *spikingir.Activity `json:"activity,omitempty"`
}

// neuronInfo is the parameters of a neuron.
type neuronInfo struct {
	Threshold *span       `json:"threshold"`       // nil: infinite, or computed at run time
	Alpha     *span       `json:"alpha,omitempty"` // of an MPRN
	V0        float32     `json:"v0"`
	Timesteps int64       `json:"timesteps"` // 0: untimed
	Post      int64       `json:"post"`
	Schedule  op.Schedule `json:"schedule"`
	Bias      bool        `json:"bias"` // it adds a bias at the main timesteps
	// Grade says what a neuron sends beside one spike a step; "" for an IF and an MPRN.
	Grade string `json:"grade,omitempty"`
}

// span is the range of the elements of a parameter.
type span struct {
	Min    float32 `json:"min"`
	Max    float32 `json:"max"`
	Number int     `json:"number"`
}

func (s *span) String() string {
	switch {
	case s == nil:
		return "none"
	case s.Min == s.Max:
		return fmt.Sprint(s.Min)
	}
	return fmt.Sprintf("%v to %v (%d)", s.Min, s.Max, s.Number)
}

func spanOf(v *graph.Value) *span {
	if v == nil || v.Const == nil {
		return nil
	}
	xs, err := v.Const.Float32s()
	if err != nil || len(xs) == 0 || slices.ContainsFunc(xs, func(x float32) bool {
		return math.IsInf(float64(x), 0) || math.IsNaN(float64(x))
	}) {
		return nil
	}
	return &span{slices.Min(xs), slices.Max(xs), len(xs)}
}

func (a *app) explainCmd() *cobra.Command {
	e := &explaining{}
	cmd := &cobra.Command{
		Use:   "explain MODEL [NODE]",
		Short: "Show where nodes come from, the parameters of neurons, and how they fire",
		Long: `explain shows for a node of a converted model the node of the original that it
comes from, the pass that made it, its region, and for a neuron its parameters.
NODE is a name in MODEL, or in the original: then all nodes that come from it are
shown. Without NODE, neurons and layers of weights are listed.

With --data the model is run on images, a few of which tell enough (--limit), and of
each layer of neurons the firing rate is shown, and the share of its neurons that never
fire (silent) or fire T times or more (saturated). Without --task the images are fed as
they are.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := e.check(); err != nil {
				return err
			}
			m, err := a.loadNetwork(args[0], "onnx")
			if err != nil {
				return err
			}
			name := ""
			if len(args) == 2 {
				name = args[1]
			}
			list, err := explain(m, name)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			if len(list) == 0 && len(args) == 2 {
				return fmt.Errorf("%s has no node %q and none that comes from such; without a name, explain lists the layers", args[0], name)
			}
			rec := a.recordOf(args[0], m)
			noteRecord(rec, list)
			if e.measures() {
				if err := a.measureActivity(cmd.Context(), args[0], m, e, list); err != nil {
					return err
				}
			}
			switch {
			case a.format == "json":
				return a.json(list)
			case len(args) == 2:
				a.printNodes(list, rec)
			default:
				a.printLayers(list, rec, e.measures())
			}
			return nil
		},
	}
	f := cmd.Flags()
	addTask(f, &e.data.Task)
	addLimit(f, &e.data)
	addFolders(f, &e.data, &e.run.Inputs)
	addMemory(f, &e.run.MemoryLimit)
	return cmd
}

// explain is the nodes of a name or an origin, with those of branches; without a name, the
// layers.
func explain(m *graph.Model, name string) ([]explanation, error) {
	list := []explanation{}
	for top := range m.Graph.Nodes() {
		for n := range top.Within() {
			if name == "" && !isLayer(n) || name != "" && name != n.Label() && name != n.OriginLabel() {
				continue
			}
			e, err := explainNode(n)
			if err != nil {
				return nil, err
			}
			list = append(list, e)
		}
	}
	return list, nil
}

// isLayer tells neurons, and what multiplies by weights.
func isLayer(n *graph.Node) bool {
	return op.IsNeuron(n) || slices.ContainsFunc(n.Inputs(), func(v *graph.Value) bool {
		return v != nil && v.Const != nil && len(v.Const.Dims) >= 2 && v.Const.DType.IsFloat()
	})
}

func explainNode(n *graph.Node) (explanation, error) {
	e := explanation{Node: n.Label(), Op: n.Op().String(), Region: n.Region.String(), Origin: n.OriginLabel(), Pass: n.From.Pass,
		Inputs: valueNames(n.Inputs()), Outputs: valueNames(n.Outputs())}
	for _, kv := range n.Metadata {
		if key, own := strings.CutPrefix(kv.Key, graph.MetaPrefix); own {
			if e.Metadata == nil {
				e.Metadata = map[string]string{}
			}
			e.Metadata[key] = kv.Value
		}
	}
	if !op.IsNeuron(n) {
		return e, nil
	}
	s, err := op.NeuronOf(n)
	if err != nil {
		return e, cli.Invalid(err)
	}
	e.Neuron = &neuronInfo{Threshold: spanOf(s.Theta), Alpha: spanOf(s.Alpha), V0: s.V0, Timesteps: int64(s.Timesteps),
		Post: int64(s.Post), Schedule: s.Schedule, Bias: s.Bias != nil, Grade: s.Grade.String()}
	return e, nil
}

func valueNames(vs []*graph.Value) []string {
	names := []string{}
	for _, v := range vs {
		if v != nil {
			names = append(names, v.Name())
		}
	}
	return names
}

// made says who made a node.
func (e *explanation) made() string { return cmp.Or(e.Pass, "(imported)") }

func (a *app) printNodes(list []explanation, rec *spikingir.Record) {
	for _, e := range list {
		fmt.Fprintf(a.out, "%s: %s\n", cli.Shown(e.Node), cli.Shown(e.Op))
		fmt.Fprintf(a.out, "  comes from node %q, made by %s\n", e.Origin, cli.Line(e.made()))
		if e.Region != "" {
			fmt.Fprintf(a.out, "  region %s\n", e.Region)
		}
		fmt.Fprintf(a.out, "  inputs %s\n  outputs %s\n", shownList(e.Inputs), shownList(e.Outputs))
		if s := e.Neuron; s != nil {
			fmt.Fprintf(a.out, "  threshold %s, v0 %v", s.threshold(), s.V0)
			if s.Alpha != nil {
				fmt.Fprintf(a.out, ", alpha %v", s.Alpha)
			}
			if s.Grade != "" {
				fmt.Fprintf(a.out, ", %s", s.Grade)
			}
			if s.Bias {
				fmt.Fprint(a.out, ", with a bias")
			}
			if s.Timesteps == 0 {
				fmt.Fprint(a.out, ", untimed: it computes what the activation does\n")
			} else {
				fmt.Fprintf(a.out, "; T = %d, post steps %d, schedule %s\n", s.Timesteps, s.Post, s.Schedule)
			}
		}
		if e.Measured != nil {
			fmt.Fprintf(a.out, "  %s: %s\n", recordedOn(rec), e.Measured)
		}
		if e.Activity != nil {
			fmt.Fprintf(a.out, "  %s\n", activityLine(e.Activity))
		}
		for _, key := range sortedKeys(e.Metadata) {
			fmt.Fprintf(a.out, "  %s: %s\n", cli.Shown(key), cli.Line(e.Metadata[key]))
		}
	}
}

func sortedKeys(m map[string]string) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (s *neuronInfo) threshold() string {
	if s.Threshold == nil {
		return "not set"
	}
	return s.Threshold.String()
}

func (a *app) printLayers(list []explanation, rec *spikingir.Record, measured bool) {
	t := a.table()
	head := table.Row{"node", "operator", "region", "comes from", "made by", "threshold", "v0", "T"}
	if rec != nil {
		head = append(head, "rate in file", "mJ in file")
	}
	if measured {
		head = append(head, "firing rate", "silent", "saturated", "silent channels", "saturated channels")
	}
	t.AppendHeader(head)
	for _, e := range list {
		row := table.Row{e.Node, e.Op, e.Region, e.Origin, e.made(), "", "", ""}
		if s := e.Neuron; s != nil {
			row[5], row[6], row[7] = s.threshold(), s.V0, s.Timesteps
		}
		if rec != nil {
			row = append(row, e.Measured.rate(), e.Measured.energy())
		}
		if k := e.Activity; k != nil {
			row = append(row, r4(k.FiringRate), r4(k.Silent), r4(k.Saturated), share(k.SilentChannels, k), share(k.SaturatedChannels, k))
		}
		t.AppendRow(row)
	}
	t.Render()
	if rec != nil {
		fmt.Fprintf(a.out, "in file: %s\n", recordedOn(rec))
	}
}
