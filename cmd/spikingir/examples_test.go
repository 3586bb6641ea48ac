package main

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// TestExamples holds that every command shows examples, and that their flags, the values of
// these and their arguments are those of the command.
func TestExamples(t *testing.T) {
	root := (&app{}).root()
	all := append([]*cobra.Command{root}, root.Commands()...)
	for _, c := range all {
		if !c.IsAvailableCommand() && c != root || c.HasSubCommands() && c != root || c.Name() == "help" {
			continue
		}
		lines := exampleLines(c.Example)
		if len(lines) == 0 {
			t.Errorf("%s has no example", c.Name())
		}
		for _, line := range lines {
			checkExample(t, c, line)
		}
	}
}

// exampleLines are the commands of an example, without remarks.
func exampleLines(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			list = append(list, line)
		}
	}
	return list
}

// shellWord is a word of a command line.
var shellWord = regexp.MustCompile(`'[^']*'|\S+`)

// checkExample reads a line as the program would.
func checkExample(t *testing.T, of *cobra.Command, line string) {
	t.Helper()
	words := shellWord.FindAllString(line, -1)
	for i, w := range words {
		words[i] = strings.Trim(w, "'")
	}
	if words[0] != "spikingir" || len(words) < 2 || of.HasParent() && words[1] != of.Name() {
		t.Errorf("%s: %q is no example of it", of.Name(), line)
		return
	}
	root := (&app{}).root() // flags remember what they were set to
	cmd, args, err := root.Find(words[1:])
	if err == nil {
		err = cmd.ParseFlags(args)
	}
	if err == nil {
		err = cmd.ValidateArgs(cmd.Flags().Args())
	}
	if err != nil {
		t.Errorf("%q: %v", line, err)
		return
	}
	known := choices()
	cmd.Flags().Visit(func(f *pflag.Flag) {
		list, ok := known[cmd.Name()+" "+f.Name]
		if !ok {
			list = known[f.Name]
		}
		if f.Name == "format" {
			list = formats(cmd)
		}
		if list != nil && !slices.Contains(list, f.Value.String()) {
			t.Errorf("%q: --%s %s, want one of %v", line, f.Name, f.Value, list)
		}
	})
}

// TestHelp holds that help of each command shows its examples, and that all commands are in a
// group.
func TestHelp(t *testing.T) {
	for _, c := range (&app{}).root().Commands() {
		if !c.IsAvailableCommand() || c.HasSubCommands() {
			continue
		}
		var out, errs bytes.Buffer
		if code := run([]string{"help", c.Name()}, nil, &out, &errs); code != 0 || !strings.Contains(out.String(), "Examples:\n  ") {
			t.Errorf("help %s: exit code %d, %s%s", c.Name(), code, out.String(), errs.String())
		}
		if c.GroupID == "" {
			t.Errorf("%s is in no group", c.Name())
		}
	}
}
