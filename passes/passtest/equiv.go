package passtest

import (
	"errors"
	"fmt"

	"spikingir/graph"
	"spikingir/runtime/equiv"
	"spikingir/runtime/ops"
)

func (s *settings) check(before, after *graph.Model) error {
	if s.cannotRun != "" {
		return s.checkCannotRun(before)
	}
	finite := false
	for i := range s.n {
		in, err := s.inputs(before, i)
		if err != nil {
			return err
		}
		want, err := s.execute(before, in)
		if err != nil {
			return fmt.Errorf("cannot run before: %w", err)
		}
		if s.floats {
			if err := equiv.Adapt(after, in); err != nil {
				return err
			}
		}
		got, err := s.execute(after, in)
		if err != nil {
			return fmt.Errorf("cannot run after: %w", err)
		}
		ok, err := s.compare(before, want, got)
		if err != nil {
			return fmt.Errorf("input %d: %w", i, err)
		}
		finite = finite || ok
	}
	if !finite {
		return errors.New("no output element is a number: the comparison shows nothing")
	}
	return nil
}

func (s *settings) execute(m *graph.Model,
	in map[string]*graph.Tensor) (map[string]*graph.Tensor, error) {
	if s.interpret {
		return equiv.Interpret(m, in)
	}
	return equiv.Execute(m, in)
}

func (s *settings) checkCannotRun(m *graph.Model) error {
	in, err := s.inputs(m, 0)
	if err != nil {
		return err
	}
	if _, err := s.execute(m, in); err == nil {
		return fmt.Errorf("before runs, though equiv says it cannot (%s)", s.cannotRun)
	}
	return nil
}

// inputs draws the i-th value of every input of m that has no default.
func (s *settings) inputs(m *graph.Model, i int) (map[string]*graph.Tensor, error) {
	return s.drawn().Draw(m, i)
}

func (s *settings) drawn() *equiv.Inputs {
	return &equiv.Inputs{Seed: s.seed, Lo: s.lo, Hi: s.hi, Grid: s.grid, Size: func(_ int, symbol string) int64 { return s.dims[symbol] }}
}

// compare holds the outputs got against want in the order of m's outputs. It
// reports whether any element was a number.
func (s *settings) compare(m *graph.Model, want, got map[string]*graph.Tensor) (bool, error) {
	d, err := equiv.Compare(m, want, got, s.floats)
	if err == nil && !(d.Size <= s.tol) {
		err = fmt.Errorf("%v, allowed %g", d, s.tol)
	}
	return d.Finite, err
}

// Execute runs a model on named inputs, in float32, and gives its named outputs. It and
// [Evaluate] are where this package meets the runtime.
func Execute(m *graph.Model, inputs map[string]*graph.Tensor) (map[string]*graph.Tensor, error) {
	return equiv.Execute(m, inputs)
}

// Evaluate computes a node whose inputs are all constant, for a pass that folds
// constants.
func Evaluate(n *graph.Node, opset int64) ([]*graph.Tensor, error) {
	return ops.Evaluate(&ops.Env{}, n, opset, nil)
}
