package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"spikingir"
	"spikingir/cmd/internal/cli"
	"spikingir/graph"
	"spikingir/internal/regular"
	"spikingir/onnxio/onnxgo"
	"spikingir/runtime/watch"
)

// load reads a model; reader is onnx or onnx-go.
func (a *app) load(path, reader string) (*graph.Model, error) {
	if err := choose("reader", reader); err != nil {
		return nil, err
	}
	watch.Of(a.context()).Task("reading %s", path)
	var p *fs.PathError
	m, err := cli.Await(a.context(), func() (*graph.Model, error) { return readModel(path, reader, a.reading) })
	switch {
	case err == nil:
		for _, w := range m.Source.Warnings {
			a.Warnf("%s: %s", path, w)
		}
		return m, nil
	case errors.Is(err, context.Canceled):
		return nil, err
	case errors.Is(err, onnxgo.ErrUnsupported):
		return nil, cli.Unsupported(err)
	case !errors.As(err, &p):
		return nil, cli.Invalid(err)
	case p.Path != path: // a file of external data
		return nil, &cli.CodeError{Code: cli.ExitUsage, Err: err}
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("model %s does not exist", path)
	}
	return nil, fmt.Errorf("model %s cannot be read: %w", path, p.Err)
}

func readModel(path, reader string, memory int64) (*graph.Model, error) {
	if reader == "onnx" {
		return spikingir.ReadWithin(path, memory)
	}
	f, info, err := regular.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if memory > 0 && info.Size() > memory {
		return nil, fmt.Errorf("%s: the file has more than %d bytes", path, memory)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	m, err := onnxgo.Read(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// loadNetwork is load, of a lowered file with its neurons put back. One that no longer tells
// them is left as it is, with a warning.
func (a *app) loadNetwork(path, reader string) (*graph.Model, error) {
	m, err := a.load(path, reader)
	if err != nil || !spikingir.Lowered(m) {
		return m, err
	}
	network := m.Clone()
	err = a.raise(path, network)
	var lost *spikingir.UnsupportedError
	if errors.As(err, &lost) {
		a.Warnf("%v: it is taken as a network without neurons", err)
		return m, nil
	}
	return network, err
}

// raise puts the neurons of a lowered file back, and warns of what is lost of it.
func (a *app) raise(path string, m *graph.Model) error {
	remarks, err := spikingir.Raise(a.context(), m)
	for _, text := range remarks {
		a.Warnf("%s: %s", path, text)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// loaded is a network ready to run on images, from a file.
type loaded struct {
	path string
	*spikingir.Network
}

// open reads a model and makes it ready to run.
func (a *app) open(path string, o spikingir.RunOptions) (*loaded, error) {
	m, err := a.load(path, "onnx")
	if err != nil {
		return nil, err
	}
	return a.ready(path, m, o)
}

// ready makes a model ready to run, by the common flags.
func (a *app) ready(path string, m *graph.Model, o spikingir.RunOptions) (*loaded, error) {
	if len(o.Timesteps) > 0 && !spikingir.Spiking(m) {
		return nil, fmt.Errorf("%s is not a spiking model: it has no timesteps to set", path)
	}
	a.warnWeights(path, m)
	a.noteTimesteps(path, m, o.Timesteps)
	o.Threads, o.Precision = a.Threads, a.Numbers()
	n, err := spikingir.Open(m, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := n.NoImage(); err != nil {
		n.Close()
		return nil, cli.Unsupported(fmt.Errorf("%s: %w", path, err))
	}
	return &loaded{path, n}, nil
}

// warnWeights says that a model computes with numbers that are none.
func (a *app) warnWeights(path string, m *graph.Model) {
	if err := spikingir.CheckWeights(m); err != nil {
		a.Warnf("%s: %v", path, err)
	}
}
