package eval

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"spikingir/graph"
	"spikingir/runtime/metric"
)

// A Record is what a file states that was measured of its network: how often each layer of neurons
// fires, and the energy of each layer that takes some. Its JSON form is the metadata
// [graph.MetaMeasured]. Numbers have six digits, so that every machine writes the same.
type Record struct {
	On         string            `json:"on"` // calibration or held-out
	Images     int               `json:"images"`
	Pixels     float64           `json:"pixels"` // of an input, on the mean
	Timesteps  int               `json:"timesteps"`
	FiringRate float64           `json:"firing_rate"` // spikes per neuron and main step
	EnergyMJ   float64           `json:"energy_mj"`   // per image
	Mode       metric.Mode       `json:"energy_mode"`
	First      metric.FirstLayer `json:"first_layer"`
	Neurons    []RecordedNeurons `json:"neurons"`
	Layers     []RecordedLayer   `json:"layers"`
}

// RecordedNeurons is a layer of neurons.
type RecordedNeurons struct {
	Node       string  `json:"node"`
	FiringRate float64 `json:"firing_rate"`
	PostShare  float64 `json:"post_share"` // of the spikes, in the post step
}

// RecordedLayer is a layer that takes energy.
type RecordedLayer struct {
	Node     string        `json:"node"`
	Source   metric.Source `json:"driven_by"`
	SpikesIn float64       `json:"spikes_per_input"`
	EnergyMJ float64       `json:"energy_mj"` // per image
	ANNMJ    float64       `json:"ann_mj"`    // what the same layer costs once, on analog values
}

// On what a record was measured.
const (
	OnCalibration = "calibration"
	OnHeldOut     = "held-out"
)

// Record is what a file states of a report; nil where no neuron was measured.
func (r *Report) Record(on string) *Record {
	if len(r.Layers) == 0 {
		return nil
	}
	c := &Record{On: on, Images: r.Images, Pixels: digits(r.Pixels), Timesteps: r.Timesteps, FiringRate: digits(r.FiringRate),
		EnergyMJ: digits(r.Energy.ModelMJ), Mode: r.Energy.Mode, First: r.Energy.First,
		Neurons: []RecordedNeurons{}, Layers: []RecordedLayer{}}
	for _, l := range r.Layers {
		c.Neurons = append(c.Neurons, RecordedNeurons{l.Node, digits(l.FiringRate), digits(l.PostShare)})
	}
	for _, l := range r.Energy.Layers {
		c.Layers = append(c.Layers, RecordedLayer{l.Node, l.Source, digits(l.SpikesIn), digits(l.ModelMJ), digits(l.ANNMJ)})
	}
	return c
}

// digits is x to six digits.
func digits(x float64) float64 {
	y, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if err != nil {
		return x
	}
	return y
}

// Put writes the record into a model's metadata; nil takes away what is there.
func (c *Record) Put(m *graph.Model) error {
	if c == nil {
		m.Metadata.Delete(graph.MetaMeasured)
		return nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // in names
	if err := enc.Encode(c); err != nil {
		return fmt.Errorf("metadata %q: %w", graph.MetaMeasured, err)
	}
	m.Metadata.Set(graph.MetaMeasured, string(bytes.TrimSpace(b.Bytes())))
	return nil
}

// RecordOf reads the record of a model; nil where there is none.
func RecordOf(m *graph.Model) (*Record, error) {
	text, ok := m.Metadata.Get(graph.MetaMeasured)
	if !ok {
		return nil, nil
	}
	c := &Record{}
	if err := json.Unmarshal([]byte(text), c); err != nil {
		return nil, fmt.Errorf("metadata %q: %w", graph.MetaMeasured, err)
	}
	return c, nil
}
