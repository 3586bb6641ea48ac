// Package report writes what a spiking network is and does as one HTML page that needs no other
// file and no network: pictures, quality against T, layers, energy, training, nodes, metadata.
// The same findings give the same bytes.
package report

import (
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	_ "embed"

	"spikingir"
	"spikingir/cmd/internal/chart"
	"spikingir/cmd/internal/cli"
	"spikingir/cmd/internal/pictures"
	"spikingir/runtime/metric"
)

// Page is what a page is made of.
type Page struct {
	Model, Reference string // the files; no reference is empty
	Task             string // how images were degraded; empty without a ground truth
	Network          *spikingir.Model
	ANN              *spikingir.Model    // nil without a reference
	Reports          []*spikingir.Report // by number of timesteps, rising
	At               int                 // the report that the page is about
	Own              bool                // it is that of the network's own T
	Sets             []pictures.Set      // of some images, with results at that T
	Side             int                 // the most pixels of an image that are shown; 0 for all
	Log              string              // the file of a training run; empty for none
	Events           []spikingir.FinetuneEvent
}

//go:embed page.html
var pageText string

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"line":    cli.Line,
	"shown":   cli.Shown,
	"number":  chart.Number,
	"db":      decibel,
	"percent": func(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) },
	"class": func(n node) string {
		switch {
		case n.Neuron:
			return "neuron"
		case n.Spiking:
			return "spiking"
		case n.Weights:
			return "weights"
		}
		return "other"
	},
	"picture": picture,
	"value":   func(x *float64) float64 { return *x },
	"breakEven": func() string {
		return chart.Number(metric.BreakEven)
	},
}).Parse(pageText))

// Write writes the page.
func (p *Page) Write(w io.Writer) error { return page.Execute(w, p) }

// Main is the report that the page is about.
func (p *Page) Main() *spikingir.Report { return p.Reports[p.At] }

// Version is that of the program.
func (p *Page) Version() string { return spikingir.Version }

// decibel is a PSNR to two decimals; nothing for one that was not measured.
func decibel(x metric.DB) string {
	if x == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", float64(x))
}

// picture is an image as an address that has all of it.
func picture(p pictures.Picture) (template.URL, error) {
	b, err := pictures.PNG(p.Image)
	return template.URL("data:image/png;base64," + base64.StdEncoding.EncodeToString(b)), err
}

// Caption is what is written below a picture of image i.
func (p *Page) Caption(i int, v pictures.Picture) string {
	m := p.Main().PerImage[i]
	switch v.Key {
	case "ann":
		if m.Ref != nil {
			return "PSNR " + decibel(m.Ref.PSNR) + " dB"
		}
	case pictures.Key(p.Main().Timesteps):
		if m.Model.PSNR != 0 {
			return "PSNR " + decibel(m.Model.PSNR) + " dB"
		}
	case "difference":
		if m.Agreement != nil {
			return "agreement " + decibel(*m.Agreement) + " dB"
		}
	}
	return ""
}
