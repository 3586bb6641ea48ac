//go:build unix

package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// deafEnv makes the process of TestSignals a program: one that heeds its context, or not.
const deafEnv = "SPIKINGIR_TEST_DEAF"

// TestSignals holds that each signal that ends a program ends its command in order, and
// that a second one, but for the end of the terminal, ends a program at once that does not
// heed the first.
func TestSignals(t *testing.T) {
	if how := os.Getenv(deafEnv); how != "" {
		os.Exit(Run(nil, nil, io.Discard, os.Stderr, command(func(ctx context.Context) error {
			fmt.Println("ready")
			<-ctx.Done()
			if how == "deaf" {
				time.Sleep(time.Hour)
			}
			return ctx.Err()
		})))
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		for _, how := range []string{"heeds", "deaf"} {
			cmd := exec.Command(os.Args[0], "-test.run=^TestSignals$")
			cmd.Env = append(os.Environ(), deafEnv+"="+how)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
				t.Fatalf("%q, %v", line, err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			send := func(sig os.Signal) {
				if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Fatal(err)
				}
			}
			send(sig)
			if how == "deaf" && sig == syscall.SIGHUP {
				time.Sleep(50 * time.Millisecond)
				send(sig) // as a shell does, which is no second wish
			}
			for waiting := true; waiting; {
				again := time.After(20 * time.Millisecond)
				if how == "heeds" {
					again = nil
				}
				select {
				case err = <-ended:
					waiting = false
				case <-again:
					send(os.Interrupt)
				}
			}
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Fatalf("%v, %s: %v", sig, how, err)
			}
			status := exit.Sys().(syscall.WaitStatus)
			if how == "heeds" && exit.ExitCode() != ExitInterrupted || how == "deaf" && (!status.Signaled() || status.Signal() != syscall.SIGINT) {
				t.Errorf("%v, %s: %v", sig, how, exit)
			}
		}
	}
}
