package main

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"spikingir"
	"spikingir/cmd/internal/cli"
)

// manCmd writes manual pages, for those who package the program.
func (a *app) manCmd() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write a manual page of each command into a folder",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return writeManuals(cmd.Root(), args[0])
		},
	}
}

// writeManuals writes the page of a command, and those of its subcommands.
func writeManuals(cmd *cobra.Command, dir string) error {
	page, err := manual(cmd)
	if err != nil {
		return err
	}
	name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
	if err := cli.WriteFile(filepath.Join(dir, name), page); err != nil {
		return err
	}
	for _, c := range cmd.Commands() {
		if !c.IsAvailableCommand() {
			continue
		}
		if err := writeManuals(c, dir); err != nil {
			return err
		}
	}
	return nil
}

// manual is the page of a command. It has no date, so that the same program gives the same
// bytes.
func manual(cmd *cobra.Command) ([]byte, error) {
	cmd.DisableAutoGenTag = true
	var b bytes.Buffer
	date := time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
	err := doc.GenMan(cmd, &doc.GenManHeader{Section: "1", Date: &date, Source: "spikingir " + spikingir.Version, Manual: "spikingir"}, &b)
	if err != nil {
		return nil, err
	}
	dated := fmt.Appendf(nil, "%q", date.Format("Jan 2006"))
	return bytes.Replace(b.Bytes(), dated, []byte(`""`), 1), nil
}
