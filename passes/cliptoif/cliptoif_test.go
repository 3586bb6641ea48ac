package cliptoif_test

import (
	"testing"

	"spikingir/passes/cliptoif"
	"spikingir/passes/passtest"
)

func TestClipToIF(t *testing.T) { passtest.Run(t, cliptoif.Pass) }
