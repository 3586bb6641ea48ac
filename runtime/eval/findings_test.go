package eval

import (
	"strings"
	"testing"

	"spikingir/runtime/metric"
)

func TestFindings(t *testing.T) {
	report := func(input, model, ref, agreement float64) *Report {
		r := &Report{Input: Quality{PSNR: metric.DB(input)}, Model: Quality{PSNR: metric.DB(model)}}
		if ref != 0 {
			r.Ref = &Quality{PSNR: metric.DB(ref)}
		}
		if agreement != 0 {
			r.Agreement = &Agreement{metric.DB(agreement)}
		}
		return r
	}
	for _, c := range []struct {
		name string
		r    *Report
		want string
	}{
		{"good", report(20, 28, 29, 31), ""},
		{"as its input", report(33.768, 33.768, 37.5, 36), "no better than its input: PSNR 33.77 dB"},
		{"without an ANN", report(33.7, 33.6, 0, 0), "no better than its input"},
		{"without an ANN, good", report(33.7, 34, 0, 0), ""},
		{"a part of the gain", report(20, 24, 29, 31), "gains 4.00 dB over its input, where the ANN gains 9.00 dB"},
		{"an ANN without a gain", report(30, 29, 30.2, 31), ""},
		{"an ANN that harms", report(30, 29, 25, 31), ""},
		{"no truth, near", report(0, 0, 0, 35), ""},
		{"no truth, far", report(0, 0, 0, 21.25), "agreement with the ANN is 21.2 dB"},
		{"nothing known", report(0, 0, 0, 0), ""},
		{"enlarged", report(0, 28, 29, 21), ""},
		{"enlarged, far", report(0, 17, 29.7, 17), "its PSNR is 17.00 dB, the ANN's 29.70 dB"},
	} {
		if got := c.r.judge().Poor; !strings.Contains(got, c.want) || c.want == "" && got != "" {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	r := &Report{Layers: []Layer{{Origin: "a"}, {Origin: "b", FiringRate: 0.1}, {Origin: "c", FiringRate: 0.9, Full: 0.2}}}
	f := r.judge()
	if strings.Join(f.Silent, " ") != "a" || strings.Join(f.Saturated, " ") != "c" {
		t.Errorf("silent %v, saturated %v, want a and c", f.Silent, f.Saturated)
	}
}
