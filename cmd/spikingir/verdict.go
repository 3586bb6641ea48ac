package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/cmd/internal/gate"
)

// documents are the formats of a verdict.
var documents = []string{"junit", "sarif"}

// judges marks the commands that give a verdict.
const judges = "verdict"

// formats are those of a command.
func formats(cmd *cobra.Command) []string {
	list := []string{"text", "json"}
	if cmd.Annotations[judges] != "" {
		list = append(list, documents...)
	}
	if cmd.Annotations[hasPage] != "" {
		list = append(list, "html")
	}
	if cmd.Annotations[hasTable] != "" {
		list = append(list, "csv")
	}
	return list
}

// checkFormat refuses a format that a command does not have.
func checkFormat(cmd *cobra.Command, format string) error {
	list := formats(cmd)
	if slices.Contains(list, format) || !slices.Contains(documents, format) {
		return oneOf("format", format, list)
	}
	var names []string
	for _, c := range cmd.Root().Commands() {
		if c.Annotations[judges] != "" {
			names = append(names, c.Name())
		}
	}
	return fmt.Errorf("--format %s tells a verdict, and %s gives none; %s do: want %s", format, cmd.Name(),
		strings.Join(names, ", "), strings.Join(list, " or "))
}

// document reports whether standard output gets a verdict as a document and nothing else.
func (a *app) document() bool { return slices.Contains(documents, a.format) }

// judging lets a command give its verdict as a document too, of whatever it ends with.
func (a *app) judging(cmd *cobra.Command) *cobra.Command {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[judges] = "given"
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !a.document() {
			return run(cmd, args)
		}
		a.verdict = gate.Verdict{Program: a.Name, Version: spikingir.Version, Command: cmd.Name(), Model: args[0], Others: args[1:]}
		out := a.out
		a.out = io.Discard
		err := run(cmd, args)
		a.out = out
		return errors.Join(err, a.writeVerdict(cmd, err))
	}
	return cmd
}

// writeVerdict writes the document of a command that ended with err.
func (a *app) writeVerdict(cmd *cobra.Command, err error) error {
	v := &a.verdict
	v.Code = cli.ExitCode(cmd.Context(), err)
	if err != nil && (v.Code != cli.ExitGate || len(v.Failed()) == 0) {
		v.Error = cli.OneLine(err)
	}
	write := v.JUnit
	if a.format == "sarif" {
		write = v.SARIF
	}
	b, err := write()
	if err != nil {
		return err
	}
	_, err = a.out.Write(b)
	return err
}

// wantGate refuses a document that would have no gate in it; flags are those that make some.
func (a *app) wantGate(given bool, flags string) error {
	if a.document() && !given {
		return fmt.Errorf("--format %s tells what came of gates, and none is given: want %s", a.format, flags)
	}
	return nil
}

// check notes a gate, and what was found and wanted. Nodes are those it is about.
func (a *app) check(rule, name string, ok bool, nodes []string, format string, args ...any) {
	a.verdict.Check(rule, name, ok, fmt.Sprintf(format, args...), nodes...)
}

// checkPasses notes a gate for each pass whose results were compared; found is that of the one
// that failed, or nil.
func (a *app) checkPasses(rule string, all []spikingir.PassCheck, found *spikingir.DifferenceError) {
	for _, c := range all {
		name := fmt.Sprintf("%d %s", c.Index+1, c.Pass)
		switch {
		case found != nil && found.Check.Index == c.Index:
			a.check(rule, name, false, nil, "%v", found)
		case c.Skipped != "":
			a.verdict.Skip(rule, name, c.Skipped)
		default:
			a.check(rule, name, true, nil, "%s", checkLine(c))
		}
	}
}

// judge tells every gate that failed, a line each, and gives the error of the command, which
// has them all: in JSON they are told there alone.
func (a *app) judge() error {
	failed := a.verdict.Failed()
	if len(failed) == 0 {
		return nil
	}
	var texts []string
	for _, g := range failed {
		texts = append(texts, g.Text)
		if a.format != "json" {
			fmt.Fprintln(a.Err, "gate failed: "+cli.Line(g.Text))
		}
	}
	return &cli.CodeError{Code: cli.ExitGate, Err: &cli.GateError{
		Err: fmt.Errorf("%d of %d gates failed", len(failed), len(a.verdict.Gates)), Gates: texts,
	}}
}
