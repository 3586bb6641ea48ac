// Command gomlx runs a spiking network in pure Go by onnx-gomlx, which knows nothing of spikes:
//
//	spikingir convert model.onnx -o flat.onnx --lower flat
//	cd examples/gomlx && go run . flat.onnx input.npy output.npy
//
// The network has one input and one output. onnx-gomlx knows no functions, so the file is in a form of
// standard operators: flat, unrolled or counts.
package main

import (
	"errors"
	"fmt"
	"log"
	"os"

	"github.com/gomlx/gomlx/backends/simplego"
	gomlx "github.com/gomlx/gomlx/pkg/core/graph"
	"github.com/gomlx/gomlx/pkg/core/tensors"
	"github.com/gomlx/gomlx/pkg/ml/context"
	"github.com/gomlx/onnx-gomlx/onnx"

	"spikingir/graph"
	"spikingir/onnxio/npy"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 4 {
		log.Fatal("usage: gomlx MODEL INPUT.npy OUTPUT.npy")
	}
	if err := convert(os.Args[1], os.Args[2], os.Args[3]); err != nil {
		log.Fatal(err)
	}
}

func convert(model, input, output string) error {
	file, err := os.ReadFile(model)
	if err != nil {
		return err
	}
	f, err := os.Open(input)
	if err != nil {
		return err
	}
	defer f.Close()
	x, err := npy.Read(f)
	if err != nil {
		return fmt.Errorf("%s: %w", input, err)
	}
	y, err := run(file, x)
	if err != nil {
		return fmt.Errorf("%s: %w", model, err)
	}
	out, err := os.Create(output)
	if err != nil {
		return err
	}
	return errors.Join(npy.Write(out, y), out.Close())
}

// run gives the output of a model, of which file is the bytes, for the input x. What GoMLX throws becomes an error.
func run(file []byte, x *graph.Tensor) (y *graph.Tensor, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("onnx-gomlx: %v", r)
		}
	}()
	m, err := onnx.Parse(file)
	if err != nil {
		return nil, err
	}
	if len(m.InputsNames) != 1 || len(m.OutputsNames) != 1 {
		return nil, fmt.Errorf("the model has %d inputs and %d outputs, want one of each", len(m.InputsNames), len(m.OutputsNames))
	}
	xs, err := x.Float32s()
	if err != nil {
		return nil, err
	}
	dims := make([]int, len(x.Dims))
	for i, d := range x.Dims {
		dims[i] = int(d)
	}
	backend, err := simplego.New("")
	if err != nil {
		return nil, err
	}
	defer backend.Finalize()
	weights := context.New()
	if err := m.VariablesToContext(weights); err != nil {
		return nil, err
	}
	exec, err := context.NewExec(backend, weights.Reuse(), func(c *context.Context, x *gomlx.Node) *gomlx.Node {
		return m.CallGraph(c, x.Graph(), map[string]*gomlx.Node{m.InputsNames[0]: x})[0]
	})
	if err != nil {
		return nil, err
	}
	results, err := exec.Exec(tensors.FromFlatDataAndDimensions(xs, dims...))
	if err != nil {
		return nil, err
	}
	var sizes []int64
	for _, d := range results[0].Shape().Dimensions {
		sizes = append(sizes, int64(d))
	}
	return graph.NewFloat32(sizes, tensors.MustCopyFlatData[float32](results[0])), nil
}
