package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"spikingir/cmd/internal/cli"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
)

// restoration is what run is asked for.
type restoration struct {
	in, out   string
	colour    string
	scale     int
	timesteps int
	memory    memorySize
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
tile, to the same bits; the report says so. Read and written images, weights and
the program itself come on top: count on 0.5 GiB more for 3840x2160 pixels.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if r.in == "" || r.out == "" {
				return fmt.Errorf("run: want --input and --output, an image or a folder each")
			}
			if r.colour != "luma" && r.colour != "channels" {
				return fmt.Errorf("--colour %s, want luma or channels", r.colour)
			}
			if r.scale < 1 || r.scale > 16 {
				return fmt.Errorf("--scale %d, want 1 to 16", r.scale)
			}
			var timesteps []int
			if cmd.Flags().Changed("timesteps") {
				timesteps = []int{r.timesteps}
			}
			if err := checkTimesteps(timesteps); err != nil {
				return err
			}
			files, err := r.files(args[0])
			if err != nil {
				return err
			}
			m, err := a.loadProgram(args[0], r.memory, timesteps...)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("memory") {
				a.noteUnbounded(m, r.memory)
			}
			return a.restoreAll(cmd.Context(), m, files, r)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&r.in, "input", "i", "", "image or folder to restore")
	f.StringVarP(&r.out, "output", "o", "", "PNG file or folder to write")
	f.StringVar(&r.colour, "colour", "luma", "gray model on a colour image: luma or channels")
	f.IntVar(&r.scale, "scale", 1, "enlarge the image by bicubic first")
	addMemory(f, &r.memory)
	f.IntVarP(&r.timesteps, "timesteps", "T", 0, "run with T timesteps instead of the model's own")
	return cmd
}

// job is one image to restore.
type job struct{ in, out string }

// restored is what run reports of an image.
type restored struct {
	Input  string `json:"input"`
	Output string `json:"output"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
	How    string `json:"how"`
	Tiles  *tiled `json:"tiles,omitempty"`
}

// files pairs inputs with outputs; neither an input nor the model is overwritten.
func (r *restoration) files(model string) ([]job, error) {
	info, err := os.Stat(r.in)
	if err != nil {
		return nil, fmt.Errorf("input %s: %w", r.in, cli.Cause(err))
	}
	if !info.IsDir() {
		if err := cli.CheckOutput(r.out, r.in, model); err != nil {
			return nil, err
		}
		return []job{{r.in, r.out}}, checkImageName(r.out)
	}
	list, err := dataset.List(r.in)
	if err != nil {
		return nil, err
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
	if _, err := os.Stat(r.out); err != nil {
		return jobs, nil // made when the first image is restored
	}
	for _, j := range jobs {
		if err := cli.CheckOutput(j.out, append(list, model)...); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

func (a *app) restoreAll(ctx context.Context, m *loaded, jobs []job, r *restoration) error {
	collectOften()
	step, end := a.Progress("restoring")
	defer end()
	list := []restored{}
	for i, j := range jobs {
		img, err := dataset.Read(j.in)
		if err != nil {
			return err
		}
		if r.scale > 1 {
			if img, err = dataset.ResizeScale(img, float64(r.scale)); err != nil {
				return fmt.Errorf("%s: %w", j.in, err)
			}
		}
		out, how, tiles, err := restore(ctx, m, img, r.colour)
		if err != nil {
			return fmt.Errorf("%s: %w", j.in, err)
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(j.out), 0o777); err != nil {
			return err
		}
		if err := writeImage(j.out, out); err != nil {
			return err
		}
		step(i+1, len(jobs))
		list = append(list, restored{j.in, j.out, out.W, out.H, how, tiles})
		if !a.Quiet && a.format == "text" {
			fmt.Fprintf(a.out, "%s -> %s: %dx%d, %s%v\n", j.in, j.out, out.W, out.H, how, tiles)
		}
	}
	if a.format == "json" {
		return a.json(list)
	}
	return nil
}

// restore runs the model on an image of any kind and says how, and in what tiles.
func restore(ctx context.Context, m *loaded, img dataset.Image, colour string) (
	out dataset.Image, how string, tiles *tiled, err error,
) {
	run := func(x dataset.Image) (dataset.Image, error) {
		t := m.program.Tiling(eval.Tensor(x).Dims)
		if err := checkMemory(t, x.W, x.H); err != nil {
			return dataset.Image{}, err
		}
		tiles = tiledAs(t)
		return eval.Restore(ctx, m.program, m.ports.Input, x)
	}
	switch {
	case m.ports.Channels == 3:
		how = "colour"
		out, err = run(img.Color())
	case img.C == 1:
		how = "gray"
		out, err = run(img)
	case colour == "channels":
		how = "each of red, green and blue"
		out, err = perChannel(img, run)
	default:
		how = "luma, chroma kept"
		out, err = luma(img, run)
	}
	return out, how, tiles, err
}

// perChannel restores red, green and blue as three gray images.
func perChannel(img dataset.Image, run func(dataset.Image) (dataset.Image, error)) (dataset.Image, error) {
	var out dataset.Image
	for c := range img.C {
		y, err := run(dataset.Image{C: 1, H: img.H, W: img.W, Pix: img.Plane(c)})
		if err != nil {
			return out, err
		}
		if c == 0 {
			out = dataset.NewImage(img.C, y.H, y.W)
		}
		copy(out.Plane(c), y.Pix)
	}
	return out, nil
}

// luma restores Y and keeps Cb and Cr, enlarged where the model enlarges.
func luma(img dataset.Image, run func(dataset.Image) (dataset.Image, error)) (dataset.Image, error) {
	ycc, err := img.YCbCr()
	if err != nil {
		return img, err
	}
	y, err := run(dataset.Image{C: 1, H: img.H, W: img.W, Pix: ycc.Plane(0)})
	if err != nil {
		return img, err
	}
	if y.H != ycc.H || y.W != ycc.W {
		if ycc, err = dataset.Resize(ycc, y.H, y.W); err != nil {
			return img, err
		}
	}
	copy(ycc.Plane(0), y.Pix)
	return ycc.RGB()
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

// writeImage writes a PNG. A device or a pipe is written to; a file is replaced
// when the image is complete.
func writeImage(path string, img dataset.Image) error {
	info, err := os.Stat(path)
	if err != nil || info.Mode().IsRegular() {
		return cli.Writing(path, dataset.Write(path, img))
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return cli.Writing(path, err)
	}
	return cli.Writing(path, errors.Join(dataset.Encode(f, img), f.Close()))
}
