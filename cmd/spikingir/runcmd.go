package main

import (
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
)

// restoration is what run is asked for.
type restoration struct {
	in, out   string   // stream for standard input and output
	folder    bool     // in is one
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
		Short: "Restore an image, every image of a folder, or a video",
		Long: `run restores PNG, JPEG, TIFF, WebP and BMP images of any size and writes PNG, of 16 bits
where the input has them, and with its opacity. Of a folder, images that fail are named, the
rest is done, and the exit code is not 0. A Y4M video is restored frame by frame and
written as Y4M. With - as --input or --output an image or a video comes from standard input
or goes to standard output, and messages go to standard error.

A model of one channel restores the luma of a colour image and leaves its chroma
(--colour luma, the default), or each of red, green and blue (--colour channels). A
model that enlarges gets its chroma enlarged by bicubic interpolation. --scale S
enlarges the image by bicubic first, as VDSR wants it.

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
				if err := a.leads(); err != nil {
					return err
				}
				return a.runTensors(cmd.Context(), args[0], r)
			}
			if len(r.outs) > 1 {
				return fmt.Errorf("run: %d times --output, want one for images", len(r.outs))
			}
			r.out = r.outs[0]
			files, err := a.files(r, args[0])
			if err != nil {
				return err
			}
			if !r.folder {
				if err := a.leads(); err != nil {
					return err
				}
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
	r.feeds = addInput(f, "i", &r.in, &r.run.Inputs, "image, folder or Y4M video to restore; - for standard input")
	addOutputName(f, &r.run.Output)
	f.StringArrayVar(&r.tensors, "tensor", nil, "[NAME=]FILE.npy to feed to an input, in the place of an image; repeatable")
	f.StringArrayVarP(&r.outs, "output", "o", nil, "PNG file, folder or Y4M video to write, - for standard output; with --tensor [NAME=]FILE.npy, repeatable")
	f.StringVar(&r.colour, "colour", "luma", "gray model on a colour image: luma or channels")
	f.IntVar(&r.scale, "scale", 1, "enlarge the image by bicubic first")
	addMemory(f, &r.run.MemoryLimit)
	f.BoolVar(&r.run.Tile, "tile", false, "of a network of one size of images: restore others in overlapping tiles of that size")
	f.IntVarP(&r.timesteps, "timesteps", "T", 0, "run with T timesteps instead of the model's own")
	return cmd
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
func (a *app) files(r *restoration, model string) ([]job, error) {
	list, folder := []string{r.in}, false
	if r.in != stream {
		var err error
		if list, folder, err = inputs(r.in); err != nil {
			return nil, err
		}
	}
	r.folder = folder
	switch {
	case folder && r.out == stream:
		return nil, fmt.Errorf("%s is a folder and --output - one stream, want a folder for its images", r.in)
	case r.out == stream:
		return []job{{r.in, r.out}}, a.checkStdout()
	case !folder:
		read := append([]string{model}, *r.feeds...)
		if r.in != stream {
			read = append(read, r.in)
		}
		if err := cli.CheckOutput(r.out, read...); err != nil {
			return nil, err
		}
		return []job{{r.in, r.out}}, checkImageName(r.out)
	}
	return r.folderJobs(list, model)
}

// folderJobs are the images of a folder.
func (r *restoration) folderJobs(list []string, model string) ([]job, error) {
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
		if j.out == stream {
			continue
		}
		if err := in.Check(j.out); err != nil {
			return err
		}
	}
	return nil
}

// fits refuses a network that restores no images before one is read.
func (r *restoration) fits(m *loaded) error {
	if err := m.Restores(); err != nil {
		return fmt.Errorf("%s: %w", m.path, err)
	}
	return nil
}

// otherFormats are the names of images that would not hold a PNG.
var otherFormats = []string{".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".jxl", ".avif", ".heic", ".onnx", ".npy"}

// checkImageName refuses a name that says another format than PNG.
func checkImageName(path string) error {
	if ext := strings.ToLower(filepath.Ext(path)); slices.Contains(otherFormats, ext) {
		return fmt.Errorf("output %s: images are written as PNG, want a name that ends in .png", path)
	}
	return nil
}
