// Package onnxruntime runs models in ONNX Runtime, for who holds ours to it: by
// node and its package onnxruntime-node, or onnxruntime-web, which is what runs in web
// pages. One process runs many models.
package onnxruntime

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"spikingir/graph"
)

// Variable is the environment variable that holds the folder node_modules with the
// packages in it; `make interop` sets it.
const Variable = "SPIKINGIR_ONNXRUNTIME"

// A Case is a model, as the bytes of its file, and what its inputs are fed.
type Case struct {
	Model  []byte
	Inputs map[string]*graph.Tensor
}

// A Result is what ONNX Runtime gives for a case, by the names of the outputs, or why it
// does not.
type Result struct {
	Outputs map[string]*graph.Tensor
	// Rewritten is the file of the model as ONNX Runtime runs it, where the setting asks for it.
	Rewritten []byte
	Err       error
}

// An Engine is one of ONNX Runtime's builds, by the name of its package.
type Engine string

const (
	Native Engine = "onnxruntime-node" // machine code
	Web    Engine = "onnxruntime-web"  // WebAssembly
)

// Level is how far ONNX Runtime may rewrite a model before it runs.
type Level string

// The levels of ONNX Runtime.
const (
	None     Level = "disabled"
	Basic    Level = "basic"
	Extended Level = "extended"
	All      Level = "all"
)

//go:embed run.js
var script []byte

// types are the element types that ONNX Runtime's JavaScript knows, by its names.
var types = map[graph.DType]string{
	graph.Float32: "float32", graph.Float64: "float64", graph.Float16: "float16", graph.Bool: "bool",
	graph.Int8: "int8", graph.Uint8: "uint8", graph.Int16: "int16", graph.Uint16: "uint16",
	graph.Int32: "int32", graph.Uint32: "uint32", graph.Int64: "int64", graph.Uint64: "uint64",
}

// entry is a tensor as the script reads and writes it.
type entry struct {
	Name string  `json:"name"`
	Type string  `json:"type"`
	Dims []int64 `json:"dims"`
	File string  `json:"file"`
}

type listed struct {
	Model  string  `json:"model"`
	Inputs []entry `json:"inputs"`
}

// A Setting is what runs the cases.
type Setting struct {
	Modules string // what Variable holds
	Engine  Engine
	Level   Level
	// Rewritten asks for what the level makes of each model, of Native.
	Rewritten bool
}

// Find is the version of the engine in a folder node_modules, or an error that says what is missing and
// how it is installed.
func Find(modules string, engine Engine) (version string, err error) {
	install := fmt.Sprintf("install it by: npm install --ignore-scripts --prefix DIR %s, and give DIR/node_modules", engine)
	if modules == "" {
		return "", fmt.Errorf("the folder of ONNX Runtime is not given: want --onnxruntime DIR, or the variable %s, a folder node_modules with %s in it; %s",
			Variable, engine, install)
	}
	if _, err := exec.LookPath("node"); err != nil {
		return "", errors.New("node is not installed, which runs ONNX Runtime: install Node.js 18 or later (Debian: apt-get install nodejs npm)")
	}
	b, err := os.ReadFile(filepath.Join(modules, string(engine), "package.json"))
	if err != nil {
		return "", fmt.Errorf("%s is not in %s: %w; %s", engine, modules, errors.Unwrap(err), install)
	}
	var about struct{ Version string }
	if err := json.Unmarshal(b, &about); err != nil {
		return "", fmt.Errorf("%s in %s: %w; %s", engine, modules, err, install)
	}
	return about.Version, nil
}

// Run runs all cases and gives a result for each. It writes to dir, an empty folder.
func Run(ctx context.Context, s Setting, dir string, cases []Case) ([]Result, error) {
	list := make([]listed, len(cases))
	for i, c := range cases {
		list[i] = listed{Model: fmt.Sprintf("%d.onnx", i), Inputs: []entry{}}
		if err := os.WriteFile(filepath.Join(dir, list[i].Model), c.Model, 0o666); err != nil {
			return nil, err
		}
		for name, t := range c.Inputs {
			e := entry{name, types[t.DType], append([]int64{}, t.Dims...), fmt.Sprintf("%d.in%d", i, len(list[i].Inputs))}
			if e.Type == "" {
				return nil, fmt.Errorf("case %d: input %q is of type %v, which cannot be handed over", i, name, t.DType)
			}
			if err := os.WriteFile(filepath.Join(dir, e.File), t.Bytes(), 0o666); err != nil {
				return nil, err
			}
			list[i].Inputs = append(list[i].Inputs, e)
		}
	}
	b, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	run := filepath.Join(dir, "run.js")
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "cases.json"), b, 0o666), os.WriteFile(run, script, 0o666)); err != nil {
		return nil, err
	}
	out, err := exec.CommandContext(ctx, "node", run, s.Modules, dir, string(s.Engine), string(s.Level), strconv.FormatBool(s.Rewritten)).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("node with %s of %s: %w\n%s", s.Engine, s.Modules, err, bytes.TrimSpace(out))
	}
	return results(dir, len(cases))
}

// results reads what the script wrote.
func results(dir string, n int) ([]Result, error) {
	b, err := os.ReadFile(filepath.Join(dir, "results.json"))
	if err != nil {
		return nil, err
	}
	var all []Result
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var line struct {
			Error     string
			Outputs   []entry
			Rewritten string
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			return nil, err
		}
		r := Result{Outputs: map[string]*graph.Tensor{}}
		if line.Error != "" {
			r.Err = errors.New(line.Error)
		}
		if line.Rewritten != "" {
			if r.Rewritten, err = os.ReadFile(filepath.Join(dir, line.Rewritten)); err != nil {
				return nil, err
			}
		}
		for _, e := range line.Outputs {
			if r.Outputs[e.Name], err = e.tensor(dir); err != nil {
				return nil, fmt.Errorf("case %d: output %q: %w", len(all), e.Name, err)
			}
		}
		all = append(all, r)
	}
	if len(all) != n {
		return nil, fmt.Errorf("ONNX Runtime gave %d results for %d models", len(all), n)
	}
	return all, lines.Err()
}

func (e entry) tensor(dir string) (*graph.Tensor, error) {
	for d, name := range types {
		if name != e.Type {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.File))
		if err != nil {
			return nil, err
		}
		return graph.NewTensor(d, e.Dims, b)
	}
	return nil, fmt.Errorf("of type %s, which is not known here", e.Type)
}
