package eval

import "fmt"

// Findings is what a report tells of whether a spiking network is any good.
type Findings struct {
	// Poor is why it is not; empty where nothing says so.
	Poor string `json:"poor,omitempty"`
	// Silent are the neuron layers that never fire, by their origin. Nothing that they read
	// reaches the output.
	Silent []string `json:"silent,omitempty"`
	// Saturated are those of which many neurons end with a potential of a threshold or more:
	// they would have to fire more often than there are timesteps.
	Saturated []string `json:"saturated,omitempty"`
}

const (
	// leastAgreement, in dB, is that below which a difference to the ANN is plain to see.
	leastAgreement = 30
	// leastGain is the least that an ANN gains over its input, in dB, for a spiking network
	// to be measured by its share of it.
	leastGain = 0.5
	// mostBelow, in dB, is how far below its ANN a network may be whose input has another size
	// than the target, and so no PSNR.
	mostBelow = 3
	// saturatedShare is the share of the neurons of a layer that may be left with a threshold
	// or more.
	saturatedShare = 0.1
)

// judge finds what a report tells. With a ground truth a network is held to what its ANN gains
// over the input, else to the agreement with it.
func (r *Report) judge() Findings {
	f := Findings{Poor: r.poor()}
	for _, l := range r.Layers {
		switch {
		case l.FiringRate == 0:
			f.Silent = append(f.Silent, l.Origin)
		case l.Full > saturatedShare:
			f.Saturated = append(f.Saturated, l.Origin)
		}
	}
	return f
}

func (r *Report) poor() string {
	input, model := float64(r.Input.PSNR), float64(r.Model.PSNR)
	if model != 0 && input != 0 {
		gain := leastGain
		if r.Ref != nil {
			gain = float64(r.Ref.PSNR) - input
		}
		switch {
		case gain < leastGain: // an ANN that does nothing for these images
		case model <= input:
			return fmt.Sprintf("it is no better than its input: PSNR %.2f dB, the input has %.2f dB", model, input)
		case r.Ref != nil && model-input < gain/2:
			return fmt.Sprintf("it gains %.2f dB over its input, where the ANN gains %.2f dB", model-input, gain)
		}
		return ""
	}
	if model != 0 && r.Ref != nil && float64(r.Ref.PSNR)-model > mostBelow {
		return fmt.Sprintf("its PSNR is %.2f dB, the ANN's %.2f dB", model, float64(r.Ref.PSNR))
	}
	if model == 0 && r.Agreement != nil && float64(r.Agreement.PSNR) < leastAgreement {
		return fmt.Sprintf("its agreement with the ANN is %.1f dB, and below %d dB a difference is plain to see",
			float64(r.Agreement.PSNR), leastAgreement)
	}
	return ""
}
