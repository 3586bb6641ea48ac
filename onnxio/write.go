package onnxio

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"

	"spikingir/graph"
)

// Encode gives the bytes of a model: those it was read from if it has not
// changed since. Tensors with external data keep their place outside.
func Encode(m *graph.Model) ([]byte, error) {
	c, err := contentsOf(&encoder{}, m)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Grow(c.size)
	err = c.writeTo(&b)
	return b.Bytes(), err
}

// contents is what is written for a model.
type contents struct {
	size    int
	writeTo func(io.Writer) error
}

// contentsOf is the contents of the file of m.
func contentsOf(e *encoder, m *graph.Model) (*contents, error) {
	own, err := e.encode(m)
	if err != nil {
		return nil, err
	}
	c := &contents{own.size(own.root), own.writeTo}
	same := false
	if s := m.Source; s != nil {
		h := sha256.New()
		if err := own.writeTo(h); err != nil {
			return nil, err
		}
		if same = [sha256.Size]byte(h.Sum(nil)) == s.Fingerprint; same && s.Bytes != nil {
			return &contents{len(s.Bytes), func(w io.Writer) error {
				_, err := w.Write(s.Bytes)
				return err
			}}, nil
		}
	}
	if !same && e.untyped != "" {
		return nil, invalid("", -1, fmt.Errorf("attribute %q states neither a type nor a value, which other programs refuse: "+
			"want its type in the model that was read", e.untyped))
	}
	return c, nil
}
