package spikingir_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	onnx "github.com/owulveryck/onnx-go"
	"github.com/owulveryck/onnx-go/backend/x/gorgonnx"
	"gorgonia.org/tensor"

	"spikingir/graph"
	"spikingir/onnxio"
	"spikingir/runtime/ops"
)

// onnxGoFrom names the variable that makes TestOnnxGo run, and the case to begin with.
const onnxGoFrom = "SPIKINGIR_ONNXGO_FROM"

// onnxGoLimit is how long all tests may take in onnx-go.
const onnxGoLimit = 3 * time.Minute

// onnxGoPasses lists the cases that onnx-go passes. They run in a process of their own, as
// some panic where nothing recovers: it is started again behind the one that it ended with.
func onnxGoPasses(cases []conformanceCase) (map[string]bool, error) {
	ctx, cancel := context.WithTimeout(context.Background(), onnxGoLimit)
	defer cancel()
	passes := map[string]bool{}
	for from := 0; from < len(cases); from++ {
		cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestOnnxGo$", "-test.v")
		cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%d", onnxGoFrom, from))
		out, _ := cmd.Output() // a panic is no error here
		if ctx.Err() != nil {
			return nil, fmt.Errorf("onnx-go did not end in %v", onnxGoLimit)
		}
		for line := range strings.Lines(string(out)) {
			var i int
			var ok bool
			if n, _ := fmt.Sscanf(line, "onnx-go case %d %t", &i, &ok); n == 2 {
				from, passes[cases[i].Name] = i+1, ok
			}
		}
	}
	return passes, nil
}

// TestOnnxGo is what onnxGoPasses runs.
func TestOnnxGo(t *testing.T) {
	from, err := strconv.Atoi(os.Getenv(onnxGoFrom))
	if err != nil {
		t.Skip(onnxGoFrom + " is not set")
	}
	dir := os.Getenv("SPIKINGIR_CONFORMANCE")
	cases, err := conformanceCases(dir)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		if i >= from {
			fmt.Printf("onnx-go case %d %t\n", i, c.passesOnnxGo(filepath.Join(dir, c.Name)))
		}
	}
}

// passesOnnxGo runs a case in onnx-go with its backend Gorgonia.
func (c conformanceCase) passesOnnxGo(dir string) (ok bool) {
	if len(c.Missing) > 0 {
		return false
	}
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return c.runOnnxGo(dir) == nil
}

func (c conformanceCase) runOnnxGo(dir string) error {
	file, err := os.ReadFile(filepath.Join(dir, "model.onnx"))
	if err != nil {
		return err
	}
	m, err := onnxio.Decode(file)
	if err != nil {
		return err
	}
	in, err := tensorsOf(dir, "in", c.Inputs, m.Graph.Inputs())
	if err != nil {
		return err
	}
	want, err := tensorsOf(dir, "out", c.Outputs, m.Graph.Outputs())
	if err != nil {
		return err
	}
	backend := gorgonnx.NewGraph()
	model := onnx.NewModel(backend)
	if err := model.UnmarshalBinary(file); err != nil {
		return err
	}
	for i, x := range in {
		t, err := dense(x)
		if err == nil {
			err = model.SetInput(i, t)
		}
		if err != nil {
			return err
		}
	}
	if err := backend.Run(); err != nil {
		return err
	}
	out, err := model.GetOutputTensors()
	if err != nil {
		return err
	}
	if len(out) != len(want) {
		return fmt.Errorf("%d outputs", len(out))
	}
	for i, w := range want {
		got, err := fromDense(out[i], w)
		if err == nil {
			err = c.compare(got, w)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dense is a tensor in Gorgonia's form.
func dense(x *ops.Tensor) (tensor.Tensor, error) {
	var backing any
	switch x.DType {
	case graph.Float32:
		backing = slices.Clone(x.F32)
	case graph.Float64:
		backing = convert[float64](x.F32)
	case graph.Int64:
		backing = slices.Clone(x.I64)
	case graph.Int32:
		backing = convert[int32](x.I64)
	case graph.Bool:
		list := make([]bool, len(x.I64))
		for i, v := range x.I64 {
			list[i] = v != 0
		}
		backing = list
	default:
		return nil, fmt.Errorf("no tensors of %v", x.DType)
	}
	return tensor.New(tensor.WithShape(x.Dims...), tensor.WithBacking(backing)), nil
}

func convert[T, S float32 | float64 | int32 | int64](list []S) []T {
	out := make([]T, len(list))
	for i, v := range list {
		out[i] = T(v)
	}
	return out
}

// fromDense reads a result of the type expected.
func fromDense(t tensor.Tensor, want *ops.Tensor) (*ops.Tensor, error) {
	got := &ops.Tensor{DType: want.DType, Dims: slices.Clone([]int(t.Shape()))}
	switch data := t.Data().(type) {
	case []float32:
		got.F32 = data
	case float32:
		got.F32 = []float32{data}
	case []float64:
		got.F32 = convert[float32](data)
	case []int64:
		got.I64 = data
	case []int32:
		got.I64 = convert[int64](data)
	default:
		return nil, fmt.Errorf("a result of %T", data)
	}
	if len(got.F32) != len(want.F32) || len(got.I64) != len(want.I64) {
		return nil, fmt.Errorf("a result of %v", t.Shape())
	}
	return got, nil
}
