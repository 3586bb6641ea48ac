package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"spikingir/cmd/internal/cli"
	"spikingir/fixtures"
	"spikingir/runtime/dataset"
)

// ciCommand is a command of a workflow, and the file that its output goes to.
type ciCommand struct {
	args []string
	file string // empty for none
}

// ciCommands is the commands of the workflow in docs/ci.md, in order.
func ciCommands(t *testing.T) []ciCommand {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "ci.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), "```yaml\n")
	workflow, _, closed := strings.Cut(rest, "```\n")
	if !ok || !closed {
		t.Fatal("docs/ci.md has no workflow")
	}
	var list []ciCommand
	word := regexp.MustCompile(`'[^']*'|\S+`)
	for line := range strings.Lines(workflow) {
		line = strings.TrimPrefix(strings.TrimSpace(line), "run: ")
		if args, own := strings.CutPrefix(line, "spikingir "); own {
			args, file, _ := strings.Cut(args, " > ")
			words := word.FindAllString(args, -1)
			for i, w := range words {
				words[i] = strings.Trim(w, "'")
			}
			list = append(list, ciCommand{words, file})
		}
	}
	return list
}

// TestCI runs the workflow of docs/ci.md as it stands, and then holds that its gates fail
// where their bounds are out of reach.
func TestCI(t *testing.T) {
	commands := ciCommands(t)
	seen := map[string]bool{}
	for _, c := range commands {
		seen[c.args[0]] = true
	}
	for _, name := range []string{"inspect", "convert", "diff", "eval", "verify"} {
		if !seen[name] {
			t.Errorf("the workflow does not use %s", name)
		}
	}
	t.Chdir(t.TempDir())
	model, err := fixtures.Model("dncnn")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("model.onnx", model, 0o666); err != nil {
		t.Fatal(err)
	}
	images, err := fixtures.Images("clean")
	if err != nil || len(images) < 2 {
		t.Fatal("no images", err)
	}
	for i, dir := range []string{"images/calib", "images/test"} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			t.Fatal(err)
		}
		img, err := dataset.Decode(bytes.NewReader(images[i].Data))
		if err != nil {
			t.Fatal(err)
		}
		if img, err = img.Crop(0, 0, 32, 32); err != nil {
			t.Fatal(err)
		}
		if err := dataset.Write(filepath.Join(dir, "a.png"), img); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range commands {
		var out, errs bytes.Buffer
		if code := run(c.args, nil, &out, &errs); code != cli.ExitOK {
			t.Errorf("spikingir %s: exit code %d, want %d\n%s%s", strings.Join(c.args, " "), code, cli.ExitOK, out.String(), errs.String())
		}
		checkDocument(t, c, out.Bytes())
	}
	unreachable := map[string]string{"--assert-psnr-drop": "-99", "--assert-agreement": "999", "--assert-rate": "0",
		"--assert-energy-ratio": "0", "--assert-op-only": "Loop", "--assert-op-count": "Conv<1"}
	for _, c := range commands {
		worse, gates := append([]string{}, c.args...), 0
		for i, w := range c.args {
			if bound := unreachable[w]; bound != "" {
				worse[i+1] = bound
				gates++
			}
		}
		if gates > 0 {
			var out, errs bytes.Buffer
			code := run(worse, nil, &out, &errs)
			checkDocument(t, c, out.Bytes())
			if n := strings.Count(errs.String(), "gate failed: "); code != cli.ExitGate || n != gates {
				t.Errorf("spikingir %s: exit code %d, %d gates failed, want %d:\n%s", strings.Join(worse, " "), code, n, gates, errs.String())
			}
		}
	}
}

// checkDocument demands of what goes to a file that it is a document of the kind that the
// file's name says.
func checkDocument(t *testing.T, c ciCommand, b []byte) {
	t.Helper()
	var err error
	switch ext := filepath.Ext(c.file); ext {
	case "":
	case ".xml":
		err = xml.Unmarshal(b, &struct {
			XMLName xml.Name `xml:"testsuites"`
		}{})
	case ".sarif":
		var log struct{ Version string }
		if err = json.Unmarshal(b, &log); err == nil && log.Version != "2.1.0" {
			t.Errorf("%s: version %q", c.file, log.Version)
		}
	default:
		t.Errorf("the output goes to %s, want .xml or .sarif", c.file)
	}
	if err != nil {
		t.Errorf("spikingir %s gives no %s: %v\n%s", strings.Join(c.args, " "), c.file, err, b)
	}
}
