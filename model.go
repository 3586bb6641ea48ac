package spikingir

import (
	"errors"

	"spikingir/graph/infer"
	"spikingir/graph/op"
	"spikingir/onnxio"
)

// validate finds what is wrong with a spiking network before anything computes with it:
// numbers out of range, types and shapes that do not fit. A network without neurons is
// checked by the pass or the run that it meets.
func validate(m *Model) error {
	if err := op.CheckSpiking(m); err != nil {
		return invalidModel(m, err)
	}
	if !Spiking(m) {
		return nil
	}
	if err := infer.Model(m.Clone()); err != nil && isInvalid(err) {
		return invalidModel(m, err)
	}
	return nil
}

// invalidModel is an error as that of the file that a model was read from.
func invalidModel(m *Model, err error) error {
	e := &onnxio.Error{Offset: -1, Err: err}
	if m.Source != nil {
		e.Path = m.Source.Path
	}
	var node *op.Error
	if errors.As(err, &node) {
		e.Node = node.Node.OriginLabel()
	}
	return e
}

// CheckWeights is an error for a model whose weights are NaN or infinite, an [InvalidError]
// that names a node of such: what it computes is NaN too. [Read] takes such models, so that
// they can be looked into; [Convert] and [Finetune] do not.
func CheckWeights(m *Model) error {
	if err := op.CheckWeights(m); err != nil {
		return &InvalidError{err}
	}
	return nil
}
