package nir

import (
	"fmt"
	"slices"
	"strings"
)

// A Report says what a NIR file has of a network, and what it has not. Its JSON form is a
// contract of the command line.
type Report struct {
	// Shapes are those of the inputs and outputs, without the batch, by the names of their nodes.
	Inputs    []Port `json:"inputs"`
	Outputs   []Port `json:"outputs"`
	Timesteps int64  `json:"timesteps"`
	Readout   string `json:"readout"`
	Nodes     []Kind `json:"nodes"`
	Edges     int    `json:"edges"`
	// Lost is what the file does not say: a simulator that knows nothing but NIR computes
	// something else.
	Lost []Finding `json:"lost"`
	// Reworded is what the file says in other words, with the same result.
	Reworded []Finding `json:"reworded"`
}

// Port is an input or output of the file.
type Port struct {
	Node  string  `json:"node"`
	Value string  `json:"value"` // of the model
	Shape []int64 `json:"shape"` // without the batch
}

// Kind is how many nodes of the file have a type.
type Kind struct {
	Type  string `json:"type"`
	Count int    `json:"count"`
}

// A Finding is one thing that is lost or said in other words, and the nodes of the model that
// it is about.
type Finding struct {
	What  string   `json:"what"` // a word that programs can compare
	Text  string   `json:"text"`
	Nodes []string `json:"nodes"`
}

// String is a finding on one line, with the first of its nodes.
func (f Finding) String() string {
	const shown = 3
	quoted := make([]string, 0, shown+1)
	for _, n := range f.Nodes[:min(len(f.Nodes), shown)] {
		quoted = append(quoted, fmt.Sprintf("%q", n))
	}
	if more := len(f.Nodes) - shown; more > 0 {
		quoted = append(quoted, fmt.Sprintf("and %d more", more))
	}
	if len(quoted) == 0 {
		return f.What + ": " + f.Text
	}
	return fmt.Sprintf("%s: %s (%s)", f.What, f.Text, strings.Join(quoted, ", "))
}

// count notes the types of the nodes, sorted.
func (r *Report) count(n *Network) {
	r.Edges = len(n.Edges)
	seen := map[string]bool{}
	for _, x := range n.Nodes {
		if !seen[x.Type] {
			seen[x.Type] = true
			r.Nodes = append(r.Nodes, Kind{x.Type, n.Count(x.Type)})
		}
	}
	slices.SortFunc(r.Nodes, func(a, b Kind) int { return strings.Compare(a.Type, b.Type) })
}

// findings collects nodes under a word, in the order in which words are first met.
type findings []Finding

// note adds a node to the finding of a word; an empty name adds none.
func (f *findings) note(what, text, node string) {
	i := slices.IndexFunc(*f, func(x Finding) bool { return x.What == what })
	if i < 0 {
		i = len(*f)
		*f = append(*f, Finding{What: what, Text: text, Nodes: []string{}})
	}
	if at := &(*f)[i]; node != "" && !slices.Contains(at.Nodes, node) {
		at.Nodes = append(at.Nodes, node)
	}
}
