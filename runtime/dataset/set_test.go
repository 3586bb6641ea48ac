package dataset

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTaskText(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"none", "none"},
		{"none{channels=3}", "none{channels=3}"},
		{"denoise{sigma=25}", "denoise{sigma=25}"},
		{"denoise{channels=1,sigma=7.5}", "denoise{sigma=7.5,channels=1}"},
		{"sr{scale=2}", "sr{scale=2,input=bicubic,crop=scale,channels=1}"},
		{"sr{scale=4,crop=cumulative,input=lowres}",
			"sr{scale=4,input=lowres,crop=cumulative,channels=1}"},
		{"dehaze", "dehaze{channels=3}"},
		{"pairs", "pairs"},
	} {
		task, err := ParseTask(c.text)
		if err != nil {
			t.Errorf("ParseTask(%s): %v", c.text, err)
			continue
		}
		if got := task.String(); got != c.want {
			t.Errorf("ParseTask(%s) prints as %s, want %s", c.text, got, c.want)
		}
		if again, err := ParseTask(task.String()); err != nil || again.String() != task.String() {
			t.Errorf("%s reads back as %s, %v", task, again, err)
		}
	}
}

func TestTaskErrors(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", `unknown task ""`},
		{"blur", `unknown task "blur"`},
		{"denoise", "sigma 0"},
		{"denoise{sigma=-1}", "sigma -1"},
		{"denoise{sigma=NaN}", "sigma NaN"},
		{"denoise{sigma=x}", `value of sigma is "x"`},
		{"denoise{sigma=25", "closing brace"},
		{"denoise{sigma=25,scale=2}", "takes no scale"},
		{"sr{scale=2,sigma=3}", "takes no sigma"},
		{"sr{}", "unknown key"},
		{"sr", "scale 0"},
		{"sr{scale=1}", "scale 1"},
		{"sr{scale=2,input=nearest}", `input "nearest"`},
		{"sr{scale=2,crop=no}", `crop "no"`},
		{"dehaze{channels=2}", "2 channels"},
	} {
		if _, err := ParseTask(c.text); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ParseTask(%q): %v, want %q", c.text, err, c.want)
		}
	}
}

// folder writes images under names, with slashes, into a new folder.
func folder(t *testing.T, images map[string]Image) string {
	t.Helper()
	dir := t.TempDir()
	for name, m := range images {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := Write(path, m); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func open(t *testing.T, task string, dirs Dirs, limit int, seed uint64) *Set {
	t.Helper()
	parsed, err := ParseTask(task)
	if err != nil {
		t.Fatal(err)
	}
	set, err := Open(parsed, dirs, limit, seed)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func sample(t *testing.T, s *Set, i int) Sample {
	t.Helper()
	got, err := s.At(i)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestDenoiseSet(t *testing.T) {
	dirs := Dirs{Data: folder(t, map[string]Image{
		"b.png": ramp(1, 5, 6), "a.png": ramp(3, 8, 7), "c.png": ramp(1, 5, 6),
	})}
	set := open(t, "denoise{sigma=50,channels=1}", dirs, 0, 9)
	if set.Len() != 3 || set.Name(0) != "a.png" || set.Name(2) != "c.png" {
		t.Fatalf("%d samples, the first is %s", set.Len(), set.Name(0))
	}
	if in, out := set.Paths(0); in != "" || out != filepath.Join(dirs.Data, "a.png") {
		t.Errorf("the files of sample 0 are %q and %q", in, out)
	}
	colour := sample(t, set, 0)
	if diff := cmp.Diff(ramp(3, 8, 7).Gray().Quantize8(), colour.Target); diff != "" {
		t.Errorf("colour file to one channel (-want +got):\n%s", diff)
	}
	gray := sample(t, set, 2)
	if diff := cmp.Diff(ramp(1, 5, 6), gray.Target); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(AddNoise(gray.Target, 50, SampleSeed(9, 2)), gray.Input); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
	if gray.Shave != 0 {
		t.Errorf("shave is %d, want 0", gray.Shave)
	}
	if diff := cmp.Diff(sample(t, set, 1).Input, gray.Input); diff == "" {
		t.Error("two samples have the same noise")
	}
	limited := open(t, "denoise{sigma=50,channels=1}", dirs, 1, 9)
	if limited.Len() != 1 {
		t.Errorf("limit 1 gives %d samples", limited.Len())
	}
	if diff := cmp.Diff(colour, sample(t, limited, 0)); diff != "" {
		t.Errorf("a limit changes the sample:\n%s", diff)
	}
	if got := sample(t, open(t, "denoise{sigma=5,channels=3}", dirs, 0, 9), 1); got.Input.C != 3 {
		t.Errorf("gray file to a colour model has %d channels", got.Input.C)
	}
}

func TestSRSet(t *testing.T) {
	m := ramp(3, 27, 43)
	dirs := Dirs{Data: folder(t, map[string]Image{"a.png": m})}
	for _, c := range []struct {
		task       string
		h, w, inH  int
		shave, chn int
	}{
		{"sr{scale=2}", 26, 42, 26, 2, 1},
		{"sr{scale=4}", 24, 40, 24, 4, 1},
		{"sr{scale=4,crop=cumulative}", 24, 40, 24, 4, 1},
		{"sr{scale=3,crop=cumulative}", 24, 42, 24, 3, 1},
		{"sr{scale=3,input=lowres}", 27, 42, 9, 3, 1},
		{"sr{scale=2,input=lowres,channels=3}", 26, 42, 13, 2, 3},
	} {
		got := sample(t, open(t, c.task, dirs, 0, 0), 0)
		if got.Target.H != c.h || got.Target.W != c.w || got.Input.H != c.inH || got.Shave != c.shave ||
			got.Target.C != c.chn || got.Input.C != c.chn {
			t.Errorf("%s: target %s, input %s, shave %d",
				c.task, got.Target.size(), got.Input.size(), got.Shave)
		}
	}
	got := sample(t, open(t, "sr{scale=2}", dirs, 0, 0), 0)
	y, err := m.Luma().Quantize8().Crop(0, 0, 26, 42)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(y, got.Target); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
	if _, err := got.Target.CropBorder(13); err == nil {
		t.Error("border wider than the image was cut")
	}
	small := Dirs{Data: folder(t, map[string]Image{"tiny.png": ramp(1, 3, 3)})}
	if _, err := open(t, "sr{scale=4}", small, 0, 0).At(0); err == nil ||
		!strings.Contains(err.Error(), "tiny.png: cannot crop an image of 3x3 pixels to multiples of 4") {
		t.Errorf("image smaller than the scale: %v", err)
	}
}

// The crop of the paper's x4 test: 344 columns become 342 and then 340.
func TestCumulativeCrop(t *testing.T) {
	task := Task{Kind: SR, Scale: 4, Crop: Cumulative}
	for _, c := range [][4]int{{512, 512, 508, 508}, {288, 288, 288, 288}, {256, 256, 252, 252},
		{280, 280, 276, 276}, {344, 228, 340, 228}} {
		m, err := task.Prepare(NewImage(1, c[0], c[1]))
		if err != nil || m.H != c[2] || m.W != c[3] {
			t.Errorf("%dx%d becomes %dx%d (%v), want %dx%d", c[0], c[1], m.H, m.W, err, c[2], c[3])
		}
	}
}

func TestDehazeSet(t *testing.T) {
	small, large := ramp(3, 4, 5), ramp(3, 6, 5)
	dir := folder(t, map[string]Image{
		"hazy/0001_0.8_0.2.png": small, "hazy/0002_1.png": large,
		"hazy/x_7_3.png": large, "hazy/same.png": small,
		"clear/0001.png": small, "clear/0002.png": large, "clear/x.png": small, "clear/x_7.png": large,
		"clear/same.png": small, "clear/unused.png": small,
	})
	set := open(t, "dehaze", Dirs{Data: dir}, 0, 0)
	if set.Len() != 4 {
		t.Fatalf("%d samples, want 4", set.Len())
	}
	for i := range set.Len() {
		if got := sample(t, set, i); !got.Input.SameSize(got.Target) || got.Name != set.Name(i) {
			t.Errorf("%s: input %s, target %s", got.Name, got.Input.size(), got.Target.size())
		}
	}
	if err := Write(filepath.Join(dir, "hazy", "0003_1.png"), small); err != nil {
		t.Fatal(err)
	}
	task := Task{Kind: Dehaze}
	_, err := Open(task, Dirs{Data: dir}, 0, 0)
	want := "0003_1.png has no partner in " + filepath.Join(dir, "clear") +
		", want an image named 0003_1 or 0003"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("missing partner: %v, want %q", err, want)
	}
	if _, err := task.Degrade(small, 0); err == nil {
		t.Error("dehaze degraded a clean image")
	}
}

func TestPairsAndNone(t *testing.T) {
	dir := folder(t, map[string]Image{
		"in/a.png": ramp(3, 4, 5), "in/b.png": ramp(3, 4, 5),
		"out/a.png": ramp(3, 4, 5), "out/b.png": ramp(3, 4, 6),
	})
	dirs := Dirs{Input: filepath.Join(dir, "in"), Target: filepath.Join(dir, "out")}
	set := open(t, "pairs{channels=1}", dirs, 0, 0)
	if got := sample(t, set, 0); got.Input.C != 1 || got.Target.C != 1 || got.Name != "a.png" {
		t.Errorf("pair: %s, input %s, target %s", got.Name, got.Input.size(), got.Target.size())
	}
	if _, err := set.At(1); err == nil || !strings.Contains(err.Error(), "want equal sizes") {
		t.Errorf("pair of unequal sizes: %v", err)
	}
	none := sample(t, open(t, "none", Dirs{Data: dirs.Input}, 0, 0), 0)
	if diff := cmp.Diff(Sample{Name: "a.png", Input: ramp(3, 4, 5)}, none); diff != "" {
		t.Errorf("none (-want +got):\n%s", diff)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := folder(t, map[string]Image{"a.png": ramp(1, 2, 2)})
	twice := folder(t, map[string]Image{"a.png": ramp(1, 2, 2), "a.jpg": ramp(1, 2, 2)})
	for _, c := range []struct {
		task  string
		dirs  Dirs
		limit int
		want  string
	}{
		{"none", Dirs{}, 0, "no data folder"},
		{"none", Dirs{Data: dir}, -1, "limit of -1"},
		{"none", Dirs{Data: filepath.Join(dir, "no")}, 0, "does not exist"},
		{"none", Dirs{Data: dir, Input: dir}, 0, "want a data folder only"},
		{"pairs", Dirs{Data: dir}, 0, "want an input and a target folder"},
		{"pairs", Dirs{Input: dir}, 0, "want both"},
		{"pairs", Dirs{Input: dir, Target: twice}, 0, "have the same name"},
		{"dehaze", Dirs{Data: dir}, 0, filepath.Join(dir, "hazy") + " does not exist"},
	} {
		task, err := ParseTask(c.task)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Open(task, c.dirs, c.limit, 0)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Open(%s, %+v): %v, want %q", c.task, c.dirs, err, c.want)
		}
	}
	if _, err := Open(Task{Kind: "x"}, Dirs{Data: dir}, 0, 0); err == nil {
		t.Error("unknown kind was opened")
	}
}

// realImages returns the folder of benchmark images or skips the test.
func realImages(t *testing.T) string {
	t.Helper()
	root := os.Getenv("SPIKINGIR_DATA")
	if root == "" {
		t.Skip("SPIKINGIR_DATA is not set: the benchmark images are needed")
	}
	return filepath.Join(root, "images")
}

// Files on the web are not always what their names say: this folder has BMP
// files called .png and .jpg.
func TestRealHazyFolder(t *testing.T) {
	dir := filepath.Join(realImages(t), "real_hazy")
	set := open(t, "none{channels=3}", Dirs{Data: dir}, 0, 0)
	if set.Len() != 22 {
		t.Errorf("%d images, want 22", set.Len())
	}
	for i := range set.Len() {
		if got := sample(t, set, i); got.Input.C != 3 {
			t.Errorf("%s has %d channels", got.Name, got.Input.C)
		}
	}
}

// The hazy JPEG against the clear PNG, as Pillow decodes them.
func TestRealOutdoorPairs(t *testing.T) {
	set := open(t, "dehaze", Dirs{Data: filepath.Join(realImages(t), "SOTS-outdoor")}, 0, 0)
	sum := 0.0
	for i := range set.Len() {
		s := sample(t, set, i)
		square := 0.0
		for k, v := range s.Input.Pix {
			d := float64(v) - float64(s.Target.Pix[k])
			square += d * d
		}
		sum -= 10 * math.Log10(square/float64(len(s.Input.Pix)))
	}
	if got, want := sum/float64(set.Len()), 17.25865; set.Len() != 17 || math.Abs(got-want) > 0.001 {
		t.Errorf("%d pairs of %.5f dB, want 17 of %.5f", set.Len(), got, want)
	}
}
