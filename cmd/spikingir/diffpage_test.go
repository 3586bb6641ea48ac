package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spikingir/onnxio"
	"spikingir/onnxio/text"
)

// TestDiffPage opens the page of two models that differ in headless Chromium, as TestReportPage does a
// report: names with markup are text, the box hides what is the same and nothing else, and
// nothing is wider than the window.
func TestDiffPage(t *testing.T) {
	chromium := chromiumPath(t)
	dir := t.TempDir()
	const model = `<ir_version: 8, opset_import: ["" : 17]>
g (float[N,1,H,W] x) => (float[N,1,H,W] y)
<float[1,1,1,1] w = {1}>
{
  [first] a = Conv <kernel_shape = [1, 1]> (x, w)
  [second] b = Relu(a)
  [third] y = Sigmoid(b)
}
`
	changed := strings.NewReplacer("[third] y = Sigmoid", "[third] y = Tanh", "w = {1}", "w = {2}",
		"kernel_shape = [1, 1]", `kernel_shape = [1, 1], note = "<script>console.error(1)</script>"`).Replace(model)
	a, b := filepath.Join(dir, "a.onnx"), filepath.Join(dir, "b.onnx")
	for path, source := range map[string]string{a: model, b: changed} {
		m, err := text.Parse(source)
		if err != nil {
			t.Fatal(err)
		}
		if err := onnxio.WriteFile(path, m); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(dir, "page.html")
	var errs bytes.Buffer
	if code := run([]string{"diff", a, b, "--format", "html", "-o", out}, nil, &bytes.Buffer{}, &errs); code != 4 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	page, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	const script = `<script>
addEventListener("load", () => {
  const rows = () => [...document.querySelectorAll("tr[class]")].filter(r => r.offsetParent !== null);
  const all = rows(), marked = all.filter(r => r.className !== "same");
  document.getElementById("only").click();
  const left = rows();
  const only = marked.length > 0 && left.length === marked.length && all.length > left.length;
  const requests = performance.getEntriesByType("resource").length;
  const overflow = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  document.body.dataset.outcome = "only what differs " + only + ", requests " + requests + ", overflow " + overflow;
});
</script>`
	for _, width := range []int{1200, 420} {
		if got, want := open(t, chromium, "diff", page, script, width), "only what differs true, requests 0, overflow 0"; got != want {
			t.Errorf("%d pixels: %s, want %s", width, got, want)
		}
	}
}
