package onnxio

import (
	"crypto/sha256"
	"fmt"

	"spikingir/graph"
)

// Encode gives the bytes of a model: those it was read from if it has not
// changed since. Tensors with external data keep their place outside.
func Encode(m *graph.Model) ([]byte, error) {
	return encodeWith(&encoder{}, m)
}

func encodeWith(e *encoder, m *graph.Model) ([]byte, error) {
	if err := checkEarly(m); err != nil {
		return nil, err
	}
	own, err := e.encode(m)
	if err != nil {
		return nil, err
	}
	s := m.Source
	switch same := s != nil && sha256.Sum256(own) == s.Fingerprint; {
	case same && s.Bytes != nil:
		return clone(s.Bytes), nil
	case !same && e.untyped != "":
		return nil, invalid("", -1, fmt.Errorf("attribute %q states neither a type nor a value, which other programs refuse: "+
			"want its type in the model that was read", e.untyped))
	}
	return own, nil
}

// checkEarly refuses metadata that the model's IR version has no field for,
// unless the file had it all the same.
func checkEarly(m *graph.Model) error {
	if m.IRVersion >= graph.MetadataIR || m.Source != nil && m.Source.EarlyMetadata {
		return nil
	}
	if where := earlyMetadata(m); where != "" {
		return fmt.Errorf("%s carries metadata but the model's ir_version is %d, want %d "+
			"or more: the pass that added it must raise the version",
			where, m.IRVersion, graph.MetadataIR)
	}
	return nil
}
