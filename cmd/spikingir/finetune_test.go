package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/fixtures"
	"spikingir/runtime/dataset"
	"spikingir/runtime/train"
)

// TestStages reads what --stages and --steps say.
func TestStages(t *testing.T) {
	for _, c := range []struct {
		text  string
		steps int
		want  string // name=steps, or the error
	}{
		{"fast=70%,spikes=30%", 10, "rate-backward=7 spikes=3"},
		{"means", 7, "ann=7"}, // as it was called before
		{"rate-backward,spikes", 9, "rate-backward=5 spikes=4"},
		{"calibrate,rates=50%,rate-backward,spikes", 100, "calibrate=0 rates=50 rate-backward=25 spikes=25"},
		{"calibrate", 0, "calibrate=0"},
		{"rate-backward=3, spikes=4,rate-backward=5", 0, "rate-backward=3 spikes=4 rate-backward=5"},
		{"ann", 7, "ann=7"},
		{"rate-backward=70%,spikes=30%", 0, "by time: rate-backward=0.7 spikes=0.3"},
		{"rates=33%,rate-backward=33%,spikes=34%", 10, "rates=3 rate-backward=4 spikes=3"},
		{"slow", 0, `no stage is called "slow", want rates, rate-backward, spikes, ann or calibrate`},
		{"rate-backward=", 0, `"" for rate-backward, want a number of steps`},
		{"rate-backward=0", 0, `"0" for rate-backward`},
		{"rate-backward=1e3", 0, `"1e3" for rate-backward`},
		{"rate-backward=99999999999", 0, `"99999999999" for rate-backward`},
		{"rate-backward=0%", 0, "more than 0%"},
		{"rate-backward=nan%", 0, "more than 0%"},
		{"rate-backward=60%,spikes=30%", 0, "make 90, want 100"},
		{"rate-backward=100%,spikes", 0, "make 100, want 100"},
		{"rate-backward=10,spikes=30%", 0, "all or none"},
		{"rate-backward=10,spikes", 0, "all or none"},
		{"calibrate=3", 0, "calibrate has no steps"},
		{"rate-backward,,spikes", 0, `called ""`},
	} {
		plan, err := spikingir.ParseStages(c.text)
		if err != nil {
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %q", c.text, err, c.want)
			}
			continue
		}
		var got []string
		steps := train.StepsOf(plan, c.steps)
		for i, s := range plan {
			if steps != nil {
				got = append(got, s.Name+"="+strconv.Itoa(steps[i]))
			} else {
				got = append(got, s.Name+"="+strconv.FormatFloat(s.Share, 'g', 4, 64))
			}
		}
		text := strings.Join(got, " ")
		if steps == nil {
			text = "by time: " + text
		}
		if text != c.want {
			t.Errorf("%s of %d steps: %s, want %s", c.text, c.steps, text, c.want)
		}
	}
}

// TestRates reads what --rate says.
func TestRates(t *testing.T) {
	all, each, err := parseRates("rate-backward=1e-3, 2e-4")
	if err != nil || all != 2e-4 || !cmp.Equal(each, map[string]float64{"rate-backward": 1e-3}) {
		t.Errorf("%g, %v, %v", all, each, err)
	}
	for _, text := range []string{"0", "-1", "inf", "nan", "x", "rate-backward", "slow=1", "calibrate=1", "rate-backward=0", "1e-4,"} {
		if _, _, err := parseRates(text); err == nil {
			t.Errorf("--rate %s is accepted", text)
		}
	}
}

// executable makes the test binary a program called spikingir: see [TestMain].
func executable(t *testing.T, dir string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "spikingir")
	if runtime.GOOS == "windows" {
		t.Skip("no symbolic links and signals")
	}
	if err := os.Symlink(self, path); err != nil {
		t.Fatal(err)
	}
	return path
}

// trained is a folder with a small spiking network and images, and the arguments of a
// run of a second or so, with checkpoints all the time.
func trained(t *testing.T, steps int) (dir string, args []string) {
	t.Helper()
	dir = t.TempDir()
	files, err := fixtures.Images(fixtures.Calib)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o777); err != nil {
		t.Fatal(err)
	}
	for _, f := range files[:4] {
		img, err := dataset.Decode(bytes.NewReader(f.Data))
		if err != nil {
			t.Fatal(err)
		}
		if img, err = img.Crop(0, 0, 32, 32); err != nil {
			t.Fatal(err)
		}
		if err := dataset.Write(filepath.Join(dir, "data", f.Name), img); err != nil {
			t.Fatal(err)
		}
	}
	ann, snn := filepath.Join(dir, "ann.onnx"), filepath.Join(dir, "snn.onnx")
	b, err := fixtures.Model("dncnn")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ann, b, 0o666); err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	if code := run([]string{"convert", ann, "-o", snn, "-T", "3", "--limit", "2", "--quiet"}, nil, io.Discard, &errs); code != cli.ExitOK {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	args = slices.Concat([]string{"finetune", snn}, smallRun(filepath.Join(dir, "data")),
		[]string{"--stages", "calibrate,rate-backward,spikes", "--steps", strconv.Itoa(steps), "--average", "0.9",
			"--validate-every", "4", "--patience", "0", "--checkpoint-minutes", "0.0001"})
	return dir, args
}

// losses is what a log tells, without the times.
func losses(t *testing.T, path string) []train.Event {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var list []train.Event
	for line := range bytes.Lines(b) {
		var e train.Event
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v: %s", path, err, line)
		}
		e.Seconds = 0
		if e.Validation != nil {
			e.Validation.Position.Seconds = 0
		}
		list = append(list, e)
	}
	return list
}

// TestKilled kills or interrupts a run at random moments, lets it go on each time, and
// demands the bytes and the log of a run that nothing happened to.
func TestKilled(t *testing.T) {
	steps, kills := 200, 20
	if testing.Short() {
		steps, kills = 40, 3
	}
	dir, args := trained(t, steps)
	spikingir := executable(t, dir)
	whole, parts := filepath.Join(dir, "whole"), filepath.Join(dir, "parts")
	with := func(out string, more ...string) *exec.Cmd {
		return exec.Command(spikingir, slices.Concat(args, []string{"-o", out + ".onnx", "--log", out + ".jsonl"}, more)...)
	}
	began := time.Now()
	if out, err := with(whole).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	took := time.Since(began)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	resumed := 0
	for n := 0; ; n++ {
		var more []string
		if _, err := os.Stat(parts + ".onnx.checkpoint"); err == nil {
			more = []string{"--resume"}
			resumed++
		}
		cmd := with(parts, more...)
		var output bytes.Buffer
		cmd.Stdout, cmd.Stderr = &output, &output
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if n < kills {
			time.Sleep(time.Duration(rng.Float64() * 0.4 * float64(took)))
			how := []os.Signal{os.Kill, os.Kill, os.Interrupt, syscall.SIGHUP}[rng.IntN(4)]
			_ = cmd.Process.Signal(how) // it may have ended
		}
		err := cmd.Wait()
		if err == nil {
			break
		}
		if code := cmd.ProcessState.ExitCode(); n >= kills || code >= 0 && code != cli.ExitInterrupted {
			t.Fatalf("session %d: %v: %s", n, err, output.String())
		}
	}
	t.Logf("%d sessions went on", resumed)
	same(t, whole+".onnx", parts+".onnx")
	if diff := cmp.Diff(losses(t, whole+".jsonl"), losses(t, parts+".jsonl")); diff != "" {
		t.Errorf("log (-whole +parts):\n%s", diff)
	}
	left, err := filepath.Glob(filepath.Join(dir, "*parts*"))
	if err != nil || len(left) != 2 {
		t.Errorf("%v are left, want the model and the log", left)
	}
}

func same(t *testing.T, a, b string) {
	t.Helper()
	x, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	y, err := os.ReadFile(b)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(x, y) {
		t.Errorf("%s and %s differ", a, b)
	}
}

// TestInterrupted demands that Ctrl-C leaves a checkpoint and no output, and that the
// run goes on from it.
func TestInterrupted(t *testing.T) {
	dir, args := trained(t, 40)
	spikingir := executable(t, dir)
	whole, out := filepath.Join(dir, "whole.onnx"), filepath.Join(dir, "out.onnx")
	if b, err := exec.Command(spikingir, append(args, "-o", whole)...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	log := filepath.Join(dir, "log")
	args = append(args, "-o", out, "--log", log, "--checkpoint-minutes", "60")
	var errs bytes.Buffer
	cmd := exec.Command(spikingir, args...)
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 60_000 { // until some steps were logged
		b, _ := os.ReadFile(log)
		if bytes.Count(b, []byte("\n")) > 6 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	err := cmd.Wait()
	if errors.As(err, &exit) && exit.ExitCode() == cli.ExitInterrupted {
		if _, err := os.Stat(out); err == nil {
			t.Error("an interrupted run wrote its output")
		}
		best := filepath.Join(dir, "out.best.onnx")
		_, err := os.Stat(best)
		if told := strings.Contains(errs.String(), best); told != (err == nil) {
			t.Errorf("standard error %q, and the best network: %v", errs.String(), err)
		}
		if !strings.Contains(errs.String(), "--resume goes on") {
			t.Errorf("standard error %q says nothing of --resume", errs.String())
		}
		cmd = exec.Command(spikingir, append(args, "--resume")...)
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, b)
		}
	} else if err != nil { // nil: it was done before the signal came
		t.Fatalf("%v: %s", err, errs.String())
	}
	same(t, whole, out)
}

// TestCalibrationShown holds that a stage without steps says how far it is.
func TestCalibrationShown(t *testing.T) {
	t.Parallel()
	var errs bytes.Buffer
	r := &reporter{app: &app{Common: cli.Common{Err: &errs}}}
	r.report(spikingir.FinetuneEvent{StageName: "calibrate", Layer: 3, Layers: 17, Left: 42})
	r.report(spikingir.FinetuneEvent{StageName: "calibrate", Layer: 4, Layers: 17, Left: 39}) // too soon for another line
	if got, want := errs.String(), "calibrate: layer 3 of 17, 42s left\n"; got != want {
		t.Errorf("shown is %q, want %q", got, want)
	}
}
