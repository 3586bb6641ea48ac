package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spikingir/cmd/internal/cli"
	"spikingir/fixtures"
)

// TestEvalMemory holds that eval says the same of images in tiles as of whole ones, and
// refuses what takes more than is allowed.
func TestEvalMemory(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	b, err := fixtures.Model("dncnn")
	if err != nil {
		t.Fatal(err)
	}
	images, err := fixtures.Images("clean")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path("set"), 0o777); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"ann.onnx": b, "set/a.png": images[0].Data, "set/b.png": images[1].Data} {
		if err := os.WriteFile(path(name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	wanted := cli.ExitOK
	command := func(args ...string) (out, errs string) {
		t.Helper()
		var o, e bytes.Buffer
		if code := run(args, nil, &o, &e); code != wanted {
			t.Fatalf("%v: exit code %d: %s", args, code, e.String())
		}
		return o.String(), e.String()
	}
	command("convert", path("ann.onnx"), "-o", path("snn.onnx"), "-T", "4", "--limit", "1", "--quiet")
	eval := func(args ...string) (out, errs string) {
		t.Helper()
		out, errs = command(append([]string{"eval", path("snn.onnx"), "--ref", path("ann.onnx"), "--task", "denoise",
			"--sigma", "25", "--data", path("set"), "-T", "2,4"}, args...)...)
		return regexp.MustCompile(`[0-9.]+ s per image`).ReplaceAllString(out, ""), errs
	}
	want, _ := eval("--memory", "none")
	for _, limit := range []string{"400KiB", "200kB"} {
		got, errs := eval("--memory", limit, "--threads", "2")
		if d := cmp.Diff(want, got); d != "" || strings.Contains(errs, "--memory") {
			t.Errorf("--memory %s (-whole +tiles):\n%s%s", limit, d, errs)
		}
	}
	wanted = cli.ExitUnsupported
	if _, errs := eval("--memory", "200kB", "--precision", "float32"); !strings.Contains(errs, "244 KiB are allowed") || !strings.Contains(errs, "node ") {
		t.Errorf("layers in float32 are measured whole; eval says %q", errs)
	}
	wanted = cli.ExitUsage
	if out, errs := eval("--memory", "1KiB"); out != "" || !strings.Contains(errs, `image "a.png": the smallest tiles worth running`) {
		t.Errorf("what no tiles are small enough for: %s%s", out, errs)
	}
}
