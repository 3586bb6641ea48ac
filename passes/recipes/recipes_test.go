package recipes_test

import (
	"os"
	"strings"
	"testing"

	"spikingir/passes"
	"spikingir/passes/recipes"
	"spikingir/passes/standard"
)

func TestNames(t *testing.T) {
	seen := map[string]bool{}
	for _, name := range recipes.Names() {
		r, ok := recipes.Lookup(name)
		if !ok || r.Name != name || seen[name] {
			t.Errorf("recipe %q is not found, or stands twice", name)
		}
		seen[name] = true
		if r.Doc == "" || r.Source == "" || r.Per == "" || r.Readout == "" {
			t.Errorf("recipe %q lacks its text or its settings: %+v", name, r)
		}
		p, err := recipes.New(name, recipes.Defaults())
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Validate(); err != nil {
			t.Errorf("recipe %s: %v", name, err)
		}
		back, err := passes.Parse(p.String(), standard.Passes())
		if err != nil || back.String() != p.String() {
			t.Errorf("recipe %s reads back as %v (%v)", name, back, err)
		}
	}
	for _, name := range []string{"dnsnn", "lan2023"} {
		if r, _ := recipes.Lookup(name); !strings.HasPrefix(r.Title(), "a reconstruction") {
			t.Errorf("recipe %s does not say that it is a reconstruction: %s", name, r.Title())
		}
	}
	if recipes.Names()[0] != "spikingir" {
		t.Errorf("the first recipe is %q, want spikingir", recipes.Names()[0])
	}
	if _, ok := recipes.Lookup("none"); ok {
		t.Error("a recipe is called none")
	}
}

// TestPage holds that docs/recipes.md has each recipe, in the table and a section of its own,
// and says which are reconstructions.
func TestPage(t *testing.T) {
	b, err := os.ReadFile("../../docs/recipes.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, name := range recipes.Names() {
		r, _ := recipes.Lookup(name)
		_, section, found := strings.Cut(page, "\n## "+name+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		if !found || !strings.Contains(page, "| ["+name+"](#"+name+")") {
			t.Errorf("docs/recipes.md has no section or no row for %s", name)
		}
		if r.Reconstructed != strings.Contains(section, "**A reconstruction**") {
			t.Errorf("docs/recipes.md does not tell whether %s is a reconstruction", name)
		}
	}
}

// TestSettings checks where each setting ends up in the pipeline.
func TestSettings(t *testing.T) {
	tests := []struct {
		recipe string
		set    func(*recipes.Settings)
		want   string
	}{
		{"spikingir", func(s *recipes.Settings) { s.Timesteps = 17 }, "encode-input{timesteps=17}"},
		{"spikingir", func(s *recipes.Settings) { s.Percentile = 99.99 }, "percentile=99.99,over=nonzero,per=channel}"},
		{"spikingir", func(*recipes.Settings) {}, "percentile=99.9,"},
		{"spikingir", func(s *recipes.Settings) { s.Timesteps = 96 }, "percentile=99.99,"},
		{"two-phase", func(*recipes.Settings) {}, "percentile=99,"},
		{"two-phase", func(s *recipes.Settings) { s.Timesteps = 24 }, "percentile=99.9,"},
		{"two-phase", func(s *recipes.Settings) { s.Timesteps = 256 }, "percentile=99.99,"},
		{"two-phase", func(s *recipes.Settings) { s.Timesteps, s.Percentile = 256, 99 }, "percentile=99,"},
		{"spikingir", func(s *recipes.Settings) { s.Over, s.Per = "all", "layer" }, "over=all,per=layer}"},
		{"rueckauer", func(*recipes.Settings) {}, "per=layer}"},
		{"rueckauer", func(*recipes.Settings) {}, "insert-cpm{readout=rate}"},
		{"rueckauer", func(s *recipes.Settings) { s.Readout = "cpm" }, "insert-cpm{readout=cpm}"},
		{"spikingir", func(s *recipes.Settings) { s.V0 = 0.5 }, "relu-to-if{v0=0.5},clip-to-if{v0=0.5},prelu-to-on-off{v0=0.5}"},
		{"spikingir", func(s *recipes.Settings) { s.Beta = -1 }, "if-to-mprn{beta=-1}"},
		{"spikingir", func(s *recipes.Settings) { s.Analog = "keep" }, "split-regions{analog=keep}"},
		{"spikingir", func(*recipes.Settings) {}, "split-regions{analog=refuse},relu-to-if"},
		{"spikingir", func(s *recipes.Settings) { s.Currents = "spike" }, "split-regions{analog=refuse},spike-currents,relu-to-if"},
		{"spikingir", func(s *recipes.Settings) { s.Unit = true }, "encode-input{timesteps=10},absorb-scales,"},
		{"spikingir", func(*recipes.Settings) {}, "infer-shapes,lower-functions"},
		{"spikingir", func(s *recipes.Settings) { s.Lower = "flat" }, "infer-shapes,lower-flat"},
		{"spikingir", func(s *recipes.Settings) { s.Lower = "unrolled" }, "infer-shapes,lower-unrolled"},
		{"two-phase", func(*recipes.Settings) {}, "encode-input{timesteps=10,schedule=two-phase}"},
		{"rueckauer", func(s *recipes.Settings) { s.Schedule = "two-phase" }, "encode-input{timesteps=10,schedule=two-phase}"},
		{"two-phase", func(s *recipes.Settings) { s.Schedule = "lockstep" }, "encode-input{timesteps=10},"},
		{"two-phase", func(s *recipes.Settings) { s.Lower = "counts" }, "infer-shapes,lower-counts"},
		{"two-phase", func(s *recipes.Settings) { s.Lower = "qdq" }, "quantise-weights,dead-node,infer-shapes,lower-qdq"},
		{"two-phase", func(*recipes.Settings) {}, "schedule=two-phase},quantise-weights{bits=12},dead-node"},
		{"two-phase", func(s *recipes.Settings) { s.WeightBits = 16 }, "schedule=two-phase},dead-node"},
		{"two-phase", func(s *recipes.Settings) { s.WeightBits = 8 }, "schedule=two-phase},quantise-weights,dead-node"},
		{"spikingir", func(s *recipes.Settings) { s.WeightBits, s.Unit = 8, true }, "absorb-scales,quantise-weights,"},
		{"spikingir", func(s *recipes.Settings) { s.Paper, s.Timesteps = true, 100 }, "percentile=99.9,over=nonzero,per=layer}"},
		{"spikingir", func(s *recipes.Settings) { s.Paper, s.Per = true, "channel" }, "per=channel}"},
		{"rueckauer", func(s *recipes.Settings) { s.Paper, s.Timesteps = true, 100 }, "percentile=99.9,"},
		{"spikingir", func(s *recipes.Settings) { s.Readout = "membrane" }, "insert-cpm{readout=membrane}"},
		{"qcfs", func(*recipes.Settings) {}, "relu-to-if{v0=0.5},clip-to-if{v0=0.5},prelu-to-on-off{v0=0.5},insert-cpm{readout=rate,v0=0.5}"},
		{"qcfs", func(s *recipes.Settings) { s.V0 = recipes.NoV0 }, "relu-to-if{v0=0}"},
		{"rueckauer", func(s *recipes.Settings) { s.V0 = 0.5 }, "insert-cpm{readout=rate},"},
		{"deng-gu", func(*recipes.Settings) {}, "percentile=100,over=nonzero,per=layer},encode-input{timesteps=10},shift-biases,"},
		{"deng-gu", func(s *recipes.Settings) { s.Schedule = "two-phase" }, "relu-to-if{v0=0}"},
		{"ltb", func(*recipes.Settings) {}, "normalize-thresholds{method=balance,per=channel}"},
		{"dnsnn", func(*recipes.Settings) {}, "insert-cpm{readout=membrane},normalize-thresholds{percentile=99.9,over=nonzero,per=layer},encode-input"},
		{"lan2023", func(*recipes.Settings) {}, "percentile=99.9,over=all,per=layer}"},
	}
	for _, test := range tests {
		s := recipes.Defaults()
		test.set(&s)
		p, err := recipes.New(test.recipe, s)
		if err != nil {
			t.Errorf("%s: %v", test.want, err)
			continue
		}
		if !strings.Contains(p.String(), test.want) {
			t.Errorf("recipe %s is %v, want %s in it", test.recipe, p, test.want)
		}
	}
	none := recipes.Defaults()
	none.Lower = "none"
	p, err := recipes.New("rueckauer", none)
	if err != nil || strings.Contains(p.String(), "lower-functions") || strings.Contains(p.String(), "mprn") {
		t.Errorf("rueckauer without functions is %v (%v)", p, err)
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		recipe string
		set    func(*recipes.Settings)
		want   string
	}{
		{"snn", func(*recipes.Settings) {}, `no recipe is called "snn"; there are spikingir, rueckauer, two-phase`},
		{"spikingir", func(s *recipes.Settings) { s.Timesteps = 0 }, "timesteps=0: want an integer from 1"},
		{"spikingir", func(s *recipes.Settings) { s.Percentile = 101 }, "percentile=101: want a number from 1 to 100"},
		{"spikingir", func(s *recipes.Settings) { s.Over = "none" }, `over is "none", want nonzero or all`},
		{"spikingir", func(s *recipes.Settings) { s.Per = "layer,over=all" }, `per is "layer,over=all", want layer or channel`},
		{"spikingir", func(s *recipes.Settings) { s.Schedule = "three" }, `schedule is "three", want lockstep or two-phase`},
		{"spikingir", func(s *recipes.Settings) { s.Lower = "counts" }, "want schedule two-phase"},
		{"spikingir", func(s *recipes.Settings) { s.Lower = "qdq" }, "want schedule two-phase"},
		{"spikingir", func(s *recipes.Settings) { s.WeightBits = 4 }, "weight bits are 4, want 8, 12 or 16"},
		{"spikingir", func(s *recipes.Settings) { s.V0 = 2 }, "v0=2: want a number from 0 to 1"},
		{"spikingir", func(s *recipes.Settings) { s.Beta = 1e9 }, "beta=1e+09: want a number"},
		{"spikingir", func(s *recipes.Settings) { s.Readout = "x" }, `readout is "x", want cpm or rate or membrane`},
		{"ltb", func(s *recipes.Settings) { s.Percentile = 99 }, "not from a percentile"},
		{"two-phase", func(s *recipes.Settings) { s.Paper = true }, "several publications"},
		{"spikingir", func(s *recipes.Settings) { s.Analog = "" }, `analog is "", want refuse or keep`},
		{"spikingir", func(s *recipes.Settings) { s.Lower = "rolled" }, `lower is "rolled", want functions or flat or unrolled or none`},
	}
	for _, test := range tests {
		s := recipes.Defaults()
		test.set(&s)
		p, err := recipes.New(test.recipe, s)
		if err == nil || p != nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("error %v, want %q", err, test.want)
		}
	}
}

func TestRewrite(t *testing.T) {
	const begin = "raise-forms,upgrade-opset,infer-shapes,split-regions,adopt-spiking,"
	for want, s := range map[string]recipes.Settings{
		begin + "dead-node,infer-shapes,lower-counts":                     {WeightBits: 16, Lower: "counts"},
		begin + "quantise-weights,dead-node,infer-shapes,lower-qdq":       {WeightBits: 16, Lower: "qdq"},
		begin + "absorb-scales,dead-node,infer-shapes":                    {WeightBits: 16, Lower: "none", Unit: true},
		begin + "dead-node,infer-shapes,lower-flat,downgrade-opset{to=9}": {Lower: "flat", Opset: 9},
		"raise-forms,upgrade-opset{to=22},infer-shapes,split-regions,adopt-spiking,dead-node,infer-shapes,lower-functions,downgrade-opset{to=22}": {
			Lower: "functions", Opset: 22},
	} {
		if p, err := recipes.Rewrite(s); err != nil || p.String() != want {
			t.Errorf("%+v: %v (%v), want %s", s, p, err, want)
		}
	}
	for want, s := range map[string]recipes.Settings{
		`lower is "rolled"`:                       {WeightBits: 16, Lower: "rolled"},
		"cannot be said before 13; want 13 to 24": {Lower: "qdq", Opset: 12},
		"cannot be said before 16; want 16 to 24": {Lower: "functions", Opset: 9},
		"opset is 25, want 9 to 24":               {Lower: "flat", Opset: 25},
		"weight bits are 4":                       {WeightBits: 4, Lower: "none"},
	} {
		if _, err := recipes.Rewrite(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %s", s, err, want)
		}
	}
}
