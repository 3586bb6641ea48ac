package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"spikingir/cmd/internal/cli"
	"spikingir/runtime/cluster"
)

// sharing marks the commands whose work several processes share out. Any other is done by
// process 0, and the rest wait.
const sharing = "sharing"

// errIdle ends a command in a process that has no part in it.
var errIdle = errors.New("nothing to do in this process")

// together runs the program in this process and in those that mpirun has started beside it. Process 0
// alone prints, and the others where it does not know what they met.
func together(args []string) int {
	c, err := cluster.Start()
	if err != nil {
		fmt.Fprintf(os.Stderr, "spikingir: %s\n", cli.OneLine(err))
		return cli.ExitUsage
	}
	if c.Size() == 1 {
		code := cli.Guard("spikingir", os.Stderr, func() int { return run(args, os.Stdin, os.Stdout, os.Stderr) })
		c.Leave(code) // mpirun -np 1 wants to hear of the end
		return code
	}
	var out, errw io.Writer = os.Stdout, os.Stderr
	last := &lastLine{}
	if c.Rank() > 0 {
		out, errw = io.Discard, last
	}
	code := cli.Guard("spikingir", errw, func() int { return runIn(c, args, os.Stdin, out, errw) })
	codes := c.Leave(code)
	if c.Rank() > 0 && code != cli.ExitOK && (codes == nil || codes[0] == cli.ExitOK) {
		fmt.Fprintf(os.Stderr, "spikingir: process %d of %d: %s\n", c.Rank(), c.Size(), strings.TrimPrefix(last.text, "spikingir: "))
	}
	if codes == nil {
		c.Abort(code)
	}
	if codes[0] != cli.ExitOK {
		return codes[0]
	}
	return slices.Max(codes)
}

// lastLine keeps the last line that is written to it.
type lastLine struct{ text, open string }

func (l *lastLine) Write(b []byte) (int, error) {
	const most = 1 << 16
	text := l.open + string(b)
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		lines := strings.Split(text[:i], "\n")
		l.text, text = lines[len(lines)-1], text[i+1:]
	}
	l.open = text[max(0, len(text)-most):]
	return len(b), nil
}

// shared marks a command whose work is shared out.
func shared(cmd *cobra.Command) *cobra.Command {
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[sharing] = "yes"
	return cmd
}

// joins is errIdle in a process that has no part in a command; in others it shares out
// the machine's threads.
func (a *app) joins(cmd *cobra.Command) error {
	if a.cluster.Size() == 1 {
		return nil
	}
	if _, ok := cmd.Annotations[sharing]; !ok {
		return a.leads()
	}
	if a.Threads == 0 {
		a.Threads = max(1, runtime.NumCPU()/a.cluster.Local())
	}
	return nil
}

// leads is errIdle in all processes but the first.
func (a *app) leads() error {
	if a.cluster.Rank() > 0 {
		a.idle = true
		return errIdle
	}
	return nil
}
