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
// that a second one ends a program at once that does not heed the first.
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
			for err = nil; err == nil; { // the first signal, and where that does not help more
				if err := cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
					t.Fatal(err)
				}
				select {
				case err = <-ended:
				case <-time.After(50 * time.Millisecond):
					if how == "heeds" {
						err = <-ended
					}
				}
			}
			var exit *exec.ExitError
			if !errors.As(err, &exit) {
				t.Fatalf("%v, %s: %v", sig, how, err)
			}
			status := exit.Sys().(syscall.WaitStatus)
			if how == "heeds" && exit.ExitCode() != ExitInterrupted || how == "deaf" && (!status.Signaled() || status.Signal() != sig) {
				t.Errorf("%v, %s: %v", sig, how, exit)
			}
		}
	}
}
