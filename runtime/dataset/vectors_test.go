package dataset

import (
	"encoding/json"
	"math"
	"os"
	"testing"
)

// plane is a resampling case of testdata/gen.py.
type plane struct {
	H, W, OH, OW, Margin int
	Input                []float32
	Want                 []float64
}

// vectors is testdata/vectors.json, written by testdata/gen.py.
type vectors struct {
	Resize, Torch []plane
	Files         []fileVector
	Normal        struct {
		K    []uint64String
		Want []float64
	}
	YCbCr struct {
		H, W int
		RGB  []float32
		Want []float64
	}
}

// fileVector is a file and what it holds, as integers up to Max.
type fileVector struct {
	File       string
	Shape      [3]int
	Max, Tol   float64
	Pix, Alpha []float64
}

// uint64String is a number written as a string, so that none of its bits is lost.
type uint64String uint64

func (u *uint64String) UnmarshalJSON(b []byte) error {
	var text json.Number
	if err := json.Unmarshal(b[1:len(b)-1], &text); err != nil {
		return err
	}
	return json.Unmarshal([]byte(text), (*uint64)(u))
}

func readVectors(t *testing.T) (v vectors) {
	t.Helper()
	readJSON(t, "testdata/vectors.json", &v)
	return v
}

func readJSON(t *testing.T, path string, v any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, v); err != nil {
		t.Fatal(err)
	}
}

// maxDiff returns the largest absolute difference, or +Inf if lengths differ.
func maxDiff(got []float32, want []float64) float64 {
	if len(got) != len(want) {
		return math.Inf(1)
	}
	worst := 0.0
	for i, v := range got {
		worst = max(worst, math.Abs(float64(v)-want[i]))
	}
	return worst
}

// ramp returns an image whose values are all different and multiples of 1/255
// where that is possible.
func ramp(c, h, w int) Image {
	m := NewImage(c, h, w)
	for i := range m.Pix {
		m.Pix[i] = float32(i*37%256) / 255
	}
	return m
}
