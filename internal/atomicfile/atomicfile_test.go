package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

// contents are the files of a folder and what they hold.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(b)
	}
	return out
}

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	for _, c := range []struct {
		s       string
		durable bool
	}{{"one", true}, {"two", false}, {"", true}} {
		if err := Write(path, c.durable, text(c.s)); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, dir); len(got) != 1 || got["a"] != c.s {
			t.Errorf("the folder holds %v, want a with %q", got, c.s)
		}
	}
}

// TestWriteFails checks that what was there stays, alone.
func TestWriteFails(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	if err := Write(path, true, text("old")); err != nil {
		t.Fatal(err)
	}
	full := errors.New("disk full")
	err := Write(path, true, func(w io.Writer) error {
		if _, err := io.WriteString(w, "half of the new"); err != nil {
			return err
		}
		if got := contents(t, dir); got["a"] != "old" || len(got) != 2 {
			t.Errorf("while writing the folder holds %v, want the old file and a temporary one", got)
		}
		return full
	})
	if !errors.Is(err, full) {
		t.Errorf("%v, want the error of the writer", err)
	}
	if got := contents(t, dir); len(got) != 1 || got["a"] != "old" {
		t.Errorf("afterwards the folder holds %v, want the old file", got)
	}
	if err := Write(filepath.Join(dir, "no", "a"), true, text("")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
	if err := Write(dir, true, text("")); err == nil {
		t.Error("a folder was replaced by a file")
	}
}

// TestLinks checks that links stay and what they lead to is written, there or not.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	at := func(names ...string) string { return filepath.Join(append([]string{dir}, names...)...) }
	for _, name := range []string{"real/deep", "other"} {
		if err := os.MkdirAll(at(name), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	links := []struct{ link, to, file string }{
		{at("chain"), "near", at("near.txt")},
		{at("near"), "near.txt", at("near.txt")},
		{at("far"), at("other", "far.txt"), at("other", "far.txt")},
		{at("dir"), filepath.Join("real", "deep"), ""},
		{at("real", "deep", "up"), filepath.Join("..", "up.txt"), at("real", "up.txt")},
	}
	for _, l := range links {
		if err := os.Symlink(l.to, l.link); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	links[4].link = at("dir", "up") // ".." starts from real/deep
	for _, content := range []string{"new", "over the old"} {
		for _, l := range links {
			if l.file == "" {
				continue
			}
			if err := os.WriteFile(filepath.Join(filepath.Dir(l.file), "."+filepath.Base(l.file)+".7.tmp"), nil, 0o666); err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(Sweep(l.link), WriteBytes(l.link, false, []byte(content))); err != nil {
				t.Fatal(err)
			}
			if b, err := os.ReadFile(l.file); err != nil || string(b) != content {
				t.Errorf("%s: %s holds %q, %v", l.link, l.file, b, err)
			}
			if info, err := os.Lstat(l.link); err != nil || info.Mode()&os.ModeSymlink == 0 {
				t.Errorf("%s was replaced: %v", l.link, err)
			}
			if left, _ := filepath.Glob(filepath.Join(filepath.Dir(l.file), ".*.tmp")); left != nil {
				t.Errorf("%s: %v is left", l.link, left)
			}
		}
	}
	if err := os.Symlink("round", at("round")); err != nil {
		t.Fatal(err)
	}
	if err := WriteBytes(at("round"), false, nil); err == nil {
		t.Error("a link to itself was written")
	}
}

// TestCause checks that a message says neither the operation nor the temporary name.
func TestCause(t *testing.T) {
	err := Write(filepath.Join(t.TempDir(), "no", "a"), false, text(""))
	if got := Cause(err); got == err || !errors.Is(got, os.ErrNotExist) {
		t.Errorf("the cause is %v", got)
	}
	if plain := errors.New("plain"); Cause(plain) != plain {
		t.Error("another error is not its own cause")
	}
}

// TestSweep checks that only temporary files of this very name go.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a", ".a.123.tmp", ".a.5.tmp", ".a.b.tmp", ".a..tmp", ".b.123.tmp", "a.123.tmp", ".a.123"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := Sweep(filepath.Join(dir, "a")); err != nil {
		t.Fatal(err)
	}
	got := contents(t, dir)
	for _, name := range []string{".a.123.tmp", ".a.5.tmp"} {
		if _, there := got[name]; there {
			t.Errorf("%s was left", name)
		}
	}
	if len(got) != 6 {
		t.Errorf("%v is left, want all other files", got)
	}
}

// TestAbandon holds that the end of the program leaves nothing of a write under way, and
// that nothing appears after it.
func TestAbandon(t *testing.T) {
	defer func() { unfinished.abandoned = false }()
	dir := t.TempDir()
	path := filepath.Join(dir, "a")
	err := Write(path, false, func(w io.Writer) error {
		if len(contents(t, dir)) != 1 {
			t.Error("there is no temporary file")
		}
		Abandon()
		return text("all")(w)
	})
	if err == nil || len(contents(t, dir)) != 0 {
		t.Errorf("%v; the folder holds %v", err, contents(t, dir))
	}
	if err := Write(path, false, text("more")); err == nil || len(contents(t, dir)) != 0 {
		t.Errorf("a write afterwards: %v; the folder holds %v", err, contents(t, dir))
	}
	unfinished.abandoned = false
	if err := Write(path, false, text("more")); err != nil || len(unfinished.names) != 0 {
		t.Errorf("%v; %v are under way", err, unfinished.names)
	}
}
