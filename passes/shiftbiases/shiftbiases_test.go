package shiftbiases_test

import (
	"testing"

	"spikingir/passes/passtest"
	"spikingir/passes/shiftbiases"
)

func TestShiftBiases(t *testing.T) { passtest.Run(t, shiftbiases.Pass) }
