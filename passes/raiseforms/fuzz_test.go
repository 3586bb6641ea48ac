package raiseforms_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"spikingir/graph"
	"spikingir/onnxio/text"
	"spikingir/passes"
	"spikingir/passes/raiseforms"
)

// lowered is the models of the golden cases, as they are before the pass.
func lowered(tb testing.TB) (list []*graph.Model) {
	tb.Helper()
	paths, err := filepath.Glob(filepath.Join("testdata", "*.txtar"))
	if err != nil {
		tb.Fatal(err)
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			tb.Fatal(err)
		}
		for _, f := range txtar.Parse(b).Files {
			if f.Name != "before" {
				continue
			}
			m, err := text.Parse(string(f.Data))
			if err != nil {
				tb.Fatal(err)
			}
			list = append(list, m)
		}
	}
	return list
}

// FuzzDocument gives files any metadata: what is no document of the file is an error, and no
// fault of the program.
func FuzzDocument(f *testing.F) {
	models := lowered(f)
	for i, m := range models {
		doc, _ := m.Metadata.Get(graph.MetaNeurons)
		f.Add(byte(i), doc)
		for old, fresh := range map[string]string{
			`"MPRN"`: `"IF"`, `"r"`: `"x"`, `"e"`: `""`, `"x"`: `"y"`, `"outputs":["`: `"outputs":["","`, `"inputs":[`: `"in":[`,
			`"data":"`: `"data":"AAAA`, `"dims":[`: `"dims":[7,`, `"int":`: `"int":-`, `"scales":[`: `"scales":[0,`, `"opset":1`: `"opset":2`,
			`"kept":[`: `"kept":["x",`, `"value":"`: `"value":"x`, `"from":"`: `"from":"t`, `"amplitudes":[`: `"amplitudes":[0,`,
		} {
			f.Add(byte(i), strings.ReplaceAll(doc, old, fresh))
		}
	}
	f.Fuzz(func(t *testing.T, model byte, doc string) {
		m := models[int(model)%len(models)].Clone()
		m.Metadata.Set(graph.MetaNeurons, doc)
		_, err := passes.Pipeline{raiseforms.Pass.With()}.Run(m, passes.Options{})
		var fault *passes.Internal
		if errors.As(err, &fault) {
			t.Fatalf("%v, of %s", err, doc)
		}
	})
}
