package prelutoonoff_test

import (
	"testing"

	"spikingir/passes/passtest"
	"spikingir/passes/prelutoonoff"
)

func TestPReluToOnOff(t *testing.T) { passtest.Run(t, prelutoonoff.Pass) }
