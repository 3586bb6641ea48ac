package text_test

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"spikingir/onnxio/text"
)

// FuzzParse checks that no source makes the parser panic, and that what it
// accepts prints as something that parses and prints the same.
func FuzzParse(f *testing.F) {
	files, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if file.IsDir() {
			continue
		}
		a, err := txtar.ParseFile("testdata/" + file.Name())
		if err != nil {
			f.Fatal(err)
		}
		for _, section := range a.Files {
			f.Add(string(section.Data))
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		if strings.Contains(src, "seed:") {
			t.Skip("large tensors from a short source are slow")
		}
		m, err := text.Parse(src)
		if err != nil {
			return
		}
		if err := m.Check(); err != nil {
			t.Fatalf("parsed a wrong model: %v", err)
		}
		printed := text.Format(m)
		back, err := text.Parse(printed)
		if err != nil {
			t.Fatalf("%v\n%s", err, printed)
		}
		if again := text.Format(back); again != printed {
			t.Fatalf("printed\n%s\nand then\n%s", printed, again)
		}
	})
}
