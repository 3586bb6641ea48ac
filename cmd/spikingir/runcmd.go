package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
)

// restoration is what run is asked for.
type restoration struct {
	in, out   string
	colour    string
	scale     int
	timesteps int
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
the image by bicubic first, as VDSR wants it.`,
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
			files, err := r.files()
			if err != nil {
				return err
			}
			var timesteps []int
			if r.timesteps != 0 {
				timesteps = []int{r.timesteps}
			}
			m, err := a.loadProgram(args[0], timesteps...)
			if err != nil {
				return err
			}
			return a.restoreAll(cmd.Context(), m, files, r)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&r.in, "input", "i", "", "image or folder to restore")
	f.StringVarP(&r.out, "output", "o", "", "PNG file or folder to write")
	f.StringVar(&r.colour, "colour", "luma", "gray model on a colour image: luma or channels")
	f.IntVar(&r.scale, "scale", 1, "enlarge the image by bicubic first")
	f.IntVarP(&r.timesteps, "timesteps", "T", 0, "run with T timesteps instead of the model's own")
	return cmd
}

// job is one image to restore.
type job struct{ in, out string }

// files pairs inputs with outputs.
func (r *restoration) files() ([]job, error) {
	info, err := os.Stat(r.in)
	if err != nil {
		return nil, fmt.Errorf("input %s: %w", r.in, err)
	}
	if !info.IsDir() {
		if o, err := os.Stat(r.out); err == nil && o.IsDir() {
			return nil, fmt.Errorf("output %s is a folder, want a file for one image", r.out)
		}
		return []job{{r.in, r.out}}, nil
	}
	list, err := dataset.List(r.in)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(r.out, 0o777); err != nil {
		return nil, err
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
	return jobs, nil
}

func (a *app) restoreAll(ctx context.Context, m *loaded, jobs []job, r *restoration) error {
	step, end := a.progress("restoring")
	defer end()
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
		out, how, err := restore(ctx, m, img, r.colour)
		if err != nil {
			return fmt.Errorf("%s: %w", j.in, err)
		}
		if err := dataset.Write(j.out, out); err != nil {
			return err
		}
		step(i+1, len(jobs))
		if !a.quiet {
			fmt.Fprintf(a.out, "%s -> %s: %dx%d, %s\n", j.in, j.out, out.W, out.H, how)
		}
	}
	return nil
}

// restore runs the model on an image of any kind and says how.
func restore(ctx context.Context, m *loaded, img dataset.Image, colour string) (dataset.Image, string, error) {
	run := func(x dataset.Image) (dataset.Image, error) {
		return eval.Restore(ctx, m.program, m.ports.Input, x)
	}
	switch {
	case m.ports.Channels == 3:
		out, err := run(img.Color())
		return out, "colour", err
	case img.C == 1:
		out, err := run(img)
		return out, "gray", err
	case colour == "channels":
		out, err := perChannel(img, run)
		return out, "each of red, green and blue", err
	}
	out, err := luma(img, run)
	return out, "luma, chroma kept", err
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
