package checkpoint

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// example holds every type, an array longer than a block, an empty one, and
// numbers that a conversion would lose.
func example() *Checkpoint {
	long := make([]float32, 3<<13+5)
	for i := range long {
		long[i] = float32(i) / 3
	}
	return &Checkpoint{
		Header: Header{
			Program: "spikingir test", Model: "0a", Data: "1b",
			Settings: json.RawMessage(`{"rate":1e-4,"task":"a<b>&c","big":18446744073709551615}`),
			Position: Position{Stage: 2, Step: 1 << 60, Total: math.MaxUint64, Patch: 12345, Seconds: 0.1},
			Best:     &Figures{Position: Position{Step: 3}, Loss: 1e-300, PSNR: 29.123456789012345, SSIM: -0.5},
		},
		Arrays: []Array{
			{Name: "weights/ü \"x\"", Float32: []float32{1, float32(math.Copysign(0, -1)), float32(math.Inf(-1)), math.SmallestNonzeroFloat32,
				math.Float32frombits(0x7fc12345), math.Float32frombits(0xffa00001)}},
			{Name: "sums", Uint64: []uint64{math.Float64bits(0.1), 1 << 63, 0x7ff0000000000001}},
			{Name: "steps", Uint64: []uint64{0, math.MaxUint64}},
			{Name: "none", Uint64: []uint64{}},
			{Name: "long", Float32: long},
		},
	}
}

func encoded(t testing.TB, c *Checkpoint) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Encode(&b, c); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(b []byte) (*Checkpoint, error) {
	return Decode(bytes.NewReader(b), int64(len(b)))
}

// sameBits compares floats by their bits.
var sameBits = cmp.Options{
	cmp.Comparer(func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }),
	cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }),
}

func TestRoundTrip(t *testing.T) {
	for name, c := range map[string]*Checkpoint{
		"example": example(),
		"least":   {},
		"null":    {Header: Header{Settings: json.RawMessage(`[null]`)}},
	} {
		b := encoded(t, c)
		got, err := decode(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c, got, sameBits); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if !bytes.Equal(encoded(t, got), b) {
			t.Errorf("%s: encoded again, the bytes differ", name)
		}
	}
	// White space in the settings goes, nothing else.
	c := &Checkpoint{Header: Header{Settings: json.RawMessage(" { \"a\" : [ 1 , \"<\" ] } ")}}
	got, err := decode(encoded(t, c))
	if err != nil || string(got.Settings) != `{"a":[1,"<"]}` {
		t.Errorf("settings come back as %s, %v", got.Settings, err)
	}
}

func TestWriteRead(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "run.ckpt")
	c := example()
	for k := range uint64(3) {
		// Left by a process that was killed while it wrote.
		if err := os.WriteFile(filepath.Join(dir, ".run.ckpt.12345.tmp"), []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
		c.Position.Total = k
		if err := Write(path, c); err != nil {
			t.Fatal(err)
		}
		got, err := Read(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c, got, sameBits); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("%d files in the folder, want the checkpoint alone (%v)", len(entries), err)
	}
	// What cannot be written leaves the last one.
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c.Arrays = append(c.Arrays, Array{Name: "long", Uint64: []uint64{1}})
	if err := Write(path, c); err == nil || !strings.Contains(err.Error(), "write checkpoint "+path+`: array name "long"`) {
		t.Errorf("name taken twice: %v", err)
	}
	after, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(before, after) {
		t.Errorf("a failed Write changed the file (%v)", err)
	}
}

func TestEncodeErrors(t *testing.T) {
	for _, c := range []struct {
		c    Checkpoint
		want string
	}{
		{Checkpoint{Arrays: []Array{{Name: "a"}}}, "array a has 0 kinds"},
		{Checkpoint{Arrays: []Array{{Name: "a", Uint64: []uint64{}, Float32: []float32{1}}}}, "array a has 2 kinds"},
		{Checkpoint{Arrays: []Array{{Uint64: []uint64{}}}}, `name "" is empty`},
		{Checkpoint{Arrays: []Array{{Name: "\xff", Uint64: []uint64{}}}}, "no text"},
		{Checkpoint{Header: Header{Best: &Figures{PSNR: math.Inf(1)}}}, "figure of the header is +Inf"},
		{Checkpoint{Header: Header{Settings: json.RawMessage("{")}}, "header: "},
	} {
		if err := Encode(&bytes.Buffer{}, &c.c); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Encode: %v, want %q", err, c.want)
		}
	}
}

func TestReadErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := Read(filepath.Join(dir, "no")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("file that is not there: %v", err)
	}
	if _, err := Read(dir); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("folder: %v", err)
	}
	if err := Write(dir, example()); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("write to a folder: %v", err)
	}
	if err := Write(filepath.Join(dir, "no", "x"), example()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("write into a folder that is not there: %v", err)
	}
}

func TestFind(t *testing.T) {
	c := example()
	if a, err := c.Find("steps"); err != nil || len(a.Uint64) != 2 {
		t.Errorf("steps: %v, %v", a, err)
	}
	if _, err := c.Find("step"); err == nil || !strings.Contains(err.Error(), "no array step") {
		t.Error(err)
	}
	dst := make([]float32, 6)
	if err := c.Floats(c.Arrays[0].Name, dst); err != nil || dst[0] != 1 {
		t.Errorf("%g, %v", dst, err)
	}
	for name, want := range map[string]string{
		"sums": "holds 3 values of uint64, want 6 of float32",
		"long": "values of float32, want 6",
		"no":   "no array no",
	} {
		if err := c.Floats(name, dst); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}
