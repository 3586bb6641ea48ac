package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"spikingir/fixtures"
)

// TestReportPage opens a report in headless Chromium, where that is installed, at two widths:
// nothing is complained of on the console, the slider works, nothing is wider than the window
// and no request but that of the page itself is made. SPIKINGIR_SCREENSHOT names a folder that keeps the
// pictures.
func TestReportPage(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	page := reportPage(t)
	for _, width := range []int{1200, 420} {
		var asked []string
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			asked = append(asked, r.URL.Path)
			w.Header().Set("Content-Type", "text/html")
			// A frame would hide what it does; the probe stands in the page itself.
			_, _ = w.Write(bytes.Replace(page, []byte("</body>"), []byte(probe+"</body>"), 1))
		}))
		dom, console := browse(t, chromium, server.URL+"/", width)
		server.Close()
		if strings.Join(asked, " ") != "/" {
			t.Errorf("%d pixels: asked for %q, want the page alone", width, asked)
		}
		if console != "" {
			t.Errorf("%d pixels: the console has\n%s", width, console)
		}
		outcome := regexp.MustCompile(`data-outcome="([^"]*)"`).FindStringSubmatch(dom)
		if outcome == nil {
			t.Fatalf("%d pixels: the page came to no end", width)
		}
		if want := "viewers 2 of 2, moved true, requests 0, overflow 0"; outcome[1] != want {
			t.Errorf("%d pixels: %s, want %s", width, outcome[1], want)
		}
	}
}

// probe tells what became of the page, once its pictures are there.
const probe = `<script>
addEventListener("load", () => {
  const viewers = [...document.querySelectorAll(".viewer")];
  const good = viewers.filter(v => !v.hidden && v.querySelector(".below").naturalWidth > 0);
  const slider = viewers[0].querySelector("input"), above = viewers[0].querySelector(".above");
  slider.value = 25;
  slider.dispatchEvent(new Event("input"));
  const moved = above.style.clipPath.includes("75%");
  const requests = performance.getEntriesByType("resource").filter(e => !e.name.startsWith("data:")).length;
  const overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  document.body.dataset.outcome = "viewers " + good.length + " of " + viewers.length + ", moved " + moved + ", requests " + requests + ", overflow " + overflow;
});
</script>`

// reportPage is the report of a fine-tuned network on fixtures.
func reportPage(t *testing.T) []byte {
	t.Helper()
	dir := t.TempDir()
	ann, err := fixtures.Model("dncnn")
	if err != nil {
		t.Fatal(err)
	}
	reference, out := filepath.Join(dir, "ann.onnx"), filepath.Join(dir, "page.html")
	if err := os.WriteFile(reference, ann, 0o666); err != nil {
		t.Fatal(err)
	}
	root := filepath.Join("..", "..", "fixtures")
	var errs bytes.Buffer
	code := run([]string{"report", filepath.Join(root, "tuned", "dncnn.onnx"), "--ref", reference, "--data", filepath.Join(root, "images", "clean"),
		"--limit", "2", "-o", out}, nil, &bytes.Buffer{}, &errs)
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	page, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// browse opens a page, and gives it as it is then, and the lines of its console.
func browse(t *testing.T, chromium, address string, width int) (dom, console string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	shot := filepath.Join(t.TempDir(), "page.png")
	if keep := os.Getenv("SPIKINGIR_SCREENSHOT"); keep != "" {
		shot = filepath.Join(keep, fmt.Sprintf("report-%d.png", width))
	}
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir="+t.TempDir(), "--enable-logging=stderr",
		fmt.Sprintf("--window-size=%d,1600", width), "--virtual-time-budget=10000", "--screenshot="+shot, "--dump-dom", address)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	for line := range strings.Lines(errs.String()) {
		if strings.Contains(line, "CONSOLE") {
			console += line
		}
	}
	return out.String(), console
}
