package absorbscales_test

import (
	"testing"

	"spikingir/passes/absorbscales"
	"spikingir/passes/passtest"
)

func TestAbsorbScales(t *testing.T) { passtest.Run(t, absorbscales.Pass) }
