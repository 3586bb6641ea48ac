package insertcpm_test

import (
	"testing"

	"spikingir/passes/insertcpm"
	"spikingir/passes/passtest"
)

func TestInsertCPM(t *testing.T) { passtest.Run(t, insertcpm.Pass) }
