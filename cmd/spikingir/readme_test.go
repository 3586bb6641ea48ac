package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestREADME demands that the README names every command, and none and no flag
// that there is not.
func TestREADME(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	readme := string(b)
	commands := map[string]*cobra.Command{}
	flags := map[string]bool{}
	root := (&app{}).root()
	root.InitDefaultHelpCmd()
	note := func(f *pflag.Flag) { flags[f.Name] = true }
	root.PersistentFlags().VisitAll(note)
	for _, c := range root.Commands() {
		commands[c.Name()] = c
		c.Flags().VisitAll(note)
		if c.IsAvailableCommand() && !strings.Contains(readme, "| `"+c.Name()) {
			t.Errorf("the table of commands lacks %s", c.Name())
		}
	}
	used := regexp.MustCompile("(?m)(?:^    |`)(?:spikingir )?([a-z]+)((?: [^`\n]*)?)")
	for _, m := range used.FindAllStringSubmatch(readme, -1) {
		c := commands[m[1]]
		if c == nil {
			continue
		}
		for _, f := range regexp.MustCompile(`--([a-z0-9-]+)`).FindAllStringSubmatch(m[2], -1) {
			if c.Flags().Lookup(f[1]) == nil && root.PersistentFlags().Lookup(f[1]) == nil {
				t.Errorf("%s has no flag --%s: %s", c.Name(), f[1], strings.TrimSpace(m[0]))
			}
		}
	}
	for _, m := range regexp.MustCompile(`spikingir ([a-z]+)`).FindAllStringSubmatch(readme, -1) {
		if commands[m[1]] == nil {
			t.Errorf("there is no command %s", m[0])
		}
	}
	for _, m := range regexp.MustCompile(`[ ("\x60]--([a-z0-9-]+)`).FindAllStringSubmatch(readme, -1) {
		if !flags[m[1]] {
			t.Errorf("no command has a flag --%s", m[1])
		}
	}
}
