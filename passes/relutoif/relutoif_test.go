package relutoif_test

import (
	"testing"

	"spikingir/passes/passtest"
	"spikingir/passes/relutoif"
)

func TestReluToIF(t *testing.T) { passtest.Run(t, relutoif.Pass) }
