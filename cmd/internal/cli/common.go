package cli

import (
	"fmt"
	"io"
	"sync/atomic"

	"github.com/spf13/pflag"

	"spikingir/runtime/exec"
	"spikingir/runtime/kernel/machine"
)

// Common is the flags that every subcommand takes, and what they choose.
type Common struct {
	Name      string    // of the program
	Err       io.Writer // standard error
	Quiet     bool
	Threads   int
	Seed      uint64
	Precision string // fixed or float32

	pool  *machine.Pool
	spoke atomic.Bool
}

// AddFlags adds the flags.
func (c *Common) AddFlags(f *pflag.FlagSet) {
	f.IntVar(&c.Threads, "threads", 0, "number of threads; 0 takes every core")
	f.StringVar(&c.Precision, "precision", "fixed", "how spiking layers are computed: fixed, in integers (the same bits on every machine), or float32")
	f.Uint64Var(&c.Seed, "seed", 0, "seed of all random numbers")
	f.BoolVar(&c.Quiet, "quiet", false, "print errors and measured data only: no progress, notes or summaries")
}

// Check finds what is wrong with the flags, and with the environment.
func (c *Common) Check() error {
	if c.Threads < 0 || c.Threads > 1024 {
		return fmt.Errorf("--threads %d, want 0 to 1024", c.Threads)
	}
	if c.Precision != "fixed" && c.Precision != "float32" {
		return fmt.Errorf("--precision %s, want fixed or float32", c.Precision)
	}
	return machine.EnvError()
}

// Numbers is what spiking layers are computed in.
func (c *Common) Numbers() exec.Precision {
	if c.Precision == "float32" {
		return exec.Float32
	}
	return exec.FixedPoint
}

// Kernels is the pool that all work runs on.
func (c *Common) Kernels() *machine.Pool {
	if c.pool == nil {
		c.pool = machine.NewPool(c.Threads)
	}
	return c.pool
}

// Close ends the threads of the pool.
func (c *Common) Close() {
	if c.pool != nil {
		c.pool.Close()
	}
}

// Warnf tells the user something that is not an error.
func (c *Common) Warnf(format string, args ...any) {
	if !c.Quiet {
		fmt.Fprintf(c.Err, "%s: %s\n", c.Name, Line(fmt.Sprintf(format, args...)))
	}
}
