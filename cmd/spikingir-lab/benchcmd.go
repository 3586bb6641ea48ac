package main

import (
	"time"

	"github.com/spf13/cobra"
)

// benchmarking is what bench is asked for.
type benchmarking struct {
	runs, rounds   int
	rowTime, limit time.Duration
	peers, data    string
	out            string
	only           []string
}

func (a *lab) benchCmd() *cobra.Command {
	b := &benchmarking{}
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure networks beside other runtimes, and the kernels",
		Long: `bench measures networks of --data beside other runtimes, in turns, by the
scripts ort_bench.js and torch_multistep_bench.py in the folder --peers, and prints
tables in Markdown: these rows, and the tables "training", "layers" (both of
DnCNN-17), "kernels" and "cost".
A row takes --rounds or as many as fit in --row-time, and none is begun after
--limit. What is missing is said and left out.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := b.check(); err != nil {
				return err
			}
			return a.benchReport(cmd.Context(), b)
		},
	}
	f := cmd.Flags()
	f.IntVar(&b.runs, "runs", 7, "runs that a median is taken of")
	f.StringVar(&b.peers, "peers", "", "folder with the scripts that measure other runtimes")
	f.StringVar(&b.data, "data", "", "folder with models/; empty takes $SPIKINGIR_DATA")
	f.IntVar(&b.rounds, "rounds", 5, "how often the runtimes take turns at most")
	f.DurationVar(&b.rowTime, "row-time", 24*time.Second, "when a row begins no other round")
	f.DurationVar(&b.limit, "limit", 0, "when the page begins no other row beside a peer; 0 for never")
	f.StringSliceVar(&b.only, "only", nil, "rows and tables to measure, by name; empty measures all")
	f.StringVarP(&b.out, "output", "o", "", "Markdown file to write; empty prints it")
	return cmd
}
