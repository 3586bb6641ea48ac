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
	chromium := chromiumPath(t)
	page := reportPage(t)
	for _, width := range []int{1200, 420} {
		if got, want := open(t, chromium, "report", page, probe, width), "viewers 2 of 2, moved true, requests 0, overflow 0"; got != want {
			t.Errorf("%d pixels: %s, want %s", width, got, want)
		}
	}
}

// chromiumPath finds the browser, or skips the test.
func chromiumPath(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	return path
}

// open serves a page with a script that tests it, and gives the outcome that the script notes. It demands that
// no request but that of the page is made, and that the console stays empty.
func open(t *testing.T, chromium, name string, page []byte, script string, width int) string {
	t.Helper()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path)
		w.Header().Set("Content-Type", "text/html")
		// A frame would hide what it does; the script stands in the page itself.
		_, _ = w.Write(bytes.Replace(page, []byte("</body>"), []byte(script+"</body>"), 1))
	}))
	dom, console := browse(t, chromium, server.URL+"/", name, width)
	server.Close()
	if strings.Join(asked, " ") != "/" {
		t.Errorf("%s, %d pixels: asked for %q, want the page alone", name, width, asked)
	}
	if console != "" {
		t.Errorf("%s, %d pixels: the console has\n%s", name, width, console)
	}
	outcome := regexp.MustCompile(`data-outcome="([^"]*)"`).FindStringSubmatch(dom)
	if outcome == nil {
		t.Fatalf("%s, %d pixels: the page came to no end", name, width)
	}
	return outcome[1]
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
func browse(t *testing.T, chromium, address, name string, width int) (dom, console string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	shot := filepath.Join(t.TempDir(), "page.png")
	if keep := os.Getenv("SPIKINGIR_SCREENSHOT"); keep != "" {
		shot = filepath.Join(keep, fmt.Sprintf("%s-%d.png", name, width))
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
