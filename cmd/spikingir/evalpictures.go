package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/cmd/internal/pictures"
	"spikingir/runtime/eval"
	"spikingir/runtime/metric"
)

const (
	// montageRows and montageSide bound a montage: so many images, of each so many pixels in
	// the middle.
	montageRows = 32
	montageSide = 256
)

// shown is what eval writes of the images beside its figures.
type shown struct {
	folder, montage string
	inputs          cli.Inputs
	names           map[string]bool // of files in the folder
	rows            pictures.Montage
}

func (s *shown) add(f *pflag.FlagSet) {
	f.StringVar(&s.folder, "save-images", "", "folder to write images to: NAME-input.png, NAME-ann.png, NAME-t10.png (for T = 10), NAME-truth.png")
	f.StringVar(&s.montage, "montage", "", fmt.Sprintf("file (PNG) of the images side by side, with maps of errors: the first %d of them, of each the central %d pixels",
		montageRows, montageSide))
}

// wanted reports whether any image is to be written, which process 0 does alone.
func (s *shown) wanted() bool { return s.folder != "" || s.montage != "" }

// check finds what is wrong with the outputs before anything is read.
func (s *shown) check(d *spikingir.Data, models ...string) error {
	s.inputs.Add(models...)
	s.inputs.AddFolders(d.Dir, d.Inputs, d.Targets)
	if s.montage != "" {
		if err := checkImageName(s.montage); err != nil {
			return err
		}
		if err := s.inputs.CheckOutput(s.montage); err != nil {
			return err
		}
	}
	if s.folder == "" {
		return nil
	}
	return cli.CheckFolder(s.folder)
}

// each is what is done with the outcome of an image; nil for nothing.
func (s *shown) each() func(spikingir.Outcome) error {
	if !s.wanted() {
		return nil
	}
	s.names = map[string]bool{}
	return func(o spikingir.Outcome) error {
		if s.folder != "" {
			if err := s.save(o); err != nil {
				return err
			}
		}
		if s.montage == "" || s.rows.Len() == montageRows {
			return nil
		}
		set, err := pictures.Views(o, len(o.Results)-1, montageSide)
		if err != nil {
			return err
		}
		return s.rows.Add(set)
	}
}

// save writes the views of an outcome. Files that differ in their endings alone keep them.
func (s *shown) save(o spikingir.Outcome) error {
	stem := strings.TrimSuffix(o.Name, filepath.Ext(o.Name))
	if s.names[stem] {
		stem = o.Name
	}
	s.names[stem] = true
	for _, p := range pictures.Plain(o) {
		path := filepath.Join(s.folder, stem+"-"+p.Key+".png")
		if err := s.inputs.Check(path); err != nil {
			return err
		}
		b, err := pictures.PNG(p.Image)
		if err != nil {
			return err
		}
		if err := cli.WriteFile(path, b); err != nil {
			return err
		}
	}
	return nil
}

// finish writes the montage.
func (s *shown) finish() error {
	if s.montage == "" {
		return nil
	}
	b, err := s.rows.PNG()
	if err != nil {
		return err
	}
	return cli.WriteFile(s.montage, b)
}

// hasTable marks the commands that give comma-separated values.
const hasTable = "table"

// printCSV is a line for each image and number of timesteps, and one for their mean.
func (a *app) printCSV(all []*spikingir.Report) error {
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	lines := [][]string{{"image", "timesteps", "psnr", "ssim", "ref_psnr", "ref_ssim", "agreement", "firing_rate", "energy_mj", "ref_energy_mj"}}
	for _, r := range all {
		steps := strconv.Itoa(r.Timesteps)
		for _, m := range r.PerImage {
			line := append([]string{m.Name, steps}, qualities(m.Model, m.Ref)...)
			lines = append(lines, append(line, plainDB(m.Agreement), "", "", ""))
		}
		line := append([]string{"mean", steps}, qualities(r.Model, r.Ref)...)
		agreement := ""
		if r.Agreement != nil {
			agreement = plainDB(&r.Agreement.PSNR)
		}
		refMJ := ""
		if r.Energy.RefMJ != nil {
			refMJ = plainNumber(*r.Energy.RefMJ)
		}
		lines = append(lines, append(line, agreement, plainNumber(r.FiringRate), plainNumber(r.Energy.ModelMJ), refMJ))
	}
	if err := w.WriteAll(lines); err != nil {
		return err
	}
	_, err := a.out.Write(b.Bytes())
	return err
}

// qualities is the qualities of a model and of its reference, if there is one.
func qualities(model eval.Quality, ref *eval.Quality) []string {
	list := []string{plainDB(&model.PSNR), plainNumber(model.SSIM), "", ""}
	if ref != nil {
		list[2], list[3] = plainDB(&ref.PSNR), plainNumber(ref.SSIM)
	}
	return list
}

func plainDB(x *metric.DB) string {
	if x == nil {
		return ""
	}
	return plainNumber(float64(*x))
}

func plainNumber(x float64) string { return strconv.FormatFloat(x, 'g', -1, 64) }
