package onnxio

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzDecode holds for any bytes: no panic; an error is an *Error; a model is
// consistent, is written back as the same bytes, and its own encoding is read
// as the same model again.
func FuzzDecode(f *testing.F) {
	for _, path := range testModels(f) {
		f.Add(readAll(f, path))
	}
	for _, c := range features {
		p := base()
		c.edit(p)
		f.Add(wire(f, p))
	}
	for _, c := range invalidModels {
		p := base()
		c.edit(p)
		f.Add(wire(f, p))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(data)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("the error is a %T: %v", err, err)
			}
			return
		}
		if err := m.Check(); err != nil {
			t.Fatal(err)
		}
		got, err := Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, data) {
			t.Fatal("the unchanged model is written as other bytes")
		}
		first := ownForm(t, m)
		again, err := Decode(first)
		if err != nil {
			t.Fatalf("the writer's own encoding is refused: %v", err)
		}
		if again.Source.Bytes != nil || again.Source.Fingerprint != m.Source.Fingerprint {
			t.Fatal("the writer's own encoding is read as another model")
		}
	})
}
