// Package gate holds what a command demanded of models and what came of it, and writes that
// as documents which continuous integration reads: JUnit and SARIF. Both are the same bytes
// for the same gates: they have no times, and no names of machines.
package gate

import (
	"fmt"
	"slices"
)

// A Gate is one demand and what came of it.
type Gate struct {
	Rule    string // the kind of demand, of [Rules]
	Name    string // what is demanded, or of what
	Text    string // what was found and wanted
	Failed  bool
	Skipped bool     // it could not be checked, and Text says why
	Nodes   []string // of the model, that a gate which failed is about
}

// A Verdict is the gates of a command. The zero value has none.
type Verdict struct {
	Program, Version, Command string

	// Model is the file that is judged. Others are those that it is compared with.
	Model  string
	Others []string
	Gates  []Gate

	// Error is what ended the command before all gates were checked, with its exit code;
	// empty where they were.
	Error string
	Code  int
}

// A Rule is a kind of demand.
type Rule struct{ ID, Doc string }

// Rules are all kinds of demands.
var Rules = []Rule{
	{"psnr-drop", "The PSNR lies at most so many dB below that of the reference."},
	{"agreement", "The PSNR between the output and that of the reference is at least so many dB."},
	{"rate", "The firing rate over all neurons is at most this."},
	{"energy-ratio", "The energy is at most so many times that of the reference."},
	{"op-only", "All nodes apply operators of a list."},
	{"op-count", "The number of nodes that apply an operator is within a bound."},
	{"lossless", "A file in another format says all of the network."},
	{"verify-each", "A pass that does not state that it changes results leaves them as they are."},
	{"bisect", "After a pass the model computes what it did before all passes."},
	{"difference", "The outputs of two models differ by the tolerance at most."},
	{"same-header", "Two models have the same header."},
	{"same-interface", "Two models have the same inputs and outputs."},
	{"same-node", "Two models have the same nodes."},
	{"same-attribute", "Nodes of two models have the same attributes."},
	{"same-value", "Values of two models have the same types."},
	{"same-initializer", "Two models have the same weights and other constants."},
	{"same-function", "Two models have the same functions."},
}

// place is where a rule stands among all. A rule that is not there is a fault of the program.
func place(id string) int {
	i := slices.IndexFunc(Rules, func(r Rule) bool { return r.ID == id })
	if i < 0 {
		panic(fmt.Sprintf("gate: no rule %q", id))
	}
	return i
}

// Check notes a gate, which may be about nodes where it failed.
func (v *Verdict) Check(rule, name string, ok bool, text string, nodes ...string) {
	place(rule)
	if ok {
		nodes = nil
	}
	v.Gates = append(v.Gates, Gate{Rule: rule, Name: name, Text: text, Failed: !ok, Nodes: nodes})
}

// Skip notes a gate that could not be checked.
func (v *Verdict) Skip(rule, name, why string) {
	place(rule)
	v.Gates = append(v.Gates, Gate{Rule: rule, Name: name, Text: why, Skipped: true})
}

// Failed is the gates that failed.
func (v *Verdict) Failed() []Gate {
	return slices.DeleteFunc(slices.Clone(v.Gates), func(g Gate) bool { return !g.Failed })
}

func (v *Verdict) skipped() int {
	n := 0
	for _, g := range v.Gates {
		if g.Skipped {
			n++
		}
	}
	return n
}

// rules is those of the gates, in the order of [Rules].
func (v *Verdict) rules() []Rule {
	used := make([]bool, len(Rules))
	for _, g := range v.Gates {
		used[place(g.Rule)] = true
	}
	list := []Rule{}
	for i, r := range Rules {
		if used[i] {
			list = append(list, r)
		}
	}
	return list
}
