package train

import (
	"fmt"
	"math"

	"spikingir/runtime/train/kernel"
	"spikingir/runtime/train/optim"
)

// Options say which values are parameters and what passes gradients through spikes. The
// zero value trains weights and biases with the sigmoid of slope 4.
type Options struct {
	// TrainThresholds makes thresholds parameters, as the softplus of what is trained.
	TrainThresholds bool `json:"train-thresholds,omitempty"`
	// TrainV0 makes initial potentials parameters, one number a layer.
	TrainV0 bool `json:"train-v0,omitempty"`
	// WeightBits rounds the weights behind spikes to so many bits while they are trained, as
	// the pass quantise-weights does; 0 leaves them as they are.
	WeightBits int `json:"weight-bits,omitempty"`
	// Surrogate stands for the derivative of the step function; empty: sigmoid.
	Surrogate Surrogate `json:"surrogate"`
	// Slope is that of the surrogate at the threshold, in units of it; 0: 4.
	Slope float64 `json:"slope"`
	// ResetGradient lets gradients flow through the spike that resets a potential.
	ResetGradient bool `json:"reset-gradient,omitempty"`
	// OutputName is the output of the graph that is trained; it may be empty where there is
	// one only.
	OutputName string `json:"output-name,omitempty"`
}

// A Surrogate names a function of x = v/theta - 1 whose integral is a smooth step.
type Surrogate string

// The surrogateKernels, with slope k.
const (
	Sigmoid  Surrogate = "sigmoid"  // k sig(kx) (1 - sig(kx))
	Triangle Surrogate = "triangle" // k max(0, 1 - k|x|)
	Arctan   Surrogate = "arctan"   // k/2 / (1 + (pi/2 kx)^2)
)

var surrogateKernels = map[Surrogate]kernel.Surrogate{"": kernel.SigmoidSurrogate,
	Sigmoid: kernel.SigmoidSurrogate, Triangle: kernel.TriangleSurrogate, Arctan: kernel.ArctanSurrogate}

// Check reports the first option that is out of range, by its name in JSON.
func (o Options) Check() error {
	if _, ok := surrogateKernels[o.Surrogate]; !ok {
		return fmt.Errorf("surrogate %s, want sigmoid, triangle or arctan", o.Surrogate)
	}
	if o.WeightBits != 0 && (o.WeightBits < 2 || o.WeightBits > 16) {
		return fmt.Errorf("weight-bits %d, want 2 to 16", o.WeightBits)
	}
	return Bound{Name: "slope", Value: o.slope(), High: math.Inf(1), Open: true}.Check()
}

func (o Options) slope() float64 {
	if o.Slope == 0 {
		return 4
	}
	return o.Slope
}

// Method is what a step minimises and how it follows the gradient.
type Method struct {
	// Schedule is how the learning rate goes within a stage: cosine or constant.
	Schedule optim.Shape `json:"schedule"`
	// RateFloor is where a cosine ends, but not above a hundredth of the stage's rate.
	RateFloor float64 `json:"rate-floor"`
	// WarmUp is the first steps of a stage, over which its rate rises; at most half of them.
	WarmUp int `json:"warm-up"`
	// Loss is the distance to the target: mse, l1, charbonnier, or psnr, mse in dB.
	Loss optim.Loss `json:"loss"`
	// Optimizer is adam, adamw for WeightDecay, or muon, which takes the weights of large
	// convolutions in the place of Adam.
	Optimizer string `json:"optimizer"`
	// WeightDecay is what a step takes off weights, in units of rate times weight.
	WeightDecay float64 `json:"weight-decay,omitempty"`
	// Clip is the greatest norm of a gradient; 0 for any.
	Clip float64 `json:"clip,omitempty"`
	// Average is the decay of an exponential average of the parameters, which is then
	// what is measured and kept; 0 for none.
	Average float64 `json:"average,omitempty"`
	// EnergyWeight is k of the energy loss, Eq. 17-19: it rises to k over the run.
	EnergyWeight float64 `json:"energy-weight,omitempty"`
	// DistillOutput is the share of the loss that is against the teacher's output in
	// the place of the target, 0 to 1.
	DistillOutput float64 `json:"distill-output"`
	// DistillFeatures is the weight of the mean square errors of hidden rates, each over
	// the mean square of the teacher's value.
	DistillFeatures float64 `json:"distill-features,omitempty"`
}

// Check reports the first field that is out of range, by its name in JSON.
func (m Method) Check() error {
	for _, b := range []Bound{
		{Name: "rate-floor", Value: m.RateFloor, High: 1},
		{Name: "warm-up", Value: float64(m.WarmUp), High: math.MaxInt32},
		{Name: "weight-decay", Value: m.WeightDecay, High: 1e6},
		{Name: "clip", Value: m.Clip, High: math.MaxFloat64},
		{Name: "average", Value: m.Average, High: 1 - 0x1p-53},
		{Name: "energy-weight", Value: m.EnergyWeight, High: math.MaxFloat32},
		{Name: "distill-output", Value: m.DistillOutput, High: 1},
		{Name: "distill-features", Value: m.DistillFeatures, High: math.MaxFloat32},
	} {
		if err := b.Check(); err != nil {
			return err
		}
	}
	switch {
	case m.Loss.Check() != nil:
		return fmt.Errorf("loss %s, want mse, l1, charbonnier or psnr", m.Loss)
	case m.Schedule != optim.Cosine && m.Schedule != optim.Constant:
		return fmt.Errorf("schedule %s, want cosine or constant", m.Schedule)
	case m.Optimizer != "adam" && m.Optimizer != "adamw" && m.Optimizer != "muon":
		return fmt.Errorf("optimizer %s, want adam, adamw or muon", m.Optimizer)
	}
	return nil
}

// Calibration is how [Trainer.Calibrate] fits layers without a gradient.
type Calibration struct {
	// CalibratePatches is how many patches the statistics are taken from.
	CalibratePatches int `json:"calibrate-patches,omitempty"`
	// CalibrateRidge pulls the weights to those that they were, as if that share of the mean
	// square of the inputs had been seen with the old results; positive.
	CalibrateRidge float64 `json:"calibrate-ridge,omitempty"`
}

// Check reports the first field that is out of range, by its name in JSON.
func (c Calibration) Check() error {
	if err := (Bound{Name: "calibrate-patches", Value: float64(c.CalibratePatches), Low: 1, High: math.MaxInt32}).Check(); err != nil {
		return err
	}
	return Bound{Name: "calibrate-ridge", Value: c.CalibrateRidge, High: math.Inf(1), Open: true}.Check()
}

// A Bound is a number and the range that it must lie in.
type Bound struct {
	Name             string
	Value, Low, High float64
	Open             bool // Low itself is out of range, and so is High
}

// Check reports a number out of range.
func (b Bound) Check() error {
	switch {
	case b.Open && b.Value > b.Low && b.Value < b.High, !b.Open && b.Value >= b.Low && b.Value <= b.High:
		return nil
	case b.Open:
		return fmt.Errorf("%s %g, want more than %g", b.Name, b.Value, b.Low)
	case b.Value < b.Low || b.High > 1e4:
		return fmt.Errorf("%s %g, want %g or more", b.Name, b.Value, b.Low)
	}
	return fmt.Errorf("%s %g, want %g to %.4g", b.Name, b.Value, b.Low, b.High)
}

// A Stage is a number of steps of one kind, or a calibration.
type Stage struct {
	// Name is the kind: calibrate, rates, rate-backward, spikes or ann.
	Name string `json:"name"`
	// Rate is the learning rate, before the schedule.
	Rate float64 `json:"rate,omitempty"`
	// Steps is their number; 0 where Share says it.
	Steps int `json:"steps,omitempty"`
	// Share is the part of all steps, or of the time, that the stage takes.
	Share float64 `json:"share,omitempty"`
}

// CalibrateStage is the stage without steps: see [Trainer.Calibrate]. RateStage is the
// stage of mode Rates.
const (
	CalibrateStage = "calibrate"
	RateStage      = "rates"
)

// Calibrates reports whether the stage is a calibration.
func (s Stage) Calibrates() bool { return s.Name == CalibrateStage }

// A kind is what the steps of a stage do.
type kind struct {
	name    string
	mode    Mode
	byRates bool // back through mean rates, once
}

// kinds are those of stages with steps, in the order that they make sense in.
var kinds = []kind{{RateStage, Rates, false}, {"rate-backward", Spikes, true}, {"spikes", Spikes, false}, {"ann", ANN, false}}

// kind is what the steps of the stage do.
func (s Stage) kind() (kind, error) {
	names := ""
	for _, k := range kinds {
		if k.name == s.Name {
			return k, nil
		}
		names += ", " + k.name
	}
	return kind{}, fmt.Errorf("no stage is called %q, want %s or %s", s.Name, names[2:], CalibrateStage)
}

// Check reports a stage of no known name.
func (s Stage) Check() error {
	if s.Calibrates() {
		return nil
	}
	_, err := s.kind()
	return err
}

// StepsOf is the number of steps of each stage, where shares are of total; nil where
// there are shares and no total, so that the time decides.
func StepsOf(stages []Stage, total int) []int {
	var steps []int
	done, before := 0.0, 0
	for _, s := range stages {
		if s.Share > 0 && total == 0 {
			return nil
		}
		n := s.Steps
		if s.Share > 0 {
			// Rounding the ends of stages makes the sum come out.
			done += s.Share
			end := int(math.Round(done * float64(total)))
			n, before = end-before, end
		}
		steps = append(steps, n)
	}
	return steps
}
