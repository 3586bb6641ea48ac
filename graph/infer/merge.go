package infer

import (
	"fmt"

	"spikingir/graph"
)

// merge joins a declared type and the one that the inputs imply.
func (s *state) merge(declared, found graph.Type) (graph.Type, error) {
	switch {
	case found.Kind == graph.NoType:
		return declared, nil
	case declared.Kind == graph.NoType:
		return found, nil
	case declared.Kind != found.Kind:
		return declared, fmt.Errorf("the kinds of type differ")
	}
	t := declared
	switch {
	case declared.Elem == graph.Undefined:
		t.Elem = found.Elem
	case found.Elem != graph.Undefined && found.Elem != declared.Elem:
		return t, fmt.Errorf("the element types differ")
	}
	if declared.Of != nil && found.Of != nil {
		of, err := s.merge(*declared.Of, *found.Of)
		if err != nil {
			return t, err
		}
		t.Of = &of
	} else if t.Of == nil {
		t.Of = found.Of
	}
	if found.Shape == nil {
		return t, nil
	}
	if declared.Shape == nil {
		t.Shape = found.Shape
		return t, nil
	}
	if len(declared.Shape) != len(found.Shape) {
		return t, fmt.Errorf("the ranks differ")
	}
	t.Shape = make(graph.Shape, len(found.Shape))
	for i := range t.Shape {
		d, err := mergeDim(declared.Shape[i], found.Shape[i])
		if err != nil {
			return t, fmt.Errorf("dimension %d: %w", i, err)
		}
		t.Shape[i] = d
	}
	return t, nil
}

// mergeDim prefers numbers, then what the inputs imply.
func mergeDim(declared, found graph.Dim) (graph.Dim, error) {
	n, isNumber := declared.Size()
	m, foundNumber := found.Size()
	if isNumber && foundNumber && n != m {
		return declared, fmt.Errorf("%d and %d differ", m, n)
	}
	if isNumber || !foundNumber && found.Param() == "" {
		return declared, nil
	}
	found.Denotation = declared.Denotation
	return found, nil
}

// common is the type that covers both a and b: dimensions that differ become
// unknown. It serves values that come from one of two subgraphs.
func common(a, b graph.Type) graph.Type {
	if a.Kind != b.Kind || a.Elem != b.Elem {
		return graph.Type{}
	}
	t := a
	if a.Of != nil && b.Of != nil {
		of := common(*a.Of, *b.Of)
		t.Of = &of
	}
	if a.Shape == nil || b.Shape == nil || len(a.Shape) != len(b.Shape) {
		t.Shape = nil
		return t
	}
	t.Shape = make(graph.Shape, len(a.Shape))
	for i, d := range a.Shape {
		if d.Same(b.Shape[i]) {
			t.Shape[i] = d
		}
	}
	return t
}
