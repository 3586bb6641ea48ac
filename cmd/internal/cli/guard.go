package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
)

// traceEnv is the environment variable that asks for the whole trace of a fault.
const traceEnv = "SPIKINGIR_TRACE"

// Guard is the exit code of f, which is the program of that name. A panic of it becomes
// one line that asks to report it. Tests call f itself, and see panics as they are.
//
// What Go cannot recover from, such as the end of memory, ends the program by the signal
// ABRT and not with the exit code 2, which is that of a model that is not valid.
func Guard(name string, errw io.Writer, f func() int) (code int) {
	debug.SetTraceback("crash")
	noCore()
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *fault:
			code = internal(errw, name, fmt.Sprintf("internal error: %v (%s)", r.value, r.place), r.trace)
		default:
			code = internal(errw, name, fmt.Sprintf("internal error: %v (%s)", r, panicPlace()), debug.Stack())
		}
	}()
	return f()
}

// internal tells of a fault of the program.
func internal(errw io.Writer, name, what string, trace []byte) int {
	fmt.Fprintf(errw, "%s: %s; this is a fault of the program, not yours: please report it, with the command and the model (%s=1 prints the trace)\n",
		name, Line(what), traceEnv)
	if os.Getenv(traceEnv) != "" {
		errw.Write(trace) // as well as can be
	}
	return ExitInternal
}

// panicPlace is the line that has panicked, called where that is recovered.
func panicPlace() string {
	pc := make([]uintptr, 64)
	frames := runtime.CallersFrames(pc[:runtime.Callers(2, pc)])
	for panicked := false; ; {
		f, more := frames.Next()
		switch inside := strings.HasPrefix(f.Function, "runtime."); {
		case inside && (strings.Contains(f.Function, "panic") || strings.Contains(f.Function, "goPanic")):
			panicked = true
		case panicked && !inside:
			return fmt.Sprintf("%s:%d", filepath.Base(f.File), f.Line)
		}
		if !more {
			return "nobody knows where"
		}
	}
}
