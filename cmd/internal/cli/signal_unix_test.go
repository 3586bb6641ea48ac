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
	"os/signal"
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
			switch how {
			case "saves":
				Patient(ctx)
				time.Sleep(2 * patience)
				fmt.Println("saved")
			case "deaf", "once":
				time.Sleep(time.Hour)
			}
			return ctx.Err()
		})))
	}
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		if signal.Ignored(sig) {
			continue // under nohup, where it stays ignored
		}
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

// TestSignalOnce holds that one signal is enough where the command does not heed it, and
// that a command which saves its state is waited for.
func TestSignalOnce(t *testing.T) {
	for how, want := range map[string]string{"once": "ready\n", "saves": "ready\nsaved\n"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSignals$")
		cmd.Env = append(os.Environ(), deafEnv+"="+how)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		r := bufio.NewReader(out)
		said, err := r.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.ExitCode() != ExitInterrupted || said+string(rest) != want {
			t.Errorf("%s: %v, it says %q", how, err, said+string(rest))
		}
	}
}
