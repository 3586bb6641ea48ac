package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestTroubleshooting holds that the messages of docs/troubleshooting.md are those of the
// program: each, but for what an ellipsis stands for, is in a source file.
func TestTroubleshooting(t *testing.T) {
	var source strings.Builder
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "build" || d.Name() == "testdata" || d.Name() == "examples" || strings.HasPrefix(d.Name(), ".") && path != root):
			return fs.SkipDir
		case filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		b, err := os.ReadFile(path)
		source.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	text, seen := source.String(), 0
	message := regexp.MustCompile("^\\| `([^`]+)` \\|")
	for line := range strings.Lines(page(t, "docs/troubleshooting.md")) {
		m := message.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		seen++
		for _, part := range strings.Split(m[1], "...") {
			if part != "" && !strings.Contains(text, part) {
				t.Errorf("the program never says %q, of %q", part, m[1])
			}
		}
	}
	if seen < 20 {
		t.Errorf("docs/troubleshooting.md has %d messages, want all that are frequent", seen)
	}
}
