package normalizethresholds_test

import (
	"strings"
	"testing"

	"spikingir/graph"
	"spikingir/passes"
	"spikingir/passes/normalizethresholds"
	"spikingir/passes/passtest"
)

func TestNormalizeThresholds(t *testing.T) { passtest.Run(t, normalizethresholds.Pass) }

// TestOver checks the words of option over against the values that they mean.
func TestOver(t *testing.T) {
	for _, c := range []struct {
		text string
		over graph.Over
		want string
	}{{"nonzero", graph.OverNonzero, ""}, {"all", graph.OverAll, ""},
		{"some", "", "option over=some: want nonzero or all"}} {
		p, err := passes.Parse("normalize-thresholds{over="+c.text+"}", []*passes.Pass{normalizethresholds.Pass})
		if c.want != "" {
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%q: error %v, want %q", c.text, err, c.want)
			}
			continue
		}
		typed := passes.Pipeline{normalizethresholds.Pass.With(normalizethresholds.Over.Set(c.over))}
		if err != nil || p.String() != typed.String() {
			t.Errorf("%q gives %v, %v; want %v", c.text, p, err, typed)
		}
	}
}
