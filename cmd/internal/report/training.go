package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"math"

	"spikingir"
	"spikingir/cmd/internal/chart"
	"spikingir/internal/regular"
)

// ReadLog reads the events of a training run, as finetune --log writes them: a line of JSON
// each. A last line without an end, of a run that goes on, is left out.
func ReadLog(path string) ([]spikingir.FinetuneEvent, error) {
	f, _, err := regular.Open(path)
	if err != nil {
		return nil, fmt.Errorf("log %s: %w", path, err)
	}
	defer f.Close()
	var list []spikingir.FinetuneEvent
	b := bufio.NewReader(f)
	for line := 1; ; line++ {
		text, err := b.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			if len(list) == 0 {
				return nil, fmt.Errorf("log %s has no events, want what finetune --log writes", path)
			}
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("log %s: %w", path, err)
		}
		var e spikingir.FinetuneEvent
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		err = d.Decode(&e)
		if err == nil && d.More() {
			err = errors.New("something follows it on the line")
		}
		if err != nil {
			return nil, fmt.Errorf("log %s: line %d is no event of a run of finetune: %w", path, line, err)
		}
		list = append(list, e)
	}
}

// mostPoints is the most points of a curve: neighbours are averaged.
const mostPoints = 300

// TrainingCharts are the curves of the run: loss, PSNR and firing rate of the patches of each
// step, and of the held-out images.
func (p *Page) TrainingCharts() []template.HTML {
	var loss, psnr, held, rate, heldRate chart.Series
	loss.Name, psnr.Name, held.Name, rate.Name, heldRate.Name = "patches", "patches", "held-out images", "patches", "held-out images"
	add := func(s *chart.Series, x, y float64) { s.X, s.Y = append(s.X, x), append(s.Y, y) }
	before, last, stage := 0, 0, 0
	for _, e := range p.Events {
		if e.Stage != stage {
			before, last, stage = before+last, 0, e.Stage
		}
		last = max(last, e.Step)
		at := float64(before + e.Step)
		switch {
		case e.Validation != nil:
			add(&held, at, e.Validation.PSNR)
			add(&heldRate, at, e.Validation.FiringRate)
		case e.Loss > 0:
			add(&loss, at, math.Log10(e.Loss))
			add(&psnr, at, e.PSNR)
			add(&rate, at, e.FiringRate)
		}
	}
	var list []template.HTML
	for _, c := range []chart.Lines{
		{Title: "Loss", X: "step", Y: "log10 of the loss", Series: []chart.Series{thin(loss)}},
		{Title: "PSNR while training", X: "step", Y: "PSNR (dB)", Series: []chart.Series{thin(psnr), held}},
		{Title: "Firing rate while training", X: "step", Y: "firing rate", Series: []chart.Series{thin(rate), heldRate}},
	} {
		if svg := c.SVG(); svg != "" {
			list = append(list, svg)
		}
	}
	return list
}

// thin averages neighbours, so that few enough are left.
func thin(s chart.Series) chart.Series {
	group := (len(s.X) + mostPoints - 1) / mostPoints
	if group <= 1 {
		return s
	}
	out := chart.Series{Name: s.Name}
	for i := 0; i < len(s.X); i += group {
		end := min(i+group, len(s.X))
		var x, y float64
		for k := i; k < end; k++ {
			x, y = x+s.X[k], y+s.Y[k]
		}
		out.X, out.Y = append(out.X, x/float64(end-i)), append(out.Y, y/float64(end-i))
	}
	return out
}
