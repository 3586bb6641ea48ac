package upgradeopset_test

import (
	"testing"

	"spikingir/passes/passtest"
	"spikingir/passes/upgradeopset"
)

func TestUpgradeOpset(t *testing.T) { passtest.Run(t, upgradeopset.Pass) }
