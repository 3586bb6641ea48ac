package raiseforms

import (
	"fmt"
	"strings"

	"spikingir/graph"
)

// Lost says that a file no longer has what its metadata state neurons by.
type Lost struct {
	Form    string // of the file
	Missing []string
	more    string
}

func (e *Lost) Error() string {
	return fmt.Sprintf("the neurons that the metadata %q state cannot be told any more in the form %s: there is no %s%s; another tool has renamed or fused "+
		"them. Want the file as lower wrote it, or one that kept the names: rewriting of layers switched off, in ONNX Runtime the level basic at most",
		graph.MetaNeurons, e.Form, strings.Join(e.Missing, "; no "), e.more)
}
