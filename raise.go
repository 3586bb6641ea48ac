package spikingir

import (
	"context"
	"fmt"
	"strings"

	"spikingir/graph"
	"spikingir/graph/diff"
	"spikingir/graph/infer"
	"spikingir/passes"
	"spikingir/passes/annotations"
	"spikingir/passes/recipes"
)

// Lowered reports whether a model is a spiking network in standard operators, whose neurons
// its metadata state: [Raise] puts them back. The forms "flat", "unrolled", "counts" and "qdq" are,
// and "functions" once another tool has put the functions in the place of their calls.
func Lowered(m *Model) bool {
	if _, stated := m.Metadata.Get(graph.MetaNeurons); !stated {
		return false
	}
	for n := range m.Graph.Nodes() {
		if n.Op().Domain == graph.Spiking {
			return false
		}
	}
	return true
}

// FormOf tells in what form the metadata of a model say that it is written, and how many neurons they
// state; "" where they say nothing.
func FormOf(m *Model) (form Form, neurons int) {
	d, err := annotations.Of(m)
	if d == nil || err != nil {
		return "", 0
	}
	for _, n := range d.Nodes {
		if strings.HasSuffix(n.Op, "IF") || strings.HasSuffix(n.Op, "MPRN") {
			neurons++
		}
	}
	return Form(d.Form), neurons
}

// Raise puts the spiking operators of a [Lowered] model back, in place, and leaves others as
// they are. Numbers are those of the file. It remarks on what the file no longer says as it was written,
// because another tool has rewritten it; a file that no longer tells its neurons is an
// [UnsupportedError] that names what is missing.
func Raise(ctx context.Context, m *Model) (remarks []string, err error) {
	if !Lowered(m) {
		return nil, nil
	}
	file := m.Clone()
	doc, err := annotations.Of(m)
	if err != nil {
		return nil, invalidModel(m, err)
	}
	reports, err := recipes.Raise().Run(m, passes.Options{Context: ctx})
	if err != nil {
		return nil, refused(err)
	}
	for _, n := range reports[0].Notes {
		remarks = append(remarks, n.Text)
	}
	if err := validate(m); err != nil {
		return nil, err
	}
	if text := remains(ctx, file, m, Form(doc.Form)); text != "" {
		remarks = append(remarks, text)
	}
	return remarks, nil
}

// remains says how a file differs from what the network that was raised of it is lowered to:
// that much of what another tool wrote there is lost. It is "" where nothing is.
func remains(ctx context.Context, file, m *Model, form Form) string {
	if form == recipes.Functions {
		return "its neurons are taken from its metadata, at the values of their names: another tool has put the functions in the place of their calls"
	}
	again := m.Clone()
	s := Settings{Lower: form}
	if v := file.Opset(""); v < passes.FunctionOpset {
		s.Opset = int(v)
	}
	p, err := Rewriting(s)
	if err == nil {
		_, err = p.Run(again, passes.Options{Context: ctx})
	}
	if err == nil {
		err = infer.Model(file)
	}
	switch {
	case err != nil:
		return fmt.Sprintf("what is between its neurons is taken from its metadata, unchecked: it cannot be lowered again: %v", err)
	case file.Opset("") != again.Opset(""):
		return fmt.Sprintf("what is inside of its neurons is taken from its metadata, unchecked: its operators are of opset %d, and those of lower --to %s of %d",
			file.Opset(""), form, again.Opset(""))
	}
	count, first := 0, ""
	for _, e := range diff.Structure(again, file).Entries {
		if e.Kind == diff.NodeKind || e.Kind == diff.Initializer || e.Kind == diff.Attribute && !annotation(e.Name) {
			if count++; count == 1 {
				first = fmt.Sprintf("%s %q", e.Kind, e.Name)
			}
		}
	}
	if count == 0 {
		return ""
	}
	return fmt.Sprintf("%d parts are other ones than lower --to %s writes, the first the %s: another tool has changed them. What its metadata state is taken, "+
		"with the numbers that the file has for it, and the rest is lost", count, form, first)
}

// annotation reports whether an entry about a node is one of those that change nothing of
// what it computes.
func annotation(entry string) bool {
	return strings.HasSuffix(entry, ".region") || strings.HasSuffix(entry, ".doc") || strings.Contains(entry, ".metadata ")
}
