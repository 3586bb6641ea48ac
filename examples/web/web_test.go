package main

import (
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"
)

// TestPage opens the page in headless Chromium, where that and onnxruntime-web are
// installed, and demands that the network gives the bits of spikingir there.
func TestPage(t *testing.T) {
	modules := os.Getenv("SPIKINGIR_ONNXRUNTIME")
	chromium, err := exec.LookPath("chromium")
	if modules == "" || err != nil {
		t.Skip("chromium is not installed, or SPIKINGIR_ONNXRUNTIME is not set")
	}
	h, err := handler(t.Context(), filepath.Join("..", ".."), modules)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(h)
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	shot := filepath.Join(t.TempDir(), "page.png")
	if keep := os.Getenv("SPIKINGIR_SCREENSHOT"); keep != "" {
		shot = keep
	}
	out, err := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(),
		"--window-size=1000,760", "--virtual-time-budget=60000", "--screenshot="+shot, "--dump-dom", server.URL+"/").Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	outcome := regexp.MustCompile(`data-outcome="([^"]*)"`).FindSubmatch(out)
	if outcome == nil {
		t.Fatalf("the page came to no end:\n%s", out)
	}
	if string(outcome[1]) != "0 differ" {
		t.Errorf("the page says %q, want that 0 numbers differ", outcome[1])
	}
}

// TestMissing holds that a missing package is told with the way out.
func TestMissing(t *testing.T) {
	_, err := handler(t.Context(), filepath.Join("..", ".."), t.TempDir())
	if err == nil || !regexp.MustCompile("make onnxruntime").MatchString(err.Error()) {
		t.Errorf("error %v, want one that says make onnxruntime", err)
	}
}
