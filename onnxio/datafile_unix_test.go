//go:build unix

package onnxio

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// writerFolder tells the process of TestDataKilled where to write.
const writerFolder = "SPIKINGIR_TEST_WRITER"

// TestDataKilled kills a process that writes two models over each other, at random
// moments, and demands that one of them is there, complete.
func TestDataKilled(t *testing.T) {
	models := []float32{1, 3}
	if dir := os.Getenv(writerFolder); dir != "" {
		for i := 0; ; i++ {
			x := models[i%2]
			if err := WriteFile(filepath.Join(dir, "out.onnx"), externalModel(t, "w.bin", x, x+1)); err != nil {
				t.Fatal(err)
			}
		}
	}
	dir := t.TempDir()
	out := filepath.Join(dir, "out.onnx")
	write(t, out, externalModel(t, "w.bin", 1, 2))
	for range 20 {
		cmd := exec.Command(os.Args[0], "-test.run=^TestDataKilled$")
		cmd.Env = append(os.Environ(), writerFolder+"="+dir)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(10+rand.IntN(30)) * time.Millisecond)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait() // it was killed
		m, err := ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		w, err := m.Graph.Value("w").Const.Float32s()
		if err != nil || w[0] != models[0] && w[0] != models[1] || w[1] != w[0]+1 {
			t.Errorf("the model holds %v, %v", w, err)
		}
	}
	if n := strings.Count(entries(t, dir), dataEnding+" "); n > 2 {
		t.Errorf("%d data files are left: %s", n, entries(t, dir))
	}
}

// TestExternalSpecial holds that data which is a pipe or a device is refused at once.
func TestExternalSpecial(t *testing.T) {
	p := base()
	makeExternal(p, "w.bin")
	path := store(t, p, nil)
	if err := syscall.Mkfifo(filepath.Join(filepath.Dir(path), "w.bin"), 0o600); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	_, err := ReadFile(path)
	checkError(t, err, `initializer "w"|"w.bin" is a pipe`)
	model := filepath.Join(filepath.Dir(path), "pipe.onnx")
	if err := syscall.Mkfifo(model, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{model, "/dev/zero"} {
		if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), "want a regular file") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := WriteFile(model, externalModel(t, "w.bin", 1, 2)); err == nil || !strings.Contains(err.Error(), "is a pipe") {
		t.Errorf("a model with external data went to a pipe: %v", err)
	}
}
