package op

import (
	"slices"
	"strings"

	"spikingir/graph"
)

// Einsum sums products of elements over the letters that the result does not name.
// Terms lists the letters of each operand's axes, and Out those of the result's; '.'
// stands for the axes of an ellipsis, which broadcast.
type Einsum struct {
	Terms [][]rune
	Out   []rune
	Xs    []*graph.Value
}

// EinsumOf decodes an Einsum. Where the equation states no result, its axes are those of
// the ellipsis and then the letters that occur once, in alphabetical order.
func EinsumOf(n *graph.Node) (Einsum, error) {
	r := read(n)
	text := string(required[graph.String](r, "equation"))
	e := Einsum{Xs: r.all()}
	left, right, stated := strings.Cut(strings.Join(strings.Fields(text), ""), "->")
	count := map[rune]int{}
	for term := range strings.SplitSeq(left, ",") {
		letters := r.letters(text, term)
		for _, l := range letters {
			count[l]++
		}
		e.Terms = append(e.Terms, letters)
	}
	if len(e.Terms) != len(e.Xs) {
		r.failf("attribute %q is %q with %d terms, want one for each of %d inputs", "equation", text, len(e.Terms), len(e.Xs))
	}
	if !stated {
		for l, k := range count {
			if k == 1 || l == '.' {
				e.Out = append(e.Out, l)
			}
		}
		slices.Sort(e.Out) // '.' comes before all letters
		return e, r.err
	}
	e.Out = r.letters(text, right)
	for i, l := range e.Out {
		if count[l] == 0 && l != '.' || slices.Contains(e.Out[:i], l) {
			r.failf("attribute %q is %q, want each letter of the result once and in an operand", "equation", text)
		}
	}
	return e, r.err
}

// letters reads a term of an equation.
func (r *reader) letters(text, term string) []rune {
	letters := []rune(strings.Replace(term, "...", ".", 1))
	for _, l := range letters {
		if l != '.' && (l < 'A' || l > 'Z') && (l < 'a' || l > 'z') {
			r.failf("attribute %q is %q, want letters, commas, one ellipsis a term and an arrow", "equation", text)
		}
	}
	if strings.Count(string(letters), ".") > 1 {
		r.failf("attribute %q is %q, want one ellipsis a term at most", "equation", text)
	}
	return letters
}
