package passtest

import (
	"errors"
	"fmt"

	"spikingir/graph"
)

// markKey is a property that no pass knows.
const markKey = "test.mark"

// mark gives every node and value of m's main graph metadata of its own.
func mark(m *graph.Model) {
	m.Metadata.Set(markKey, "model")
	m.Graph.Metadata.Set(markKey, "graph")
	for n := range m.Graph.Nodes() {
		n.Metadata.Set(markKey, "node "+n.Label())
	}
	for _, v := range m.Graph.Values() {
		v.Metadata.Set(markKey, "value "+v.Name())
	}
}

// checkMarks demands that what survived the pass by name kept its metadata:
// the model, nodes of the same name, inputs, outputs and values between nodes.
func checkMarks(before, marked *graph.Model) error {
	var errs []error
	want := func(have graph.Metadata, text string) {
		if got, _ := have.Get(markKey); got != text {
			errs = append(errs, fmt.Errorf("metadata of the %s is lost: found mark %q", text, got))
		}
	}
	want(marked.Metadata, "model")
	want(marked.Graph.Metadata, "graph")
	named := map[string]bool{}
	for n := range before.Graph.Nodes() {
		named[n.Label()] = true
	}
	for n := range marked.Graph.Nodes() {
		if n.Name != "" && named[n.Name] {
			want(n.Metadata, "node "+n.Name)
		}
	}
	for _, v := range marked.Graph.Values() {
		if before.Graph.Value(v.Name()) != nil {
			want(v.Metadata, "value "+v.Name())
		}
	}
	return errors.Join(errs...)
}
