package cli

import (
	"slices"
	"testing"
)

func TestNearest(t *testing.T) {
	names := []string{"timesteps", "threads", "sigma", "sigma-range", "v0", "data", "rate", "patch", "print-ir-after", "print-ir-before"}
	for word, want := range map[string][]string{
		"timestep": {"timesteps"}, "TIMESTEPS": {"timesteps"}, "time-steps": {"timesteps"}, "tiemsteps": {"timesteps"}, "thread": {"threads"},
		"sigm": {"sigma", "sigma-range"}, "sgima": {"sigma"}, "print-ir": {"print-ir-after", "print-ir-before"}, "dat": {"data"},
		"vo": nil, "x": nil, "calibrate": nil, "": nil, "pitch": {"patch"},
	} {
		if got := Nearest(word, names); !slices.Equal(got, want) {
			t.Errorf("nearest to %q are %q, want %q", word, got, want)
		}
	}
	for pair, want := range map[[2]string]int{{"", "ab"}: 2, {"ab", "ba"}: 1, {"abc", "abc"}: 0, {"abc", "ac"}: 1, {"kitten", "sitting"}: 3} {
		if got, back := distance(pair[0], pair[1]), distance(pair[1], pair[0]); got != want || back != want {
			t.Errorf("from %q to %q it is %d, and %d back, want %d", pair[0], pair[1], got, back, want)
		}
	}
}
