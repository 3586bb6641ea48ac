package main

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/fixtures"
	"spikingir/graph"
	"spikingir/graph/op"
	"spikingir/internal/onnxruntime"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
	"spikingir/runtime/metric"
	"spikingir/runtime/ops"
	"spikingir/runtime/reference"
	"spikingir/runtime/watch"
)

// verification is what verify is asked for.
type verification struct {
	against     string
	in          string
	run         spikingir.RunOptions
	crop, limit int
	tolerance   float64
	modules     string   // the folder of ONNX Runtime
	tensors     []string // what is compared in between there
}

// smallImage is the side of the images that Gorgonia is given: it is slow.
const smallImage = 32

// defaultCrop is the side of the images that others are given: what lies between input and output of
// a network is much when it is all kept.
var defaultCrop = map[string]int{"gorgonia": smallImage, "onnxruntime": 64}

func (a *app) verifyCmd() *cobra.Command {
	v := &verification{}
	cmd := &cobra.Command{
		Use:   "verify A B | verify A --against gorgonia | verify A [B] --against onnxruntime",
		Short: "Compare what two models compute, or one here and in another runtime",
		Long: `verify runs both models on the same images and reports the largest difference of
their outputs and the agreement, the PSNR between them. With --against gorgonia
the second model is the first one, built again in Gorgonia, in float64: an
independent check of this program on small networks. With --against onnxruntime
A runs here and B, or A itself, in ONNX Runtime, by node and onnxruntime-node
(--onnxruntime DIR); the spikes of all neurons are compared too, and the report
names the first that differ (--tensors).

Images are those of --input, or embedded ones that no conversion is calibrated on;
a model that takes no image of 1 or 3 channels gets random numbers (--seed). The
models run in float32, which is what their files say, unless --precision is given.
It exits with 4 when outputs differ by more than --tolerance.`,
		Args: cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := v.check(cmd.Flags(), len(args)); err != nil {
				return err
			}
			if !cmd.Flags().Changed("precision") {
				a.Precision = "float32"
			}
			if side, limited := defaultCrop[v.against]; limited && !cmd.Flags().Changed("crop") {
				v.crop = side
			}
			return a.verify(cmd.Context(), v, args)
		},
	}
	f := cmd.Flags()
	f.StringVar(&v.against, "against", "", "compare with A built in another library, in place of B: gorgonia; or with what another runtime computes of B, or of A: onnxruntime")
	f.StringVar(&v.modules, "onnxruntime", "", "folder node_modules with onnxruntime-node in it; without it, that of the variable "+onnxruntime.Variable)
	f.StringSliceVar(&v.tensors, "tensors", []string{allSpikes}, "with --against onnxruntime, values that are compared in between: names, spikes for those of all neurons, none")
	addInput(f, "i", &v.in, &v.run.Inputs, "image, or folder of images, to run on; without it, embedded ones")
	addOutputName(f, &v.run.Output)
	addMemory(f, &v.run.MemoryLimit)
	f.IntVar(&v.crop, "crop", 0, fmt.Sprintf("only the central N x N pixels of each image; 0 takes all (default with --against gorgonia: %d, onnxruntime: %d)", smallImage, defaultCrop["onnxruntime"]))
	f.IntVar(&v.limit, "limit", 0, "only the first N images; 0 takes all")
	f.Float64Var(&v.tolerance, "tolerance", 1e-4, "largest difference of two outputs that is accepted")
	return cmd
}

func (v *verification) check(f *pflag.FlagSet, models int) error {
	switch {
	case v.against != "" && choose("against", v.against) != nil:
		return choose("against", v.against)
	case v.against == "gorgonia" && models != 1:
		return fmt.Errorf("--against %s compares one model, not %d", v.against, models)
	case v.against == "" && models != 2:
		return fmt.Errorf("verify: want two models, or one and --against gorgonia or onnxruntime")
	case v.crop < 0:
		return fmt.Errorf("--crop %d, want 0 (whole images) or more", v.crop)
	case v.limit < 0:
		return fmt.Errorf("--limit %d, want 0 (all images) or more", v.limit)
	case !(v.tolerance >= 0):
		return fmt.Errorf("--tolerance %v, want 0 or more", v.tolerance)
	}
	for _, name := range []string{"onnxruntime", "tensors"} {
		if v.against != "onnxruntime" && f.Changed(name) {
			return fmt.Errorf("--%s is of --against onnxruntime, which is not given", name)
		}
	}
	return nil
}

// sample is one input that models are compared on.
type sample struct {
	name string
	read func() (spikingir.Image, error)
}

// comparison is what verify found on one image.
type comparison struct {
	Name      string         `json:"name"`
	Width     int            `json:"width"`
	Height    int            `json:"height"`
	Largest   float64        `json:"largest_difference"`
	Agreement eval.Agreement `json:"agreement"`
	// Nearest is how close a potential came to its neuron's level, in units of the
	// threshold; only Gorgonia's side tells.
	Nearest *float64 `json:"nearest_level,omitempty"`
}

// verified is the report of verify; its JSON form is a contract. Over the images,
// it has the largest difference and the smallest agreement.
type verified struct {
	A         string         `json:"a"`
	B         string         `json:"b"`
	Images    []comparison   `json:"images"`
	Largest   float64        `json:"largest_difference"`
	Agreement eval.Agreement `json:"agreement"`
	Tolerance float64        `json:"tolerance"`
	Same      bool           `json:"same"`
	Exact     bool           `json:"exact,omitempty"` // both are in the exact form
	*RuntimeReport
	// TimingA and TimingB are of two-phase networks.
	TimingA *op.TimingReport `json:"timing_a,omitempty"`
	TimingB *op.TimingReport `json:"timing_b,omitempty"`
}

// exactForm says what the exact form is good for.
const exactForm = "exact form: every runtime gives the same bits"

// rival computes the output of both sides.
type rival func(ctx context.Context, x *ops.Tensor) (ours, theirs *ops.Tensor, nearest *float64, err error)

// beside is a rival of which A runs here on its own.
func beside(m *loaded, other func(ctx context.Context, x *ops.Tensor) (*ops.Tensor, *float64, error)) rival {
	return func(ctx context.Context, x *ops.Tensor) (*ops.Tensor, *ops.Tensor, *float64, error) {
		y, err := m.Run(ctx, x)
		if err != nil {
			return nil, nil, nil, err
		}
		z, nearest, err := other(ctx, x)
		_, at := m.Outputs()
		return y[at], z, nearest, err
	}
}

// rival opens what A is compared with, and notes in r what there is to say of it.
func (a *app) rival(v *verification, args []string, m *loaded, r *verified) (both rival, end func(), err error) {
	switch v.against {
	case "gorgonia":
		return beside(m, gorgonia(m.path, m.Model())), func() {}, nil
	case "onnxruntime":
		return a.runtimeRival(v, args, m, r)
	}
	b, err := a.reference(args[1], m, v.run)
	if err != nil {
		return nil, nil, err
	}
	r.B, r.TimingB = args[1], timing(b)
	r.Exact = r.Exact && spikingir.Exact(b.Model()) == nil
	return beside(m, func(ctx context.Context, x *ops.Tensor) (*ops.Tensor, *float64, error) {
		out, err := b.Run(ctx, x)
		if err != nil {
			return nil, nil, err
		}
		_, at := b.Outputs()
		return out[at], nil, nil
	}), b.Close, nil
}

func (a *app) verify(ctx context.Context, v *verification, args []string) error {
	m, err := a.open(args[0], v.run)
	if err != nil {
		return err
	}
	defer m.Close()
	a.notePorts(m, v.run.Output)
	r := &verified{A: args[0], B: v.against, Tolerance: v.tolerance, Images: []comparison{},
		Agreement: eval.Agreement{PSNR: metric.DB(math.Inf(1))}}
	r.TimingA = timing(m)
	r.Exact = spikingir.Exact(m.Model()) == nil
	other, done, err := a.rival(v, args, m, r)
	if err != nil {
		return err
	}
	defer done()
	samples, err := v.samples(m.Channels(), a.Seed)
	if err != nil {
		return err
	}
	step, end := a.Progress("verifying")
	for i, s := range samples {
		watch.Of(ctx).Task("comparing on %s", s.name)
		c, err := v.compare(ctx, m, other, s)
		if err != nil {
			end()
			if cli.ExitCode(ctx, err) == cli.ExitGate {
				a.check("difference", s.name, false, nil, "%v", err)
			}
			return fmt.Errorf("%s: %w", s.name, err)
		}
		a.check("difference", s.name, c.Largest <= v.tolerance, nil, "largest difference %.3g, agreement %s dB, want a difference of %.3g at most",
			c.Largest, decibel(c.Agreement.PSNR), v.tolerance)
		r.Images = append(r.Images, c)
		r.Largest = max(r.Largest, c.Largest)
		r.Agreement.PSNR = min(r.Agreement.PSNR, c.Agreement.PSNR)
		step(i+1, len(samples))
	}
	end()
	r.Same = r.Largest <= v.tolerance
	return a.printVerified(r)
}

// timing is that of a two-phase network, nil for others.
func timing(m *loaded) *op.TimingReport {
	return m.Program().Timing.Report(int64(m.Timesteps()))
}

// gorgonia is a model's twin; it is built anew when the size of the input changes.
func gorgonia(path string, m *graph.Model) func(context.Context, *ops.Tensor) (*ops.Tensor, *float64, error) {
	var net *reference.Net
	var dims []int
	return func(_ context.Context, x *ops.Tensor) (*ops.Tensor, *float64, error) {
		if net == nil || !slices.Equal(dims, x.Dims) {
			var err error
			if net, err = reference.Build(m, x.Dims, reference.Options{}); err != nil {
				return nil, nil, cli.Unsupported(fmt.Errorf("%s: %w", path, err))
			}
			dims = x.Dims
		}
		y, err := net.Forward(x.F32)
		if err != nil {
			return nil, nil, err
		}
		out := ops.Floats(y, net.OutputShape()...)
		if d := net.Distance(); !math.IsInf(d, 0) {
			return out, &d, nil
		}
		return out, nil, nil // no neuron
	}
}

// compare runs both models on one input.
func (v *verification) compare(ctx context.Context, m *loaded, other rival, s sample) (comparison, error) {
	img, err := s.read()
	if err != nil {
		return comparison{}, err
	}
	if img, err = m.Fit(img); err != nil {
		return comparison{}, err
	}
	if n := v.crop; n > 0 {
		h, w := min(n, img.H), min(n, img.W)
		if img, err = img.Crop((img.H-h)/2, (img.W-w)/2, h, w); err != nil {
			return comparison{}, err
		}
	}
	if v.in == "" {
		if img, err = m.Middle(img); err != nil {
			return comparison{}, err
		}
	}
	x := spikingir.ImageTensor(img)
	y, z, nearest, err := other(ctx, x)
	if err != nil {
		return comparison{}, err
	}
	if !y.DType.IsFloat() || !z.DType.IsFloat() || !slices.Equal(y.Dims, z.Dims) {
		return comparison{}, &cli.CodeError{Code: cli.ExitGate, Err: fmt.Errorf("outputs of %v%v and %v%v, want float and equal sizes",
			y.DType, y.Dims, z.DType, z.Dims)}
	}
	db, err := metric.PSNR(y.F32, z.F32)
	if err != nil {
		return comparison{}, &cli.CodeError{Code: cli.ExitGate, Err: err}
	}
	c := comparison{Name: s.name, Width: img.W, Height: img.H, Nearest: nearest,
		Agreement: eval.Agreement{PSNR: metric.DB(db)}}
	for i := range y.F32 {
		c.Largest = max(c.Largest, math.Abs(float64(y.F32[i])-float64(z.F32[i])))
	}
	return c, nil
}

// samples is the inputs for a model of so many channels.
func (v *verification) samples(channels int, seed uint64) ([]sample, error) {
	var list []sample
	switch {
	case v.in != "":
		paths, _, err := inputs(v.in)
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			list = append(list, sample{p, func() (spikingir.Image, error) { return spikingir.ReadImage(p) }})
		}
	case channels != 0 && channels != 1 && channels != 3:
		list = []sample{{"random numbers", func() (spikingir.Image, error) { return noise(channels, seed), nil }}}
	default:
		files, err := fixtures.Images(fixtures.Clean)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			list = append(list, sample{f.Name, func() (spikingir.Image, error) { return dataset.Decode(bytes.NewReader(f.Data)) }})
		}
	}
	if v.limit > 0 && v.limit < len(list) {
		list = list[:v.limit]
	}
	return list, nil
}

// noise is a small image of numbers from 0 to 1.
func noise(channels int, seed uint64) spikingir.Image {
	m := dataset.NewImage(channels, smallImage, smallImage)
	r := rand.New(rand.NewPCG(seed, uint64(channels)))
	for i := range m.Pix {
		m.Pix[i] = r.Float32()
	}
	return m
}

// near is the distance of a potential to its level below which float32 may decide
// on another spike.
const near = 1e-6

func (a *app) printVerified(r *verified) error {
	if a.format == "json" {
		if err := a.json(r); err != nil {
			return err
		}
	} else {
		t := a.table()
		t.AppendHeader(table.Row{"image", "size", "largest difference", "agreement (dB)"})
		for _, c := range r.Images {
			t.AppendRow(table.Row{c.Name, fmt.Sprintf("%dx%d", c.Width, c.Height),
				fmt.Sprintf("%.3g", c.Largest), decibel(c.Agreement.PSNR)})
		}
		t.AppendFooter(table.Row{"all", "", fmt.Sprintf("%.3g", r.Largest), decibel(r.Agreement.PSNR)})
		t.Render()
		if r.RuntimeReport != nil {
			a.printRuntime(r.RuntimeReport)
		}
		a.printTimings(r.TimingA, r.TimingB)
		if r.Exact {
			fmt.Fprintln(a.out, exactForm)
		}
	}
	for _, c := range r.Images {
		if c.Nearest != nil && *c.Nearest < near && c.Largest > r.Tolerance {
			a.Warnf("%s: a membrane potential lies within %.1g thresholds of the level that its neuron fires from: "+
				"rounding decides on that spike", c.Name, *c.Nearest)
		}
	}
	if !r.Same {
		return &cli.CodeError{Code: cli.ExitGate, Err: fmt.Errorf("%s and %s differ by %.3g, want %.3g at most", r.A, r.B, r.Largest, r.Tolerance)}
	}
	return nil
}
