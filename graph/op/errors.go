package op

import (
	"context"
	"errors"
	"fmt"
	"math"

	"spikingir/graph"
)

// Error is a fault of one node: an attribute or input that is missing, of the
// wrong type or out of range. Where Unsupported is set the node is a valid one, but
// nothing that this program can convert or run.
type Error struct {
	Node        *graph.Node
	Problem     string // what was found, what was wanted
	Unsupported bool
}

// Error names the node as it was in the imported model.
func (e *Error) Error() string {
	return fmt.Sprintf("node %q (%v): %s", e.Node.OriginLabel(), e.Node.Op(), e.Problem)
}

// Errorf makes an [Error] of n.
func Errorf(n *graph.Node, format string, args ...any) error {
	return &Error{Node: n, Problem: fmt.Sprintf(format, args...)}
}

// Unsupportedf is [Errorf] of a node that is valid but cannot be handled.
func Unsupportedf(n *graph.Node, format string, args ...any) error {
	return &Error{Node: n, Problem: fmt.Sprintf(format, args...), Unsupported: true}
}

// Wrap makes err an [Error] of n, unless it names a node already, or is the end of a context, of
// which no node is the cause.
func Wrap(n *graph.Node, err error) error {
	var named *Error
	if errors.As(err, &named) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return Errorf(n, "%v", err)
}

// Problem is the text of an error without the name of the node, if it is an [Error].
func Problem(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Problem
	}
	return err.Error()
}

// wantOne is err, or the complaint that a tensor holds n elements and not one.
func wantOne(n int, err error) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("found %d elements, want 1", n)
}

// Bytes is a number of bytes for people to read, as "1.5 GiB".
func Bytes(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	x, unit := float64(n)/(1<<10), 0
	for ; x >= 1<<10; unit++ {
		x /= 1 << 10
	}
	digits := 0
	if x < 10 {
		x, digits = math.Floor(10*x+0.5)/10, 1
	}
	return fmt.Sprintf("%.*f %ciB", digits, x, "KMGTPE"[unit])
}
