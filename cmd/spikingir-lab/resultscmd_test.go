package main

import (
	"os"
	"path/filepath"
	"testing"
)

// TestFineTuned holds that measuring conversions again keeps the part of the page that
// is about fine-tuned networks, and nothing else.
func TestFineTuned(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"# Results\n\n| a |\n\n# Fine-tuned networks\n\n| b |\n": "# Fine-tuned networks\n\n| b |\n",
		"# Results\n\nSee # Fine-tuned networks\n":               "",
		"": "",
	} {
		path := filepath.Join(dir, "page.md")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := fineTuned(path)
		if err != nil || got != want {
			t.Errorf("of %q it keeps %q, %v, want %q", text, got, err, want)
		}
	}
	if got, err := fineTuned(filepath.Join(dir, "none.md")); got != "" || err != nil {
		t.Errorf("of no page it keeps %q, %v", got, err)
	}
	if _, err := fineTuned(dir); err == nil {
		t.Error("a folder is a page")
	}
}
