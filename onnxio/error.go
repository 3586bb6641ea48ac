package onnxio

import (
	"errors"
	"fmt"
	"strings"
)

// Error says what is wrong with the contents of a model file. Failures of the
// file system are returned as they are, unless they concern external data.
type Error struct {
	Path   string // the file, "" when read from memory
	Offset int64  // byte offset of the damage in the file, -1 when it has none
	Node   string // label of the outermost node concerned, "" for none
	Err    error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Path != "" {
		b.WriteString(e.Path + ": ")
	}
	if e.Offset >= 0 {
		fmt.Fprintf(&b, "at byte %d: ", e.Offset)
	}
	b.WriteString(e.Err.Error())
	return b.String()
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// nodeError places an error at a node; it is how Error.Node is found.
type nodeError struct {
	label, op string
	err       error
}

func (e *nodeError) Error() string {
	if e.label == e.op {
		return fmt.Sprintf("node %s: %v", e.op, e.err)
	}
	return fmt.Sprintf("node %q (%s): %v", e.label, e.op, e.err)
}

func (e *nodeError) Unwrap() error { return e.err }

// invalid makes the public error of a cause found in the file at path.
func invalid(path string, offset int64, err error) *Error {
	e := &Error{Path: path, Offset: offset, Err: err}
	var n *nodeError
	if errors.As(err, &n) {
		e.Node = n.label
	}
	return e
}
