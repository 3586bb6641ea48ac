package passtest

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// goldenCase is one txtar file.
type goldenCase struct {
	path    string
	archive *txtar.Archive
	options string
	equiv   settings
	calib   *settings // nil: none
}

var sections = []string{"options", "before", "after", "notes", "error", "equiv", "calib"}

func readCase(path string) (*goldenCase, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseCase(path, data)
}

func parseCase(path string, data []byte) (*goldenCase, error) {
	a := txtar.Parse(data)
	c := &goldenCase{path: path, archive: a}
	var err error
	if strings.TrimSpace(string(a.Comment)) == "" {
		return nil, fmt.Errorf("%s lacks its comment: say what the case shows", path)
	}
	seen := map[string]bool{}
	for _, f := range a.Files {
		if !slices.Contains(sections, f.Name) || seen[f.Name] {
			return nil, fmt.Errorf("%s: section %q is unknown or stands twice; there are %s",
				path, f.Name, strings.Join(sections, ", "))
		}
		seen[f.Name] = true
	}
	if !seen["before"] {
		return nil, fmt.Errorf("%s lacks section before", path)
	}
	if seen["error"] && (seen["after"] || seen["notes"]) {
		return nil, fmt.Errorf("%s: section error stands instead of after and notes", path)
	}
	c.options = strings.TrimSpace(c.section("options"))
	if c.equiv, err = parseSettings(c.section("equiv")); err != nil {
		return nil, fmt.Errorf("%s: equiv: %w", path, err)
	}
	if !seen["calib"] {
		return c, nil
	}
	calib, err := parseSettings(c.section("calib"))
	if err != nil {
		return nil, fmt.Errorf("%s: calib: %w", path, err)
	}
	c.calib = &calib
	return c, nil
}

func (c *goldenCase) file(name string) *txtar.File {
	for i := range c.archive.Files {
		if c.archive.Files[i].Name == name {
			return &c.archive.Files[i]
		}
	}
	return nil
}

func (c *goldenCase) has(name string) bool { return c.file(name) != nil }

func (c *goldenCase) section(name string) string {
	if f := c.file(name); f != nil {
		return string(f.Data)
	}
	return ""
}

// compare holds got against a section; when updating it becomes the section.
func (c *goldenCase) compare(name, got string) error {
	if os.Getenv("UPDATE") != "" {
		c.set(name, got)
		return nil
	}
	if d := cmp.Diff(c.section(name), got); d != "" {
		return fmt.Errorf("%s differs (-golden +got); UPDATE=1 accepts it:\n%s", name, d)
	}
	return nil
}

// set replaces a section; a new one goes after before, or after its model.
func (c *goldenCase) set(name, data string) {
	if f := c.file(name); f != nil {
		f.Data = []byte(data)
		return
	}
	if data == "" {
		return
	}
	at := len(c.archive.Files)
	for i, f := range c.archive.Files {
		if f.Name == "before" || (f.Name == "after" && name == "notes") {
			at = i + 1
		}
	}
	rest := append([]txtar.File{{Name: name, Data: []byte(data)}}, c.archive.Files[at:]...)
	c.archive.Files = append(c.archive.Files[:at:at], rest...)
}

func (c *goldenCase) write() error {
	return os.WriteFile(c.path, txtar.Format(c.archive), 0o666)
}

// settings is a parsed equiv or calib section.
type settings struct {
	seed      uint64
	n         int
	lo, hi    float64
	grid      int
	dims      map[string]int64
	tol       float64
	spiking   string
	cannotRun string
	interpret bool // run by interpret even without functions
	floats    bool // inputs and outputs may become of another float type
}

// maxTol is the largest tolerance that needs no reason.
const maxTol = 1e-3

func parseSettings(src string) (settings, error) {
	s := settings{
		seed: 1, n: 4, lo: -1, hi: 1,
		dims: map[string]int64{"N": 2, "C": 3, "H": 7, "W": 9},
	}
	for line := range strings.Lines(src) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		key, value, _ := strings.Cut(line, " ")
		if err := s.set(key, strings.TrimSpace(value)); err != nil {
			return s, fmt.Errorf("%q: %w", line, err)
		}
	}
	if s.tol > maxTol && s.spiking == "" {
		return s, fmt.Errorf("tolerance %g is above %g; say why in a line spiking", s.tol, maxTol)
	}
	if s.n < 1 || !(s.lo <= s.hi) {
		return s, fmt.Errorf("want at least one input and lo <= hi, found n %d, lo %g, hi %g",
			s.n, s.lo, s.hi)
	}
	return s, nil
}

func (s *settings) set(key, value string) (err error) {
	switch key {
	case "seed":
		s.seed, err = strconv.ParseUint(value, 10, 64)
	case "n":
		s.n, err = strconv.Atoi(value)
	case "lo":
		s.lo, err = strconv.ParseFloat(value, 64)
	case "hi":
		s.hi, err = strconv.ParseFloat(value, 64)
	case "grid":
		s.grid, err = strconv.Atoi(value)
	case "tol":
		s.tol, err = strconv.ParseFloat(value, 64)
	case "dims":
		err = s.setDims(value)
	case "spiking":
		s.spiking, err = value, wantReason(value)
	case "interpret", "floats":
		s.interpret = s.interpret || key == "interpret"
		s.floats = s.floats || key == "floats"
		if value != "" {
			err = fmt.Errorf("want nothing behind it")
		}
	case "cannot-run":
		s.cannotRun, err = value, wantReason(value)
	default:
		err = fmt.Errorf("no such setting")
	}
	return err
}

func wantReason(s string) error {
	if s == "" {
		return fmt.Errorf("want a reason")
	}
	return nil
}

func (s *settings) setDims(list string) error {
	for _, kv := range strings.Split(list, ",") {
		name, size, ok := strings.Cut(kv, "=")
		n, err := strconv.ParseInt(strings.TrimSpace(size), 10, 64)
		if !ok || err != nil || n < 1 {
			return fmt.Errorf("found %q, want NAME=SIZE", kv)
		}
		s.dims[strings.TrimSpace(name)] = n
	}
	return nil
}
