package text

import (
	"strings"

	"spikingir/graph"
)

// FormatNode prints one node, without a line's end.
func FormatNode(n *graph.Node, o Options) string {
	p := &printer{o: o}
	p.node(n, "")
	return strings.TrimSuffix(p.b.String(), "\n")
}
