// Command spikingir-lab measures the project itself: its speed beside other
// runtimes, and its recipes on real networks. It starts node and python, and knows
// the folder of models and images that the project's figures are made from.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/spf13/cobra"

	"spikingir"
	"spikingir/cmd/internal/cli"
)

func main() {
	cli.NoticeAfter = 5 * time.Second
	os.Exit(cli.Guard("spikingir-lab", os.Stderr, func() int { return run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr) }))
}

// lab is what the subcommands share.
type lab struct {
	cli.Common
	out io.Writer
}

// run is the program: it never calls os.Exit.
func run(args []string, in io.Reader, out, errw io.Writer) int {
	a := &lab{Common: cli.Common{Name: "spikingir-lab", Err: errw}}
	defer a.Close()
	return cli.Run(args, in, out, errw, func(out io.Writer) *cobra.Command {
		a.out = out
		return a.root()
	})
}

// root builds the command tree.
func (a *lab) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "spikingir-lab",
		Short: "Measure spikingir beside other runtimes, and on real networks",
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error {
			a.Watch(cmd.Context())
			return a.Check()
		},
	}
	a.AddFlags(root.PersistentFlags())
	root.AddCommand(a.benchCmd(), a.resultsCmd(), a.tablesCmd())
	return root
}

// load reads a model.
func (a *lab) load(path string) (*spikingir.Model, error) {
	m, err := spikingir.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("model %s does not exist", path)
	}
	return m, err
}

// write writes a page to a file, or prints it where none is named.
func (a *lab) write(path string, page []byte) error {
	if path == "" {
		_, err := a.out.Write(page)
		return err
	}
	return cli.WriteFile(path, page)
}
