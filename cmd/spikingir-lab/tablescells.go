package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/runtime/metric"
)

// A cell is what one network at one T was measured to be on one test set. Files keep it, so
// that a run goes on where another ended.
type cell struct {
	Key       string         `json:"key"` // all that the figures depend on
	Images    int            `json:"images"`
	PSNR      metric.DB      `json:"psnr"`
	SSIM      float64        `json:"ssim"`
	InputPSNR metric.DB      `json:"input_psnr"`
	RefPSNR   metric.DB      `json:"ref_psnr"`
	RefSSIM   float64        `json:"ref_ssim"`
	Rate      float64        `json:"rate"`
	Agreement metric.DB      `json:"agreement"`
	Firing    float64        `json:"firing_rate"`
	MJ        float64        `json:"model_mj"`
	RefMJ     float64        `json:"ref_mj"`
	First     pictured       `json:"first_image"`
	Residuals []residualCell `json:"residuals"`
}

// pictured is the figures of one image.
type pictured struct {
	Name    string    `json:"name"`
	PSNR    metric.DB `json:"psnr"`
	SSIM    float64   `json:"ssim"`
	RefPSNR metric.DB `json:"ref_psnr"`
	RefSSIM float64   `json:"ref_ssim"`
}

// residualCell is what is left of the membrane potentials of a layer.
type residualCell struct {
	Layer string  `json:"layer"`
	Half  float64 `json:"half"` // share of neurons with v >= theta/2
	Full  float64 `json:"full"` // share with v >= theta
}

// cellOf takes the figures out of a report.
func cellOf(key string, r *spikingir.Report) cell {
	c := cell{Key: key, Images: r.Images, PSNR: r.Model.PSNR, SSIM: r.Model.SSIM, InputPSNR: r.Input.PSNR,
		Firing: r.FiringRate, MJ: r.Energy.ModelMJ}
	if r.Ref != nil {
		c.RefPSNR, c.RefSSIM, c.RefMJ = r.Ref.PSNR, r.Ref.SSIM, *r.Energy.RefMJ
		c.Agreement = r.Agreement.PSNR
	}
	if r.Rate != nil {
		c.Rate = r.Rate.Mean
	}
	if len(r.PerImage) > 0 {
		first := r.PerImage[0]
		c.First = pictured{Name: first.Name, PSNR: first.Model.PSNR, SSIM: first.Model.SSIM}
		if first.Ref != nil {
			c.First.RefPSNR, c.First.RefSSIM = first.Ref.PSNR, first.Ref.SSIM
		}
	}
	for _, l := range r.Layers {
		c.Residuals = append(c.Residuals, residualCell{l.Origin, l.Half, l.Full})
	}
	return c
}

// cells is a file of cells, a JSON object a line.
type cells struct {
	path string
	list map[string]cell
	torn bool // the last line has no end
}

// openCells reads the cells of earlier runs. A line that was cut short, by a run that was
// killed, is left out, and so are those that are no cells.
func openCells(path string) (*cells, error) {
	c := &cells{path: path, list: map[string]cell{}}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	c.torn = len(b) > 0 && b[len(b)-1] != '\n'
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<22)
	for lines.Scan() {
		var x cell
		if json.Unmarshal(lines.Bytes(), &x) == nil && x.Key != "" {
			c.list[x.Key] = x
		}
	}
	return c, lines.Err()
}

// add keeps a cell, at once.
func (c *cells) add(x cell) error {
	line, err := json.Marshal(x)
	if err != nil {
		return fmt.Errorf("%s: %w", x.Key, err)
	}
	c.list[x.Key] = x
	if c.path == "" {
		return nil
	}
	line = append(line, '\n')
	if c.torn {
		line, c.torn = append([]byte{'\n'}, line...), false
	}
	f, err := os.OpenFile(c.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return cli.Writing(c.path, err)
	}
	_, err = f.Write(line)
	return cli.Writing(c.path, errors.Join(err, f.Close()))
}
