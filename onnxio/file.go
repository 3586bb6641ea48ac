package onnxio

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"spikingir/graph"
	"spikingir/internal/atomicfile"
	"spikingir/internal/regular"
)

// WriteOptions tells how to write a model. The zero value keeps the elements of every
// tensor where they are, inside of the model's file or outside.
type WriteOptions struct {
	// ExternalThreshold, when positive, moves every initializer of at least so
	// many bytes to the data file beside the model and the others into the
	// model. Tensors of attributes and sparse ones stay where they are.
	ExternalThreshold int64
}

// WriteFile is [WriteOptions.WriteFile] with the zero options.
func WriteFile(path string, m *graph.Model) error {
	return WriteOptions{}.WriteFile(path, m)
}

// WriteFile writes a model to a file that appears under its name when it is complete.
//
// Elements outside of it go to one new file beside it, whatever files they were read
// from, and the model states that one. Its name is the model's with a hash of what it
// holds, out.onnx.0123456789abcdef.data: so the same model gives the same bytes, and no
// file is written over that another model, or the one that was at path, reads. A model
// is the old one or the new one, each with its data, at any moment. Afterwards the data
// of the old one is removed, if WriteFile has named it and no other model beside it
// states it, and so is what a process has left that was killed while it wrote to path.
func (o WriteOptions) WriteFile(path string, m *graph.Model) error {
	out, err := o.gather(m)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	outside := len(out.chunks) > 0
	if info, err := os.Stat(path); err == nil && outside {
		if err := regular.Check(info); err != nil {
			return fmt.Errorf("%s: %w: the model has external data, which lies beside it", path, err)
		}
	}
	at, err := atomicfile.Target(path)
	if err != nil {
		return err
	}
	e := &encoder{}
	if len(out.moved) > 0 {
		e.place = out.place(dataName(filepath.Base(at), out.sum()))
	}
	c, err := contentsOf(e, m)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	all, old := ownData(at)
	if !outside {
		err = atomicfile.Write(path, false, c.writeTo)
	} else {
		err = out.write(at, c)
	}
	if err != nil {
		return err
	}
	dropData(at, all, old)
	return nil
}

// write puts the data file in place, then the model at path, which states it. When it
// fails it takes away the data file if that was not there before.
func (d *dataFile) write(path string, model *contents) error {
	name := filepath.Join(filepath.Dir(path), d.name)
	fresh, release, err := d.store(name)
	if err != nil {
		return err
	}
	defer release()
	if err := atomicfile.Write(path, true, model.writeTo); err != nil {
		if fresh {
			os.Remove(name) // as well as can be: the first error is the one that counts
		}
		return err
	}
	return nil
}

// store makes the data file, unless it is there, and holds it until a model states it.
func (d *dataFile) store(name string) (fresh bool, release func(), err error) {
	const tries = 10
	for range tries {
		_, err := os.Lstat(name)
		missing := errors.Is(err, fs.ErrNotExist)
		fresh = fresh || missing
		if missing || !d.isIn(name) {
			if err := atomicfile.Replace(name, d.writeTo); err != nil {
				return false, nil, err
			}
		}
		if release, there := hold(name); there {
			return fresh, release, nil
		}
	}
	return false, nil, &fs.PathError{Op: "write", Path: name, Err: errors.New("another process removes it again and again")}
}
