package passes

import (
	"errors"
	"fmt"
	"strings"

	"spikingir/graph"
	"spikingir/graph/op"
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

// Invalid says that a model is none by ONNX's own rules, or contradicts itself. So does
// an [op.Error] that is not marked as unsupported; every other error of a pass is of a
// structure that cannot be converted.
type Invalid struct{ Err error }

func (e *Invalid) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *Invalid) Unwrap() error { return e.Err }

// Internal is a fault of a pass, not of the model that it was given.
type Internal struct{ Err error }

func (e *Internal) Error() string { return e.Err.Error() }

// Unwrap gives the cause.
func (e *Internal) Unwrap() error { return e.Err }

func internalf(format string, args ...any) error {
	return &Internal{fmt.Errorf(format, args...)}
}

// IsInvalid reports whether an error is that of an invalid model.
func IsInvalid(err error) bool {
	var invalid *Invalid
	if errors.As(err, &invalid) {
		return true
	}
	var refused *Unsupported
	var node *op.Error
	return !errors.As(err, &refused) && errors.As(err, &node) && !node.Unsupported
}

// OldestOpset is the first opset of today's broadcasting rules.
const OldestOpset = 7

// CheckOpset refuses a model whose standard operators are of an opset that is not
// understood, or of none.
func CheckOpset(m *graph.Model) error {
	v := m.Opset("")
	switch {
	case v == 0 && len(StandardNodes(m)) > 0:
		return &Invalid{fmt.Errorf("the model uses standard operators and imports no opset of them, want one from %d to %d",
			OldestOpset, op.Newest)}
	case v > op.Newest || v != 0 && v < OldestOpset:
		return fmt.Errorf("the model imports opset %d, want one from %d to %d; export it again, for example with opset_version=%d",
			v, OldestOpset, op.Newest, FunctionOpset)
	}
	return nil
}
