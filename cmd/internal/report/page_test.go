package report

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"spikingir"
	"spikingir/cmd/internal/pictures"
	"spikingir/onnxio/text"
	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
)

const network = `<ir_version: 10, opset_import: ["" : 17, "ai.spikingir" : 1]>
g (float[N,1,H,W] x) => (float[N,1,H,W] o)
<float[1,1,1,1] w1 = {1}, float[1,2,1,1] theta = {1, 1.5}, float[1,1,1,1] w2 = {1}>
{
  [first] c = Conv (x, w1)
  e = ai.spikingir.Encode <timesteps = 4> (c)
  [neurons] y = ai.spikingir.IF <timesteps = 4> (e, , theta)
  r = ai.spikingir.Decode <timesteps = 4> (y)
  [last] o = Conv (r, w2)
}
`

// evil is text that a page must show, and not obey.
const evil = `</title><script src="http://example.com/x.js"></script><img src=x onerror=alert(1)>"'{{.}}` + "\x1b[2J\x00\u202e"

func hostile(t *testing.T) *Page {
	t.Helper()
	m, err := text.Parse(network)
	if err != nil {
		t.Fatal(err)
	}
	for n := range m.Graph.Nodes() {
		n.Name = evil + n.Name
		n.From.Pass = evil
	}
	for i, v := range m.Graph.Inputs() {
		if err := m.Graph.Rename(v, evil+string(rune('a'+i))); err != nil {
			t.Fatal(err)
		}
	}
	m.ProducerName = evil
	m.Metadata.Set("spikingir.pipeline", evil)
	m.Metadata.Set(evil, evil)
	r := &spikingir.Report{Images: 1, Timesteps: 4}
	r.Findings.Poor, r.Findings.Silent = evil, []string{evil}
	r.Layers = append(r.Layers, eval.Layer{Node: evil, Origin: evil, Neuron: evil})
	r.PerImage = append(r.PerImage, eval.ImageReport{Name: evil})
	return &Page{Model: evil, Reference: evil, Task: evil, Network: m, ANN: m, Reports: []*spikingir.Report{r},
		Sets: []pictures.Set{{Name: evil, Pictures: []pictures.Picture{{Key: "input", Label: "input", Image: dataset.NewImage(1, 2, 2)}}}},
		Log:  evil, Events: []spikingir.FinetuneEvent{{Step: 1, Loss: 0.1, StageName: evil}}}
}

func render(t *testing.T, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestHostile holds that names and other text of a model are text on the page.
func TestHostile(t *testing.T) {
	page := render(t, hostile(t))
	for _, bad := range []string{"<script src", "<img src=x", "\x1b", "\x00", "\u202e", `"http://`} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if n := strings.Count(page, "<script"); n != 1 {
		t.Errorf("%d scripts, want the page's own", n)
	}
	if n := strings.Count(page, "&lt;script"); n < 15 {
		t.Errorf("the text is shown %d times, want everywhere that it stands", n)
	}
	if render(t, hostile(t)) != page {
		t.Error("the same findings give other bytes")
	}
}

// TestSections holds that every section is there, and training only with a log.
func TestSections(t *testing.T) {
	p := hostile(t)
	all := []string{"quality", "pictures", "layers", "energy", "training", "graph", "passes", "metadata"}
	page := render(t, p)
	for _, id := range all {
		if !strings.Contains(page, `<section id="`+id+`">`) || !strings.Contains(page, `href="#`+id+`"`) {
			t.Errorf("section %s is missing, or no link leads to it", id)
		}
	}
	p.Events = nil
	if strings.Contains(render(t, p), `"training"`) {
		t.Error("training without a log")
	}
}

func TestReadLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.jsonl")
	const event = `{"stage":0,"stage_name":"rates","step":1,"steps":2,"seconds":1,"loss":0.1}` + "\n"
	for content, want := range map[string]string{
		event + event:             "",
		event + `{"stage":0,`:     "",
		"":                        "has no events",
		event + "{}x\n":           "line 2 is no event",
		`{"loss":1,"a":2}` + "\n": "line 1 is no event",
	} {
		if err := os.WriteFile(path, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		list, err := ReadLog(path)
		switch {
		case want == "" && (err != nil || len(list) == 0):
			t.Errorf("%q: %d events, %v", content, len(list), err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: error %v, want %q", content, err, want)
		}
	}
}
