package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
)

// hostile are texts that would do something to a terminal, or pass for another line.
var hostile = map[string]string{
	"\x1b[31mred\x1b[0m": `\x1b[31mred\x1b[0m`, "one\ntwo": `one\ntwo`, "nul\x00": `nul\x00`, "back\rwards": `back\rwards`,
	"c1\u009b2J": `c1\u009b2J`, "del\x7f": `del\x7f`, "bidi\u202egpj": `bidi\u202egpj`, "bytes\xff\x9b": `bytes\xff\x9b`,
	"zero\u200bwidth": `zero\u200bwidth`, "tag\U000e0041": `tag\U000e0041`,
}

func TestShown(t *testing.T) {
	for in, want := range hostile {
		if got := Shown(in); got != `"`+want+`"` {
			t.Errorf("%q is shown as %s, want it quoted", in, got)
		}
		if got := Line(in); got != want {
			t.Errorf("%q is printed as %s, want %s", in, got, want)
		}
	}
	for _, in := range []string{"", "/body/body.0/Conv", "αβ θ/2 ≥ 日本", `say "x"`} {
		if Shown(in) != in || Line(in) != in {
			t.Errorf("%q is shown as %s", in, Shown(in))
		}
	}
	long := strings.Repeat("é", 1<<20)
	if got := Shown(long); len(got) > 2*maxShown || !strings.HasSuffix(got, "bytes more)") || !plain(got) {
		t.Errorf("a long name is shown in %d bytes", len(got))
	}
	if got := Line(long); len(got) > 2*maxMessage || !plain(got) {
		t.Errorf("a long message has %d bytes", len(got))
	}
	if got := OneLine(errors.New("a\n\tb \x1b[2J")); got != `a; b \x1b[2J` {
		t.Errorf("an error is printed as %s", got)
	}
}

// TestPlainWriter holds that nothing but printable text comes through, wherever it is cut.
func TestPlainWriter(t *testing.T) {
	for in, want := range hostile {
		in, want = "é"+in+"日\n\t≥", "é"+strings.ReplaceAll(want, `\n`, "\n")+"日\n\t≥"
		for cut := range len(in) {
			var b bytes.Buffer
			w := &plainWriter{w: &b}
			for _, part := range []string{in[:cut], in[cut:]} {
				if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
					t.Fatal(n, err)
				}
			}
			if b.String() != want {
				t.Errorf("%q cut at %d is %q, want %q", in, cut, b.String(), want)
			}
		}
	}
}

// TestJSON holds that a document means the same.
func TestJSON(t *testing.T) {
	for in := range hostile {
		b, err := json.MarshalIndent(map[string]string{in: in}, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		var want, got map[string]string
		if err := errors.Join(json.Unmarshal(b, &want), json.Unmarshal(JSON(b), &got)); err != nil {
			t.Fatal(err)
		}
		for k, v := range want {
			if got[k] != v {
				t.Errorf("%q became %q", v, got[k])
			}
		}
		if s := strings.Map(func(r rune) rune {
			if r == '\n' || r == '\t' {
				return ' '
			}
			return r
		}, string(JSON(b))); !plain(s) {
			t.Errorf("%q is printed", s)
		}
	}
}
