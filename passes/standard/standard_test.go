package standard_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"spikingir/passes"
	"spikingir/passes/standard"
)

func TestDocumented(t *testing.T) {
	seen := map[string]bool{}
	for _, p := range standard.Passes() {
		if seen[p.Name] {
			t.Errorf("two passes are called %s", p.Name)
		}
		seen[p.Name] = true
		title, text, _ := strings.Cut(p.Doc, "\n")
		if title == "" || len(title) > 72 || strings.HasSuffix(title, ".") {
			t.Errorf("pass %s: want a title of at most 72 letters without a full stop: %q",
				p.Name, title)
		}
		if strings.TrimSpace(text) == "" {
			t.Errorf("pass %s has a title and no text", p.Name)
		}
		if p.Run == nil {
			t.Errorf("pass %s has nothing to run", p.Name)
		}
		checkOptions(t, p)
	}
}

func checkOptions(t *testing.T, p *passes.Pass) {
	t.Helper()
	seen := map[string]bool{}
	for _, o := range p.Options {
		if seen[o.Name()] || o.Name() == "" || o.Doc() == "" {
			t.Errorf("pass %s: option %q is unnamed, undocumented or stands twice", p.Name, o.Name())
		}
		seen[o.Name()] = true
		text := p.Name + "{" + o.Name() + "=" + o.Default() + "}"
		if _, err := passes.Parse(text, standard.Passes()); err != nil {
			t.Errorf("the default of option %s is refused: %v", o.Name(), err)
		}
	}
}

// TestFolders demands that each pass lives in the folder of its name, and that
// each folder with a pass is listed.
func TestFolders(t *testing.T) {
	var want []string
	for _, p := range standard.Passes() {
		want = append(want, strings.ReplaceAll(p.Name, "-", ""))
	}
	slices.Sort(want)
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		if e.IsDir() && declaresPass(t, filepath.Join("..", e.Name())) {
			have = append(have, e.Name())
		}
	}
	if !slices.Equal(have, want) {
		t.Errorf("folders with a variable Pass: %v\nlisted passes:                 %v", have, want)
	}
}

// declaresPass reports whether the package in dir has a variable called Pass.
func declaresPass(t *testing.T, dir string) bool {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if declares(d, "Pass") {
				return true
			}
		}
	}
	return false
}

func declares(d ast.Decl, name string) bool {
	g, ok := d.(*ast.GenDecl)
	if !ok || g.Tok != token.VAR {
		return false
	}
	return slices.ContainsFunc(g.Specs, func(s ast.Spec) bool {
		return slices.ContainsFunc(s.(*ast.ValueSpec).Names, func(id *ast.Ident) bool {
			return id.Name == name
		})
	})
}
