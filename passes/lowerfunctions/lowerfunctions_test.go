package lowerfunctions_test

import (
	"testing"

	"spikingir/passes/lowerfunctions"
	"spikingir/passes/passtest"
)

func TestLowerFunctions(t *testing.T) { passtest.Run(t, lowerfunctions.Pass) }
