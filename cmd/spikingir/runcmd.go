package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/internal/atomicfile"
	"spikingir/runtime/dataset"
	"spikingir/runtime/watch"
)

// restoration is what run is asked for.
type restoration struct {
	in, out   string
	tensors   []string // [NAME=]FILE.npy
	outs      []string
	feeds     *[]string // the files of --input
	colour    string
	scale     int
	timesteps int
	run       spikingir.RunOptions
}

func (a *app) runCmd() *cobra.Command {
	r := &restoration{}
	cmd := &cobra.Command{
		Use:   "run MODEL -i IN -o OUT",
		Short: "Restore an image, or every image of a folder",
		Long: `run restores PNG and JPEG images of any size and writes PNG. A model of one
channel restores the luma of a colour image and leaves its chroma (--colour luma,
the default), or each of red, green and blue (--colour channels). A model that
enlarges gets its chroma enlarged by bicubic interpolation. --scale S enlarges
the image by bicubic first, as VDSR wants it.

An image that would take more than --memory between input and output runs tile by
tile, to the same bits; the report says so. Where tiles do not help, the node that
would take more is named. Read and written images, weights and
the program itself come on top: count on 0.5 GiB more for 3840x2160 pixels.

With --tensor FILE.npy in the place of an image any model runs, whatever it takes, and
-o FILE.npy is what it gives. Several inputs and outputs are named (--tensor x=x.npy
--tensor sigma=s.npy -o y=y.npy -o z=z.npy) or come in the order of the model; outputs that are
not asked for are not written.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if (r.in == "" && len(r.tensors) == 0) || len(r.outs) == 0 {
				return fmt.Errorf("run: want --input and --output, an image or a folder each, or --tensor and --output, .npy files")
			}
			if err := choose("colour", r.colour); err != nil {
				return err
			}
			if r.scale < 1 || r.scale > 16 {
				return fmt.Errorf("--scale %d, want 1 to 16", r.scale)
			}
			r.run.EachChannel = r.colour == "channels"
			if cmd.Flags().Changed("timesteps") {
				r.run.Timesteps = []int{r.timesteps}
			}
			if err := checkTimesteps(r.run.Timesteps); err != nil {
				return err
			}
			if len(r.tensors) > 0 {
				return a.runTensors(cmd.Context(), args[0], r)
			}
			if len(r.outs) > 1 {
				return fmt.Errorf("run: %d times --output, want one for images", len(r.outs))
			}
			r.out = r.outs[0]
			files, err := r.files(args[0])
			if err != nil {
				return err
			}
			net, err := a.load(args[0], "onnx")
			if err != nil {
				return err
			}
			if err := checkJobs(files, net); err != nil {
				return err
			}
			m, err := a.ready(args[0], net, r.run)
			if err != nil {
				return err
			}
			defer m.Close()
			if err := r.fits(m); err != nil {
				return err
			}
			a.notePorts(m, r.run.Output)
			if n := spikingir.Enlarges(net); n > 1 && r.scale > 1 {
				a.Warnf("%s enlarges images %d times itself: with --scale %d they become %d times as wide and high", args[0], n, r.scale, n*r.scale)
			}
			return a.restoreAll(cmd.Context(), m, files, r)
		},
	}
	f := cmd.Flags()
	r.feeds = addInput(f, "i", &r.in, &r.run.Inputs, "image or folder to restore")
	addOutputName(f, &r.run.Output)
	f.StringArrayVar(&r.tensors, "tensor", nil, "[NAME=]FILE.npy to feed to an input, in the place of an image; repeatable")
	f.StringArrayVarP(&r.outs, "output", "o", nil, "PNG file or folder to write; with --tensor [NAME=]FILE.npy, repeatable")
	f.StringVar(&r.colour, "colour", "luma", "gray model on a colour image: luma or channels")
	f.IntVar(&r.scale, "scale", 1, "enlarge the image by bicubic first")
	addMemory(f, &r.run.MemoryLimit)
	f.BoolVar(&r.run.Tile, "tile", false, "of a network of one size of images: restore others in overlapping tiles of that size")
	f.IntVarP(&r.timesteps, "timesteps", "T", 0, "run with T timesteps instead of the model's own")
	return cmd
}

// job is one image to restore.
type job struct{ in, out string }

// restored is what run reports of an image.
type restored struct {
	Input  string            `json:"input"`
	Output string            `json:"output"`
	Width  int               `json:"width"`
	Height int               `json:"height"`
	How    string            `json:"how"`
	Tiles  *spikingir.Tiling `json:"tiles,omitempty"`
}

// inputs is an image, or the images of a folder.
func inputs(path string) (list []string, folder bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, false, fmt.Errorf("input %s: %w", path, atomicfile.Cause(err))
	}
	if !info.IsDir() {
		return []string{path}, false, nil
	}
	list, err = dataset.List(path)
	return list, true, err
}

// files pairs inputs with outputs; neither an input nor the model is overwritten.
func (r *restoration) files(model string) ([]job, error) {
	list, folder, err := inputs(r.in)
	if err != nil {
		return nil, err
	}
	if !folder {
		if err := cli.CheckOutput(r.out, append([]string{r.in, model}, *r.feeds...)...); err != nil {
			return nil, err
		}
		return []job{{r.in, r.out}}, checkImageName(r.out)
	}
	if o, err := os.Stat(r.out); err == nil && !o.IsDir() {
		return nil, fmt.Errorf("output %s is a file, want a folder for the images of %s", r.out, r.in)
	}
	var jobs []job
	taken := map[string]string{}
	for _, p := range list {
		base := filepath.Base(p)
		name := strings.TrimSuffix(base, filepath.Ext(base)) + ".png"
		if other, ok := taken[name]; ok {
			return nil, fmt.Errorf("%s and %s would both be written as %s", other, base, name)
		}
		taken[name] = base
		jobs = append(jobs, job{p, filepath.Join(r.out, name)})
	}
	if err := cli.CheckFolder(r.out); err != nil { // made when the first image is restored
		return nil, err
	}
	var in cli.Inputs
	in.Add(append(list, model)...)
	for _, j := range jobs {
		if err := in.Check(j.out); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

// checkJobs refuses images that would be written over the model or its external data.
func checkJobs(jobs []job, m *spikingir.Model) error {
	var in cli.Inputs
	in.AddModels(m)
	for _, j := range jobs {
		if err := in.Check(j.out); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) restoreAll(ctx context.Context, m *loaded, jobs []job, r *restoration) error {
	collectOften()
	step, end := a.Progress("restoring")
	defer end()
	list := []restored{}
	for i, j := range jobs {
		watch.Of(ctx).Task("restoring %s", j.in)
		img, err := spikingir.ReadImage(j.in)
		if err != nil {
			return err
		}
		if r.scale > 1 {
			if img, err = spikingir.Enlarge(img, float64(r.scale)); err != nil {
				return fmt.Errorf("%s: %w", j.in, err)
			}
		}
		t := m.Tiling(img.W, img.H)
		if err := checkMemory(t, img.W, img.H); err != nil {
			return fmt.Errorf("%s: %w", j.in, err)
		}
		out, err := m.Restore(ctx, img)
		if err != nil {
			return fmt.Errorf("%s: %w", j.in, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(j.out), 0o777); err != nil {
			return err
		}
		if err := cli.Writing(j.out, dataset.Write(j.out, out)); err != nil {
			return err
		}
		step(i+1, len(jobs))
		done := restored{Input: j.in, Output: j.out, Width: out.W, Height: out.H, How: r.how(m, img, out)}
		if t.Tiles() > 1 {
			done.Tiles = &t
		}
		list = append(list, done)
		if !a.Quiet && a.format == "text" {
			fmt.Fprintf(a.out, "%s -> %s: %dx%d, %s%s\n", j.in, j.out, out.W, out.H, done.How, tiled(done.Tiles))
		}
	}
	if a.format == "json" {
		return a.json(list)
	}
	return nil
}

// fits refuses a network that restores no images before one is read.
func (r *restoration) fits(m *loaded) error {
	if err := m.Restores(); err != nil {
		return cli.Unsupported(fmt.Errorf("%s: %w", m.path, err))
	}
	return nil
}

// how says what of an image was restored, and in what tiles of the network's own.
func (r *restoration) how(m *loaded, img, out spikingir.Image) string {
	if w, h := m.Size(); r.run.Tile && (w > 0 && w != img.W || h > 0 && h != img.H) {
		return fmt.Sprintf("%s, in tiles of %dx%d pixels", r.what(m, img, out), w, h)
	}
	return r.what(m, img, out)
}

// what says what of an image was restored.
func (r *restoration) what(m *loaded, img, out spikingir.Image) string {
	switch {
	case m.Channels() == 3 && out.C == 1:
		return "gray of colour"
	case m.Channels() != 3 && out.C == 3 && (m.Gives() == 3 || img.C == 1):
		return "colour of gray"
	case m.Channels() == 3:
		return "colour"
	case img.C == 1:
		return "gray"
	case r.run.EachChannel:
		return "each of red, green and blue"
	}
	return "luma, chroma kept"
}

// otherFormats are the names of images that would not hold a PNG.
var otherFormats = []string{".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".onnx"}

// checkImageName refuses a name that says another format than PNG.
func checkImageName(path string) error {
	if ext := strings.ToLower(filepath.Ext(path)); slices.Contains(otherFormats, ext) {
		return fmt.Errorf("output %s: images are written as PNG, want a name that ends in .png", path)
	}
	return nil
}
