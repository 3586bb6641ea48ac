package python

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"spikingir/graph"
)

//go:embed opencv.py
var opencv string

// A Case is a model, as the bytes of its file, and its only input, float32.
type Case struct {
	Model []byte
	Input *graph.Tensor
}

// A Result is the output of a case, or what OpenCV says against it.
type Result struct {
	Output *graph.Tensor
	Err    error
}

// HasOpenCV reports whether the interpreter has OpenCV.
func HasOpenCV(ctx context.Context, interpreter string) bool {
	_, err := script(ctx, interpreter, "import cv2")
	return err == nil
}

// OpenCV runs all cases in OpenCV and gives a result for each. It writes to dir, an empty folder.
func OpenCV(ctx context.Context, interpreter, dir string, cases []Case) ([]Result, error) {
	type listed struct {
		Model string  `json:"model"`
		Dims  []int64 `json:"dims"`
	}
	list := make([]listed, len(cases))
	for i, c := range cases {
		list[i] = listed{fmt.Sprintf("%d.onnx", i), c.Input.Dims}
		path := filepath.Join(dir, list[i].Model)
		if err := errors.Join(os.WriteFile(path, c.Model, 0o666), os.WriteFile(path+".in", c.Input.Bytes(), 0o666)); err != nil {
			return nil, err
		}
	}
	b, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "cases.json"), b, 0o666); err != nil {
		return nil, err
	}
	out, err := script(ctx, interpreter, opencv, dir)
	if err != nil {
		return nil, err
	}
	results := make([]Result, len(cases))
	d := json.NewDecoder(bytes.NewReader(out))
	for i := range results {
		var said struct {
			Error string
			Dims  []int64
		}
		if err := d.Decode(&said); err != nil {
			return nil, fmt.Errorf("OpenCV said nothing of model %d: %w", i, err)
		}
		if said.Error != "" {
			results[i].Err = errors.New(said.Error)
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, list[i].Model+".out"))
		if err != nil {
			return nil, err
		}
		if results[i].Output, err = graph.NewTensor(graph.Float32, said.Dims, b); err != nil {
			return nil, err
		}
	}
	return results, nil
}
