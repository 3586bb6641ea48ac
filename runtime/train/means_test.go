package train

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"spikingir/runtime/reference"
)

var (
	times = `<timesteps = \d+, post = \d[^>]*>`
	line  = regexp.MustCompile(`^(\w+)(?:, (\w+))? = ai\.spikingir\.(\w+) ` + times + ` \(([^)]*)\)$`)
)

// relus is the source of a network with ReLUs in the place of neurons, without time:
// what mode ANN computes. The residual potential is what a ReLU takes off, T times.
func relus(t *testing.T, c *netCase) string {
	t.Helper()
	var out []string
	for l := range strings.Lines(c.source()) {
		l = strings.TrimSpace(l)
		m := line.FindStringSubmatch(l)
		if m == nil {
			out = append(out, l)
			continue
		}
		y, vres, in := m[1], m[2], strings.Split(m[4], ", ")
		switch m[3] {
		case "Encode", "Decode":
			out = append(out, fmt.Sprintf("%s = Identity (%s)", y, in[0]))
		case "Bias":
			out = append(out, fmt.Sprintf("%s = Add (%s, %s)", y, in[0], in[1]))
		case "CPM":
			kernel := strings.Join(append([]string{in[0]}, in[2:]...), ", ")
			out = append(out, fmt.Sprintf("%s_conv = Conv <pads = [1, 1, 1, 1]> (%s)", y, kernel),
				fmt.Sprintf("%s_res = Div (%s, steps)", y, in[1]), fmt.Sprintf("%s = Add (%s_conv, %s_res)", y, y, y))
		default:
			current := in[0]
			if in[1] != `""` {
				current = y + "_in"
				out = append(out, fmt.Sprintf("%s = Add (%s, %s)", current, in[0], in[1]))
			}
			out = append(out, fmt.Sprintf("%s = Relu (%s)", y, current))
			if vres != "" {
				out = append(out, fmt.Sprintf("%s_off = Sub (%s, %s)", y, current, y), fmt.Sprintf("%s = Mul (%s_off, steps)", vres, y))
			}
		}
	}
	src := strings.Join(out, "\n")
	return strings.Replace(src, "<float", fmt.Sprintf("<float steps = {%d}, float", c.steps), 1)
}

// TestMeansGorgonia holds output and gradients of mode ANN against the reference
// of the networks of ReLUs.
func TestMeansGorgonia(t *testing.T) {
	for _, c := range netCases {
		t.Run(c.name, func(t *testing.T) {
			n := c.compile(t, Options{})
			net := oracle(t, parse(t, relus(t, &c)), []int{1, c.channels, c.h, c.w}, reference.Options{})
			by := normal(rand.New(rand.NewPCG(3, 4)), n.output.elems)
			out, got := gradients(t, n, c.image(), by, ANN, Hooks{})
			want, err := net.Output(widen(c.image()))
			if err != nil {
				t.Fatal(err)
			}
			near(t, "output", out, want, 1e-5)
			list, err := net.Gradients(widen(c.image()), widen(by))
			if err != nil {
				t.Fatal(err)
			}
			compared := 0
			for i, p := range n.params {
				for _, g := range list[1:] {
					if g.Name == p.Name {
						near(t, "gradient of "+p.Name, got[i], g.Value, 1e-5)
						compared++
					}
				}
			}
			if compared < 3 {
				t.Errorf("%d parameters compared", compared)
			}
		})
	}
}
