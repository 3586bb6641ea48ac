package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"spikingir/fixtures"
	"spikingir/runtime/cluster"
	"spikingir/runtime/cluster/clustertest"
)

// inProcesses runs a command in so many processes, and gives the standard output of process 0.
func inProcesses(t *testing.T, size int, args ...string) string {
	t.Helper()
	outs, errs := make([]bytes.Buffer, size), make([]bytes.Buffer, size)
	clustertest.Run(size, func(c cluster.Comm) error {
		k := c.Rank()
		if code := runIn(c, args, strings.NewReader(""), &outs[k], &errs[k]); code != 0 {
			t.Errorf("%v in process %d of %d: exit code %d\n%s", args, k, size, code, &errs[k])
		}
		return nil
	})
	return outs[0].String()
}

// TestCluster holds that several processes give the bytes of one: a converted network, the report of
// an evaluation to the last digit, and restored images.
func TestCluster(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, b []byte) {
		if err := os.MkdirAll(filepath.Dir(at(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at(name), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	images, err := fixtures.Images(fixtures.Clean)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range images[:4] {
		write("photos/"+f.Name+".png", f.Data)
	}
	model, err := fixtures.Model("dncnn")
	if err != nil {
		t.Fatal(err)
	}
	write("model.onnx", model)
	seconds := regexp.MustCompile(`"seconds_per_image": [^,]*`)
	var want []string
	for _, size := range []int{1, 2, 3} {
		snn, out := at(fmt.Sprintf("snn%d.onnx", size)), at(fmt.Sprintf("out%d", size))
		inProcesses(t, size, "convert", at("model.onnx"), "-o", snn, "-T", "4", "--calib", at("photos"), "--task", "denoise", "--sigma", "25", "--threads", "1")
		report := inProcesses(t, size, "eval", snn, "--ref", at("model.onnx"), "--data", at("photos"), "-T", "2,4", "--format", "json", "--threads", "1")
		restored := inProcesses(t, size, "run", snn, "-i", at("photos"), "-o", out, "--threads", "1")
		got := []string{seconds.ReplaceAllString(report, ""), strings.ReplaceAll(restored, out, "out")}
		for _, path := range []string{snn, filepath.Join(out, images[0].Name+".png"), filepath.Join(out, images[3].Name+".png")} {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, string(b))
		}
		if want == nil {
			want = got
		}
		for i, what := range []string{"report", "list of images", "network", "first image", "last image"} {
			if got[i] != want[i] {
				t.Errorf("%d processes give another %s than one:\n%.3000s\nwant\n%.3000s", size, what, got[i], want[i])
			}
		}
	}
	if idle := inProcesses(t, 2, "inspect", at("model.onnx")); !strings.Contains(idle, "Conv") {
		t.Errorf("process 0 says %q", idle)
	}
}

// TestLastLine holds what is told of a process that has failed.
func TestLastLine(t *testing.T) {
	l := &lastLine{}
	for _, text := range []string{"spikingir: a note\nspiki", "ngir: what", " it is\n", "open"} {
		fmt.Fprint(l, text)
	}
	if l.text != "spikingir: what it is" {
		t.Errorf("last line %q", l.text)
	}
}
