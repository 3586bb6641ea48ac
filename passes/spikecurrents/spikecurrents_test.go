package spikecurrents_test

import (
	"testing"

	"spikingir/passes/passtest"
	"spikingir/passes/spikecurrents"
)

func TestSpikeCurrents(t *testing.T) { passtest.Run(t, spikecurrents.Pass) }
