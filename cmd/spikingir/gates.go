package main

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"spikingir"
	"spikingir/graph"
	"spikingir/graph/op"
)

// limits are numbers that flags bound, NaN where a flag is not given.
type limits struct{ drop, agreement, rate, energy float64 }

func (l *limits) add(f *pflag.FlagSet) {
	l.addMeasured(f, "--ref", "")
	f.Var((*bounded)(&l.drop), "assert-psnr-drop", "demand that the PSNR is at most this many dB below that of --ref; else exit code 4")
}

// addMeasured adds the limits that need no ground truth. The ANN is that of what ref says.
func (l *limits) addMeasured(f *pflag.FlagSet, ref, where string) {
	nan := math.NaN()
	*l = limits{nan, nan, nan, nan}
	bound := func(p *float64, name, usage string) {
		f.Var((*bounded)(p), name, usage+where+"; else exit code 4")
	}
	bound(&l.agreement, "assert-agreement", "demand an agreement with "+ref+" of at least this many dB")
	bound(&l.rate, "assert-rate", "demand a firing rate of all neurons of at most this")
	bound(&l.energy, "assert-energy-ratio", "demand that the energy is at most this many times that of "+ref)
}

// bounded is a number given by a flag, NaN when it is not given.
type bounded float64

func (b *bounded) String() string {
	if b == nil || math.IsNaN(float64(*b)) {
		return ""
	}
	return fmt.Sprint(float64(*b))
}

// Set parses a finite number.
func (b *bounded) Set(s string) error {
	x, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Errorf("want a number")
	}
	*b = bounded(x)
	return nil
}

// Type is shown in the help.
func (b *bounded) Type() string { return "float" }

func given(x float64) bool { return !math.IsNaN(x) }

// check demands the reference that gates compare with.
func (l *limits) check(ref string) error {
	for _, name := range l.flags() {
		if name != "--assert-rate" && ref == "" {
			return fmt.Errorf("%s compares with the ANN: want --ref", name)
		}
	}
	return nil
}

// flags are those that are given.
func (l *limits) flags() []string {
	var list []string
	for _, g := range []struct {
		name string
		x    float64
	}{{"psnr-drop", l.drop}, {"agreement", l.agreement}, {"rate", l.rate}, {"energy-ratio", l.energy}} {
		if given(g.x) {
			list = append(list, "--assert-"+g.name)
		}
	}
	return list
}

// judgeLimits holds reports against the limits. A number that is none passes no gate.
func (a *app) judgeLimits(l *limits, all []*spikingir.Report) {
	for _, r := range all {
		at := ""
		if len(all) > 1 {
			at = fmt.Sprintf("T = %d: ", r.Timesteps)
		}
		if given(l.drop) {
			model, ref := float64(r.Model.PSNR), float64(r.Ref.PSNR)
			ok := ref-model <= l.drop || math.IsInf(model, 1)
			a.check("psnr-drop", fmt.Sprintf("%s%g dB at most", at, l.drop), ok, nil,
				"%sPSNR %.3f dB, %.3f dB below the %.3f dB of the reference, want %g dB below at most", at, model, ref-model, ref, l.drop)
		}
		if given(l.agreement) {
			db := float64(r.Agreement.PSNR)
			a.check("agreement", fmt.Sprintf("%s%g dB at least", at, l.agreement), db >= l.agreement, nil,
				"%sagreement with the reference %.3f dB, want %g dB at least", at, db, l.agreement)
		}
		if given(l.rate) {
			a.judgeRate(l.rate, r, at)
		}
		if given(l.energy) {
			ratio := r.Energy.ModelMJ / *r.Energy.RefMJ
			a.check("energy-ratio", fmt.Sprintf("%s%g at most", at, l.energy), ratio <= l.energy, nil,
				"%senergy %.4f of the reference's (%.3f of %.3f mJ), want %g at most", at, ratio, r.Energy.ModelMJ, *r.Energy.RefMJ, l.energy)
		}
	}
}

func (a *app) judgeRate(most float64, r *spikingir.Report, at string) {
	name := fmt.Sprintf("%s%g at most", at, most)
	if len(r.Layers) == 0 {
		a.check("rate", name, false, nil, "%sno neuron fires that could be counted, so there is no firing rate; want %g at most", at, most)
		return
	}
	a.check("rate", name, r.FiringRate <= most, nil, "%sfiring rate %.4f, want %g at most", at, r.FiringRate, most)
}

// opGates are what inspect demands of operators.
type opGates struct {
	only   []string
	counts []string
}

func (g *opGates) add(f *pflag.FlagSet) {
	f.StringSliceVar(&g.only, "assert-op-only", nil, "demand that all nodes apply operators of this list; DOMAIN.* is all of a domain; else exit code 4")
	f.StringSliceVar(&g.counts, "assert-op-count", nil, "demand numbers of operators, as 'Conv<=20' or 'Loop=0'; also >=, < and >; else exit code 4")
}

// bound is one demand on the number of an operator.
type bound struct {
	op, relation string
	want         int
}

func (b bound) holds(n int) bool {
	switch b.relation {
	case "<=":
		return n <= b.want
	case ">=":
		return n >= b.want
	case "<":
		return n < b.want
	case ">":
		return n > b.want
	}
	return n == b.want
}

var opBound = regexp.MustCompile(`^\s*([^<>=\s]+)\s*(<=|>=|==?|<|>)\s*(\d{1,9})\s*$`)

func (g *opGates) bounds() ([]bound, error) {
	var list []bound
	for _, s := range g.counts {
		m := opBound.FindStringSubmatch(s)
		if m == nil {
			return nil, fmt.Errorf("--assert-op-count %q, want OP<=N, OP>=N, OP<N, OP>N or OP=N", s)
		}
		n, err := strconv.Atoi(m[3])
		if err != nil {
			return nil, err
		}
		list = append(list, bound{m[1], m[2], n})
	}
	return list, nil
}

// opName is an operator as the tables name it; ai.onnx is the domain without a name.
func opName(s string) string {
	s = strings.TrimSpace(s)
	if s == "ai.onnx.*" {
		return s
	}
	return strings.TrimPrefix(s, "ai.onnx.")
}

// judgeOps holds the nodes of the graph and its subgraphs against the demands. Calls of
// functions count as the operators that they are.
func (a *app) judgeOps(g *opGates, bounds []bound, m *graph.Model) {
	counts, first := map[string]int{}, map[string]string{}
	var names []string
	for n := range m.Graph.Nodes() {
		for k := range n.Within() {
			name := k.Op().String()
			if counts[name] == 0 {
				names, first[name] = append(names, name), k.Label()
			}
			counts[name]++
		}
	}
	known := func(name string) {
		domain, typ := "", name
		if i := strings.LastIndexByte(name, '.'); i >= 0 {
			domain, typ = name[:i], name[i+1:]
		}
		if typ != "*" && counts[name] == 0 && op.Lookup(graph.Op{Domain: domain, Type: typ}) == nil {
			a.Warnf("operator %q is not known and not in the model; is it spelled as inspect shows it?", name)
		}
	}
	if len(g.only) > 0 {
		var other, nodes []string
		for _, allowed := range g.only {
			known(opName(allowed))
		}
		for _, name := range names {
			if !slices.ContainsFunc(g.only, func(s string) bool { return allows(opName(s), name) }) {
				other = append(other, fmt.Sprintf("%s (%d, the first %q)", name, counts[name], first[name]))
				nodes = append(nodes, first[name])
			}
		}
		found := "no others"
		if len(other) > 0 {
			found = "operators " + strings.Join(other, ", ")
		}
		only := strings.Join(g.only, ", ")
		a.check("op-only", only, len(other) == 0, nodes, "found %s, want only %s", found, only)
	}
	for _, b := range bounds {
		name := opName(b.op)
		known(name)
		n := counts[name]
		var nodes []string
		if n > 0 {
			nodes = []string{first[name]}
		}
		a.check("op-count", fmt.Sprintf("%s%s%d", name, b.relation, b.want), b.holds(n), nodes,
			"found %d nodes of operator %s%s, want %s%d", n, name, where(first[name]), b.relation, b.want)
	}
}

func where(first string) string {
	if first == "" {
		return ""
	}
	return fmt.Sprintf(" (the first %q)", first)
}

// allows reports whether an entry of a list stands for the operator called name.
func allows(entry, name string) bool {
	if domain, ok := strings.CutSuffix(entry, ".*"); ok {
		i := strings.LastIndexByte(name, '.')
		return i >= 0 && name[:i] == domain || i < 0 && domain == "ai.onnx"
	}
	return entry == name
}
