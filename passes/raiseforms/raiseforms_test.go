package raiseforms_test

import (
	"testing"

	"spikingir/passes/passtest"
	"spikingir/passes/raiseforms"
)

func TestRaiseForms(t *testing.T) { passtest.Run(t, raiseforms.Pass) }
