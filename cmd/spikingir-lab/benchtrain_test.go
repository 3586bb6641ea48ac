package main

import (
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"

	"spikingir/runtime/bench"
)

// trainRace is a testRace with a script for PyTorch, run by interpreter.
func trainRace(t *testing.T, interpreter, script string) *race {
	r := testRace(t)
	r.peers, r.interpreter = t.TempDir(), interpreter
	if err := os.WriteFile(filepath.Join(r.peers, "torch_multistep_bench.py"), []byte(script), 0o666); err != nil {
		t.Fatal(err)
	}
	return r
}

// program writes a shell script that stands for an interpreter.
func program(t *testing.T, body string) string {
	if goruntime.GOOS == "windows" {
		t.Skip("runs shell scripts")
	}
	path := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body+"\n"), 0o777); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestTrainingPage writes the table of training beside a script that answers, and
// alone beside one that does not.
func TestTrainingPage(t *testing.T) {
	answer := `echo '{"work": "infer", "ms_median": 7}
{"work": "train", "ms_median": 2000, "patches_per_s": 1}
{"firing_rate": 0.1875}'`
	for _, c := range []struct {
		python       string
		want, cannot []string
	}{
		{answer, []string{
			"A step on 8 patches of 8x8 pixels at T = 10:", " | 2000.0 | 4.00 | ", "fire at a rate of 0.188.",
			"| DnCNN-17, random | spikes | ", "| DnCNN-17, trained | rate-backward | ", "| DnCNN-17, trained | rates | ",
		}, []string{"PyTorch: "}},
		{"echo Error: no torch >&2; exit 1", []string{
			"- PyTorch: ", "Error: no torch", "| DnCNN-17, random | spikes | ", " | - | - | - | - | 1 |",
		}, []string{"fire at a rate of"}},
	} {
		r := trainRace(t, program(t, c.python), "")
		r.random, r.Patch = bench.DnCNN(3, 4, 10), 8
		page := rendered(t, r, "training", r.training(t.Context()))
		for _, w := range c.want {
			if !strings.Contains(page, w) {
				t.Errorf("the page lacks %q:\n%s", w, page)
			}
		}
		for _, w := range append(c.cannot, "%!", "NaN") {
			if strings.Contains(page, w) {
				t.Errorf("the page has %q:\n%s", w, page)
			}
		}
	}
}

// TestFlushedTorch runs a script as PyTorch's is run: it sees its own arguments and
// flushed subnormal numbers, and the firing rate is that of its network.
func TestFlushedTorch(t *testing.T) {
	python := interpreter(t.Context(), pythons)
	if testing.Short() || !hasTorch(t, python) {
		t.Skip("loads PyTorch")
	}
	r := trainRace(t, python, `
import json, sys, torch
def integrate_and_fire(x):
    return (x > 0.5).float()
class Net:
    def forward(self, x):
        return integrate_and_fire(x) + integrate_and_fire(1 + 0 * x)
    __call__ = forward
net, x = Net(), torch.tensor([[1., 0.], [1., 1.]])
flushed = float(torch.tensor([1e-30]) * torch.tensor([1e-10])) == 0
if __name__ == '__main__':
    print(json.dumps(dict(work='train', ms_median=int(sys.argv[5]) if flushed else 1)))
`)
	c, err := r.torchTraining(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.ask(t.Context(), "train")
	if err != nil || a.MS != 40 || a.Firing != 0.75 {
		t.Errorf("%+v, want 40 ms at a rate of 0.75 (%v)", a, err)
	}
}

// hasTorch reports whether an interpreter has PyTorch.
func hasTorch(t *testing.T, python string) bool {
	_, err := command{argv: []string{python, "-c", "import torch"}}.printed(t.Context())
	return err == nil
}
