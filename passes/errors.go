package passes

import (
	"fmt"
	"strings"

	"spikingir/graph"
)

// Error is a failure of a pass; it names the pass and its place.
type Error struct {
	Pass  string
	Index int // from 0
	Err   error
}

func (e *Error) Error() string { return fmt.Sprintf("pass %s: %v", e.Pass, e.Err) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Refusal is one node that cannot become part of the spiking network.
type Refusal struct {
	Node string // of the user's model
	Op   string
	Why  string // what was found, what was wanted, what to do
}

// Refuse records that a pass cannot take a node, and why: what was found, what was
// wanted, what to do. Once the pass has run, everything refused is its error,
// an [Unsupported].
func (c *Context) Refuse(n *graph.Node, format string, args ...any) {
	c.refused = append(c.refused, Refusal{
		Node: n.OriginLabel(), Op: n.Op().String(), Why: fmt.Sprintf(format, args...),
	})
}

// Refused counts what was refused so far.
func (c *Context) Refused() int { return len(c.refused) }

// Unsupported lists everything in a model that cannot be converted.
type Unsupported struct{ Refusals []Refusal }

func (e *Unsupported) Error() string {
	parts := make([]string, len(e.Refusals))
	for i, r := range e.Refusals {
		parts[i] = fmt.Sprintf("node %q (%s): %s", r.Node, r.Op, r.Why)
	}
	return strings.Join(parts, "; ")
}
