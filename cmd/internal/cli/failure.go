package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"spikingir/passes"
)

// Failure is what ended a command, as JSON; its form is a contract.
type Failure struct {
	Code    int    `json:"code"` // the exit code
	Kind    string `json:"kind"` // the exit code in a word
	Message string `json:"message"`
	// Refused is the nodes that cannot be converted, all of them.
	Refused []RefusedNode `json:"refused,omitempty"`
	// Gates is what was found and wanted by each gate that failed.
	Gates []string `json:"gates,omitempty"`
}

// RefusedNode is a node that cannot be converted, and why.
type RefusedNode struct {
	Node string `json:"node"`
	Op   string `json:"op"`
	Why  string `json:"why"`
}

// kinds are the words of exit codes; usage stands for input and output too.
var kinds = map[int]string{ExitUsage: "usage", ExitInvalid: "invalid", ExitUnsupported: "unsupported", ExitGate: "gate",
	ExitInternal: "internal", ExitInterrupted: "interrupted"}

// GateError is that gates failed; Gates says of each what was found and wanted.
type GateError struct {
	Err   error
	Gates []string
}

func (e *GateError) Error() string { return e.Err.Error() }

// Unwrap gives the error.
func (e *GateError) Unwrap() error { return e.Err }

// RefusedNodes is what an error says of the nodes that cannot be converted.
func RefusedNodes(err error) []RefusedNode {
	var all *passes.Unsupported
	if !errors.As(err, &all) {
		return nil
	}
	var list []RefusedNode
	for _, r := range all.Refusals {
		list = append(list, RefusedNode{r.Node, r.Op, r.Why})
	}
	return list
}

// interruption is what is said of a command that was interrupted.
const interruption = "interrupted; no file is left half written"

// failureOf is the error of a command with that context.
func failureOf(ctx context.Context, err error) Failure {
	f := Failure{Code: ExitCode(ctx, err), Message: OneLine(err), Refused: RefusedNodes(err)}
	f.Kind = kinds[f.Code]
	if canceled(ctx, err) {
		f.Message = interruption
	}
	var gates *GateError
	if errors.As(err, &gates) {
		f.Gates = gates.Gates
	}
	return f
}

// write writes {"error": ...} on one line.
func (f Failure) write(w io.Writer) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(map[string]Failure{"error": f}); err != nil {
		fmt.Fprintln(w, f.Message) // cannot be: it has but texts and a number
		return
	}
	w.Write(JSON(b.Bytes())) // as well as can be
}

// asJSON reports whether the command line asks for JSON, also where it is wrong and not read
// to its end.
func asJSON(cmd *cobra.Command, args []string) bool {
	if cmd.PersistentFlags().Lookup("format") == nil {
		return false
	}
	found := ""
	for i, arg := range args {
		switch {
		case arg == "--":
			return found == "json"
		case arg == "--format" && i+1 < len(args):
			found = args[i+1]
		case len(arg) > len("--format=") && arg[:len("--format=")] == "--format=":
			found = arg[len("--format="):]
		}
	}
	return found == "json"
}
