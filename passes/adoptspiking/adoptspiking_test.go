package adoptspiking_test

import (
	"testing"

	"spikingir/passes/adoptspiking"
	"spikingir/passes/passtest"
)

func TestAdoptSpiking(t *testing.T) { passtest.Run(t, adoptspiking.Pass) }
