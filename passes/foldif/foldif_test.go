package foldif_test

import (
	"testing"

	"spikingir/passes/foldif"
	"spikingir/passes/passtest"
)

func TestFoldIf(t *testing.T) { passtest.Run(t, foldif.Pass) }
