package pictures

import (
	"bytes"
	"image/png"
	"math"
	"strings"
	"testing"

	"spikingir/runtime/dataset"
	"spikingir/runtime/eval"
)

// flat is a gray image of one value.
func flat(h, w int, v float32) dataset.Image {
	m := dataset.NewImage(1, h, w)
	for i := range m.Pix {
		m.Pix[i] = v
	}
	return m
}

func outcome() eval.Outcome {
	return eval.Outcome{Name: "x.png", Input: flat(4, 6, 0.5), Ref: flat(8, 12, 0.5), Target: flat(8, 12, 0.4),
		Timesteps: []int{4, 8}, Results: []dataset.Image{flat(8, 12, 2), flat(8, 12, 0.6)}}
}

func keys(list []Picture) string {
	var all []string
	for _, p := range list {
		all = append(all, p.Key)
	}
	return strings.Join(all, " ")
}

func TestViews(t *testing.T) {
	s, err := Views(outcome(), 1, 6)
	if err != nil {
		t.Fatal(err)
	}
	if got := keys(s.Pictures); got != "input ann t8 truth ann-error error difference" {
		t.Errorf("views %s", got)
	}
	for _, p := range s.Pictures {
		h, w := 6, 6
		if p.Key == "input" { // half as large
			h, w = 3, 3
		}
		if p.Image.H != h || p.Image.W != w {
			t.Errorf("%s has %dx%d pixels, want %dx%d", p.Key, p.Image.W, p.Image.H, w, h)
		}
	}
	if s.Scale < 0.199 || s.Scale > 0.201 {
		t.Errorf("white is an error of %v, want 0.2", s.Scale)
	}
	white, half := s.Pictures[5].Image, s.Pictures[4].Image
	if white.Pix[0] != 1 || half.Pix[0] < 0.7 || half.Pix[0] > 0.9 || half.Pix[2*36] > 0.3 {
		t.Errorf("the worst error is %v, want white; half of it %v, %v, %v, want orange", white.Pix[0], half.Pix[0], half.Pix[36], half.Pix[2*36])
	}
	// values are shown within 0 and 1, and so are their errors
	if s, err = Views(outcome(), 0, 0); err != nil || s.Scale < 0.599 || s.Scale > 0.601 {
		t.Errorf("white is an error of %v (%v), want 0.6", s.Scale, err)
	}
	o := outcome()
	o.Results[0].Pix[0] = float32(math.NaN())
	if s, err = Views(o, 0, 0); err != nil || s.Pictures[2].Image.Pix[0] != 0 || o.Results[0].Pix[0] == 0 {
		t.Errorf("a NaN is drawn as %v (%v), want 0, and the outcome as it was", s.Pictures[2].Image.Pix[0], err)
	}
	o.Ref, o.Target = dataset.Image{}, dataset.Image{}
	if s, err = Views(o, 0, 0); err != nil || keys(s.Pictures) != "input t4" || s.Scale != 0 {
		t.Errorf("views %s, scale %v (%v)", keys(s.Pictures), s.Scale, err)
	}
}

func TestPlain(t *testing.T) {
	o := outcome()
	if got := keys(Plain(o)); got != "input ann t4 t8 truth" {
		t.Errorf("views %s", got)
	}
	o.Timesteps = []int{0, 0}
	if got := keys(Plain(o)); got != "input ann model model truth" {
		t.Errorf("views of an ANN %s", got)
	}
}

func TestMontage(t *testing.T) {
	var m Montage
	for range 2 {
		s, err := Views(outcome(), 1, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Add(s); err != nil {
			t.Fatal(err)
		}
	}
	b, err := m.PNG()
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	w, h := gap+(6+gap)+6*(12+gap), gap+2*(text+8+gap)
	if got := img.Bounds(); got.Dx() != w || got.Dy() != h {
		t.Errorf("the montage is %dx%d, want %dx%d", got.Dx(), got.Dy(), w, h)
	}
	if r, _, _, _ := img.At(gap+1, gap+text+1).RGBA(); r>>8 != 128 {
		t.Errorf("the input is %d, want 128", r>>8)
	}
}
