package spikingir

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"spikingir/graph/infer"
	"spikingir/onnxio/text"
	"spikingir/passes"
	"spikingir/passes/standard"
	"spikingir/runtime/kernel/machine"
)

// TestRefusals holds that each refusal of which a pass has a golden case is the fault of
// the model: an unsupported structure, or one of the few where the model is not valid.
func TestRefusals(t *testing.T) {
	invalid := []string{
		"fold-batchnorm/error-overflow", "fold-batchnorm/error-variance", "fold-if/error-condition", "infer-shapes/error-contradiction",
		"quantise-weights/error-finite", "settle-initializers/error-sparse",
	}
	pool := machine.NewPool(1)
	defer pool.Close()
	seen := map[string]bool{}
	for _, pass := range standard.Passes() {
		files, err := filepath.Glob(filepath.Join("passes", strings.ReplaceAll(pass.Name, "-", ""), "testdata", "*.txtar"))
		if err != nil || len(files) == 0 {
			t.Fatalf("pass %s has no golden cases (%v)", pass.Name, err)
		}
		for _, file := range files {
			err, refuses := refusal(t, pass, file, pool)
			if !refuses {
				continue
			}
			name := pass.Name + "/" + strings.TrimSuffix(filepath.Base(file), ".txtar")
			seen[name] = true
			var i *InvalidError
			var u *UnsupportedError
			if isInvalid := errors.As(err, &i); isInvalid != slices.Contains(invalid, name) || !isInvalid && !errors.As(err, &u) {
				t.Errorf("%s: %T %v", name, err, err)
			}
		}
	}
	for _, name := range invalid {
		if !seen[name] {
			t.Errorf("there is no case %s", name)
		}
	}
}

// refusal is the error of a pass on a golden case that expects one.
func refusal(t *testing.T, pass *Pass, file string, pool *machine.Pool) (err error, refuses bool) {
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	sections := map[string]string{}
	for _, f := range a.Files {
		sections[f.Name] = string(f.Data)
	}
	if _, refuses = sections["error"]; !refuses {
		return nil, false
	}
	m, err := text.Parse(sections["before"])
	if err != nil {
		t.Fatal(err)
	}
	if pass.Needs.Has(passes.Typed) {
		if err := infer.Model(m); err != nil {
			t.Fatal(err)
		}
	}
	p, err := passes.Parse(pass.Name+"{"+strings.TrimSpace(sections["options"])+"}", standard.Passes())
	if err != nil {
		t.Fatal(err)
	}
	given := &Pass{Name: "given", Doc: "claim what the pass needs", Gives: pass.Needs,
		Run: func(*passes.Context) (bool, error) { return false, nil }}
	_, err = append(Pipeline{given.With()}, p...).Run(m, passes.Options{Evaluate: evaluator(t.Context(), pool, 0)})
	return refused(err), true
}

// TestFaultOf holds which errors of a pipeline are the model's.
func TestFaultOf(t *testing.T) {
	m, err := text.Parse(`<ir_version: 8, opset_import: ["" : 17]>
g (float[N,1,H,W] x) => (float[N,1,H,W] y) { y = Relu(x) }`)
	if err != nil {
		t.Fatal(err)
	}
	run := func(run func(*passes.Context) (bool, error), gives passes.Facts) error {
		p := Pipeline{(&Pass{Name: "odd", Doc: "for a test", Gives: gives, Run: run}).With()}
		_, err := Convert(context.Background(), m.Clone(), Options{Pipeline: p})
		return err
	}
	wrong := func(*passes.Context) (bool, error) { return false, errors.New("no such thing") }
	none := func(*passes.Context) (bool, error) { return false, nil }
	panics := func(*passes.Context) (bool, error) { panic("a bug") }
	var u *UnsupportedError
	var i *InvalidError
	if err := run(wrong, 0); !errors.As(err, &u) {
		t.Errorf("an error of a pass of one's own: %T, want an unsupported model", err)
	}
	for _, err := range []error{run(none, passes.Split), run(panics, 0)} {
		if err == nil || errors.As(err, &u) || errors.As(err, &i) {
			t.Errorf("a fault of the pass is blamed on the model: %v", err)
		}
	}
}
