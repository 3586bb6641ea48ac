package deadnode_test

import (
	"testing"

	"spikingir/passes/deadnode"
	"spikingir/passes/passtest"
)

func TestDeadNode(t *testing.T) { passtest.Run(t, deadnode.Pass) }
