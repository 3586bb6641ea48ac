package metric

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"spikingir/runtime/dataset"
)

// Quality is how close images are to the ground truth.
type Quality struct {
	PSNR float64 // dB, +Inf if identical
	SSIM float64 // at most 1
}

// ScoreOptions say what is done to an output before it is compared. The target
// is only cropped.
type ScoreOptions struct {
	Window    Window // of SSIM; empty means Gaussian
	Shave     int    // pixels to leave out on every side
	Clip      bool   // limit the output to [0,1]
	Quantize8 bool   // clip the output and round it to multiples of 1/255
}

// Score measures an output against its target. The benchmarks clip for
// denoising and dehazing, and round to 8 bit for super-resolution.
func Score(output, target dataset.Image, opt ScoreOptions) (Quality, error) {
	if !output.SameSize(target) {
		return Quality{}, fmt.Errorf("output has shape [%d,%d,%d] and its target [%d,%d,%d], want equal",
			output.C, output.H, output.W, target.C, target.H, target.W)
	}
	output, err := output.CropBorder(opt.Shave)
	if err != nil {
		return Quality{}, err
	}
	target, err = target.CropBorder(opt.Shave)
	if err != nil {
		return Quality{}, err
	}
	switch {
	case opt.Quantize8:
		output = output.Quantize8()
	case opt.Clip:
		output = output.Clip()
	}
	var q Quality
	if q.PSNR, err = PSNR(output.Pix, target.Pix); err != nil {
		return Quality{}, err
	}
	q.SSIM, err = SSIM(output, target, cmp.Or(opt.Window, Gaussian))
	return q, err
}

// MeanQuality averages over images, dB with dB and in the order given. One
// identical image makes the PSNR +Inf.
func MeanQuality(images []Quality) (Quality, error) {
	if len(images) == 0 {
		return Quality{}, errors.New("cannot average the quality of no images")
	}
	var sum Quality
	for _, q := range images {
		sum.PSNR += q.PSNR
		sum.SSIM += q.SSIM
	}
	n := float64(len(images))
	return Quality{PSNR: sum.PSNR / n, SSIM: sum.SSIM / n}, nil
}

// Rate is a conversion rate in per cent: how much of the ANN's quality the
// spiking network keeps.
type Rate struct {
	PSNR float64 `json:"psnr"`
	SSIM float64 `json:"ssim"`
	Mean float64 `json:"mean"` // of the two
}

// ConversionRate returns 100*snn/ann for PSNR and SSIM, and their mean. A
// spiking network may exceed 100 per cent; capped limits PSNR and SSIM to 100
// before the mean, as the SpikingIR paper's tables do. The ANN's values must be
// positive and finite.
func ConversionRate(snn, ann Quality, capped bool) (Rate, error) {
	psnr, err := percent("psnr", snn.PSNR, ann.PSNR, capped)
	if err != nil {
		return Rate{}, err
	}
	ssim, err := percent("ssim", snn.SSIM, ann.SSIM, capped)
	if err != nil {
		return Rate{}, err
	}
	return Rate{PSNR: psnr, SSIM: ssim, Mean: (psnr + ssim) / 2}, nil
}

func percent(name string, snn, ann float64, capped bool) (float64, error) {
	if !(ann > 0) || math.IsInf(ann, 1) {
		return 0, fmt.Errorf("conversion rate: %s of the ANN is %g, want a positive number", name, ann)
	}
	if math.IsNaN(snn) {
		return 0, fmt.Errorf("conversion rate: %s of the spiking network is not a number", name)
	}
	rate := 100 * snn / ann
	if capped {
		rate = min(rate, 100)
	}
	return rate, nil
}
