package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// page reads a page of the project.
func page(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", path))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// userPages are those that tell users what to type.
var userPages = []string{"README.md", "docs/cli.md", "docs/troubleshooting.md", "docs/expect.md"}

// TestCommandPages demands that docs/cli.md names every command, and that pages name none and no
// flag that there is not.
func TestCommandPages(t *testing.T) {
	commands := map[string]*cobra.Command{}
	flags := map[string]bool{"help": true, "version": true}
	root := (&app{}).root()
	note := func(f *pflag.Flag) { flags[f.Name] = true }
	root.PersistentFlags().VisitAll(note)
	list := page(t, "docs/cli.md")
	for _, c := range root.Commands() {
		commands[c.Name()] = c
		c.Flags().VisitAll(note)
		if c.IsAvailableCommand() && !strings.Contains(list, "| `"+c.Name()) {
			t.Errorf("the table of commands lacks %s", c.Name())
		}
	}
	for _, path := range userPages {
		text := page(t, path)
		used := regexp.MustCompile("(?m)(?:^    (?:\\$ )?|`)(?:spikingir )?([a-z]+)((?: [^`\n]*)?)")
		for _, m := range used.FindAllStringSubmatch(text, -1) {
			c := commands[m[1]]
			if c == nil {
				continue
			}
			for _, f := range regexp.MustCompile(`--([a-z0-9-]+)`).FindAllStringSubmatch(m[2], -1) {
				if c.Flags().Lookup(f[1]) == nil && root.PersistentFlags().Lookup(f[1]) == nil && !strings.Contains(m[2], "npm ") {
					t.Errorf("%s: %s has no flag --%s: %s", path, c.Name(), f[1], strings.TrimSpace(m[0]))
				}
			}
		}
		for _, m := range regexp.MustCompile("[`$] ?spikingir ([a-z]+)").FindAllStringSubmatch(text, -1) {
			if commands[m[1]] == nil {
				t.Errorf("%s: there is no command %s", path, m[0])
			}
		}
		for _, m := range regexp.MustCompile("[ (\"`]--([a-z0-9-]+)").FindAllStringSubmatch(text, -1) {
			if !flags[m[1]] && !foreignFlags[m[1]] {
				t.Errorf("%s: no command has a flag --%s", path, m[1])
			}
		}
	}
}

// foreignFlags are flags of other programs that pages name.
var foreignFlags = map[string]bool{"ignore-scripts": true, "prefix": true, "peers": true}

// TestREADME runs the commands of the README and compares what they print with what it says they
// do: words to the letter, numbers within a hundredth, as float32 sums of other kernels differ a little.
func TestREADME(t *testing.T) {
	var commands []string
	want := map[string]string{}
	for line := range strings.Lines(page(t, "README.md")) {
		code, indented := strings.CutPrefix(line, "    ")
		if typed, ok := strings.CutPrefix(code, "$ spikingir "); ok && indented {
			commands = append(commands, strings.TrimSpace(typed))
		} else if indented && len(commands) > 0 {
			want[commands[len(commands)-1]] += code
		} else if strings.HasPrefix(line, "## ") && len(commands) > 0 {
			break
		}
	}
	if len(commands) != 3 {
		t.Fatalf("the README has %d commands with output, want 3", len(commands))
	}
	fixtures, err := filepath.Abs(filepath.Join("..", "..", "fixtures"))
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	if err := os.Symlink(fixtures, "fixtures"); err != nil {
		t.Skip(err) // a system without links
	}
	seconds := regexp.MustCompile(`[0-9.]+ s per image`)
	for _, typed := range commands {
		var out, errs bytes.Buffer
		if code := run(strings.Fields(typed), nil, &out, &errs); code != 0 {
			t.Fatalf("%s: exit code %d: %s", typed, code, errs.String())
		}
		if strings.Contains(errs.String(), "no good") {
			t.Errorf("%s: %s", typed, errs.String())
		}
		got := seconds.ReplaceAllString(out.String(), "")
		if told := seconds.ReplaceAllString(want[typed], ""); !alike(got, told) {
			t.Errorf("the README says that %s prints\n%s\nit prints\n%s", typed, want[typed], out.String())
		}
	}
}

// alike compares texts word by word, and numbers within a hundredth.
func alike(a, b string) bool {
	x, y := strings.Fields(a), strings.Fields(b)
	if len(x) != len(y) {
		return false
	}
	for i := range x {
		p, errP := strconv.ParseFloat(x[i], 64)
		q, errQ := strconv.ParseFloat(y[i], 64)
		if x[i] != y[i] && (errP != nil || errQ != nil || p-q > 0.01*max(1, p) || q-p > 0.01*max(1, p)) {
			return false
		}
	}
	return true
}

// TestPageLinks holds that what pages refer to is there, headings too, but for those of the page
// of results, which a program writes.
func TestPageLinks(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join("..", "..", "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	roots, err := filepath.Glob(filepath.Join("..", "..", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	link := regexp.MustCompile(`\]\(([^)#\s]*)(?:#([^)\s]+))?\)`)
	for _, path := range append(pages, roots...) {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(b), -1) {
			to := path
			if strings.Contains(m[1], "://") {
				continue
			}
			if m[1] != "" {
				to = filepath.Join(filepath.Dir(path), m[1])
			}
			text, err := os.ReadFile(to)
			if _, e := os.Stat(to); e != nil {
				t.Errorf("%s refers to %s, which is not there", path, m[1])
			} else if m[2] != "" && err == nil && filepath.Base(to) != "results.md" && !anchors(string(text))[m[2]] {
				t.Errorf("%s refers to %s#%s, and there is no such heading", path, m[1], m[2])
			}
		}
	}
}

// anchors are the names that the headings of a page go by.
func anchors(text string) map[string]bool {
	names := map[string]bool{}
	drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	for line := range strings.Lines(text) {
		if head := strings.TrimLeft(line, "#"); head != line && strings.HasPrefix(head, " ") {
			names[strings.ReplaceAll(drop.ReplaceAllString(strings.ToLower(strings.TrimSpace(head)), ""), " ", "-")] = true
		}
	}
	return names
}
